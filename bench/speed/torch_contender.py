"""PyTorch at its best on a processor: channels last, autocast, a fused Adam, with or without `torch.compile`."""

import contextlib
import time

import torch
import torch._inductor.config
import torch.nn.functional as F

from speed.batches import POOL, compared_batches, images_and_labels
from speed.conversation import Timed, serve
from speed.description import read
from speed.torch_network import TorchNetwork
from speed.torch_threads import take_all_cores


def made(settings):
    """The described network, channels last, and its description."""
    description, weights = read(settings["folder"])
    network = TorchNetwork(description, weights).to(memory_format=torch.channels_last)
    return network, description


def lowered(precision):
    """The context in which products are bfloat16, where asked for."""
    if precision == "bfloat16":
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def adam(network, rate):
    learned = [one for one in network.parameters() if one.requires_grad]
    return torch.optim.Adam(learned, lr=rate, eps=1e-8, fused=True)


class OnAllCores(Timed):
    """What tells its number of threads."""

    def threads(self):
        return torch.get_num_threads()


class Training(OnAllCores):
    """Updates on batches that are gathered from uint8 images in memory."""

    def __init__(self, settings):
        network, description = made(settings)
        self._network = torch.compile(network) if settings["compile"] else network
        self._constrain = network.constrain
        self._optimizer = adam(network, 1e-4)
        self._precision, self._batch_size = settings["precision"], settings["batch_size"]
        images, labels = images_and_labels(description["shape"], max(POOL, self._batch_size), description["classes"])
        self._images, self._labels = torch.from_numpy(images), torch.from_numpy(labels)
        self._order, self._place = torch.randperm(len(labels)), 0

    def _rows(self):
        if self._place + self._batch_size > len(self._order):
            self._order, self._place = torch.randperm(len(self._order)), 0
        self._place += self._batch_size
        return self._order[self._place - self._batch_size : self._place]

    def make(self, count):
        for _ in range(count):
            rows = self._rows()
            with lowered(self._precision):
                loss = F.cross_entropy(self._network(self._images[rows]), self._labels[rows])
            loss.backward()
            self._optimizer.step()
            self._constrain()
            self._optimizer.zero_grad(set_to_none=True)


class Inference(OnAllCores):
    """Probabilities of one batch after the other; compiled, the weights are constants of the graph."""

    def __init__(self, settings):
        network, description = made(settings)
        network.eval()
        torch._inductor.config.freezing = settings["compile"]
        self._network = torch.compile(network) if settings["compile"] else network
        self._precision = settings["precision"]
        self._images = torch.from_numpy(images_and_labels(description["shape"], settings["batch_size"])[0])

    def make(self, count):
        with torch.inference_mode(), lowered(self._precision):
            for _ in range(count):
                F.softmax(self._network(self._images).float(), dim=1).numpy()


class Losses:
    """The losses of the compared batches, one update each."""

    def __init__(self, settings):
        self._settings = settings

    def losses(self):
        settings = self._settings
        network, description = made(settings)
        optimizer = adam(network, settings["rate"])
        batches = compared_batches(
            description["shape"], settings["batch_size"], settings["steps"], description["classes"]
        )
        found = []
        for images, labels in zip(*batches, strict=True):
            loss = F.cross_entropy(network(torch.from_numpy(images)), torch.from_numpy(labels))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            network.constrain()
            found.append(loss.item())
        return found


class Peak:
    """Multiply-adds a second of a large matrix product."""

    def __init__(self, settings):
        self._size = settings["size"]

    def peak(self, precision):
        kind = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
        one, other = (torch.randn(self._size, self._size).to(kind) for _ in range(2))
        one @ other
        began, count = time.perf_counter(), 0
        while count < 1 or time.perf_counter() - began < 1.0:
            one @ other
            count += 1
        return count * self._size**3 / (time.perf_counter() - began)


MAKERS = {"training": Training, "inference": Inference, "losses": Losses, "peak": Peak}


def make(settings):
    take_all_cores()
    return MAKERS[settings["mode"]](settings)


if __name__ == "__main__":
    serve(make)
