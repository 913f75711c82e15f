"""Trains the airbench port on a processor and tells accuracy against seconds of training."""

import contextlib
import math
import time

import numpy as np
import torch
import torch.nn.functional as F

from speed.airbench import Airbench, Batches, Muon, augmented_logits
from speed.conversation import serve
from speed.rivals import check_options
from speed.torch_threads import take_all_cores

BIAS_RATE, HEAD_RATE, KERNEL_RATE = 0.053, 0.67, 0.24
WHITENING_EPOCHS = 3
DECAY_AN_IMAGE = 2e-6
SMOOTHING = 0.2


class Training:
    """One training.

    Settings: "data" (a file with train and validation splits), "seed", "precision", "classes", "augmented" (tell also
    the accuracy with test-time augmentation), "options": "epochs" (8), "batch" (2000), "flip" (true; false for images
    whose mirror image is another class), "activation" ("gelu"), "compile" (false; compiling is done before the clock
    starts, which favours it).
    """

    def __init__(self, settings):
        self._settings, options = settings, settings["options"]
        check_options("airbench", options)
        self._threads = take_all_cores()
        torch.manual_seed(settings["seed"])
        with np.load(settings["data"]) as data:
            self._images, self._labels, self._held_images, self._held_labels = (
                torch.from_numpy(data[name]) for name in ("train", "train_labels", "validation", "validation_labels")
            )
        self._epochs = float(options.get("epochs", 8))
        self._batch_size = min(int(options.get("batch", 2000)), len(self._labels))
        self._flip = options.get("flip", True)
        self._compile = options.get("compile", False)
        self._activation = options.get("activation", "gelu")

    def _lowered(self):
        if self._settings["precision"] == "bfloat16":
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def train(self):
        began = time.perf_counter()
        network = Airbench(self._images, self._settings["classes"], self._activation)
        network = network.to(memory_format=torch.channels_last)
        batches = Batches(self._images, self._labels, self._batch_size, flip=self._flip, seed=self._settings["seed"])
        trained = self._compiled(network) if self._compile else network
        clock = Clock(time.perf_counter() - began)
        curve, trained_images = [], 0
        for epoch, made in self._epochs_of(network, trained, batches, clock):
            trained_images = made * self._batch_size
            with clock.stopped():
                curve.append({"epoch": epoch, "seconds": clock.seconds, **self._accuracies(network)})
        return {
            "curve": curve,
            "seconds": clock.seconds,
            "seconds_before": clock.before,
            "images_per_second": trained_images / clock.seconds,
            "precision": self._settings["precision"],
            "batch_size": self._batch_size,
            "threads": self._threads,
        }

    def _epochs_of(self, network, trained, batches, clock):
        """Make the updates; yields after each epoch, with the updates made so far."""
        total = math.ceil(self._epochs * len(batches))
        whitened = math.ceil(min(WHITENING_EPOCHS, self._epochs) * len(batches))
        biases, kernels = optimizers(network, self._batch_size, self._settings["precision"])
        clock.start()
        made = 0
        network.train()
        while made < total:
            for images, labels in batches:
                if made == whitened:
                    network.whiten.bias.requires_grad_(False)
                with self._lowered():
                    logits = trained(images)
                loss = F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING, reduction="sum")
                loss.backward()
                set_rates(biases, kernels, made, whitened, total)
                for optimizer in (biases, kernels):
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
                made += 1
                if made == total:
                    break
            yield made / len(batches), made
            network.train()

    def _accuracies(self, network):
        network.eval()
        augmented = self._settings["augmented"]
        right, right_augmented = 0, 0
        with torch.inference_mode(), self._lowered():
            for images, labels in zip(self._held_images.split(1000), self._held_labels.split(1000), strict=True):
                right += int((network(images).argmax(1) == labels).sum())
                if augmented:
                    right_augmented += int((augmented_logits(network, images).argmax(1) == labels).sum())
        count = len(self._held_labels)
        return {"accuracy": right / count, **({"accuracy_augmented": right_augmented / count} if augmented else {})}

    def _compiled(self, network):
        """Compiled with and without the whitening's bias; its BatchNorm statistics are put back."""
        compiled = torch.compile(network)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        images = self._images[: self._batch_size]
        network.train()
        for learns in (False, True):
            network.whiten.bias.requires_grad_(learns)
            with self._lowered():
                compiled(images).sum().backward()
            network.zero_grad(set_to_none=True)
        network.load_state_dict(before)
        return compiled


def optimizers(network, batch_size, precision):
    """Nesterov SGD for biases and head, Muon for the kernels of the blocks."""
    decay = DECAY_AN_IMAGE * batch_size
    kernels = [one for one in network.blocks.parameters() if one.ndim == 4]
    norms = [one for one in network.blocks.parameters() if one.ndim == 1 and one.requires_grad]
    groups = [
        {"params": [network.whiten.bias], "lr": BIAS_RATE, "weight_decay": decay / BIAS_RATE},
        {"params": norms, "lr": BIAS_RATE, "weight_decay": decay / BIAS_RATE},
        {"params": [network.head.weight], "lr": HEAD_RATE, "weight_decay": decay / HEAD_RATE},
    ]
    made = torch.optim.SGD(groups, momentum=0.85, nesterov=True, fused=True)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    return made, Muon(kernels, lr=KERNEL_RATE, momentum=0.6, dtype=dtype)


def set_rates(biases, kernels, made, whitened, total):
    """All rates fall to 0 on a line; that of the whitening's bias over the first epochs."""
    whitening, norms, head = biases.param_groups
    whitening["lr"] = BIAS_RATE * max(0.0, 1 - made / whitened)
    left = 1 - made / total
    norms["lr"], head["lr"], kernels.param_groups[0]["lr"] = BIAS_RATE * left, HEAD_RATE * left, KERNEL_RATE * left


class Clock:
    """Seconds of training: runs from `start`, stands still while validation looks."""

    def __init__(self, before):
        self.before, self._spent, self._since = before, 0.0, None

    def start(self):
        self._since = time.perf_counter()

    @property
    def seconds(self):
        return self._spent + (0.0 if self._since is None else time.perf_counter() - self._since)

    @contextlib.contextmanager
    def stopped(self):
        self._spent, self._since = self.seconds, None
        yield
        self.start()


make = Training

if __name__ == "__main__":
    serve(make)
