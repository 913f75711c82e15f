"""One training under the doctor's eyes: what it found before and during, and how the training really went."""

import os
import pickle
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from faults import FAULTS
from setups import compiled, prepare

import seewell


class Sequence(keras.utils.PyDataset):
    """Batches as many users write them: a class of their own."""

    def __init__(self, x, y, batch, seed):
        super().__init__()
        self.x, self.y, self.batch = x, y, batch
        self.order = np.random.default_rng(seed).permutation(len(y))

    def __len__(self):
        return -(-len(self.y) // self.batch)

    def __getitem__(self, index):
        rows = self.order[index * self.batch : (index + 1) * self.batch]
        return self.x[rows], self.y[rows]


def feed(job, x, y):
    """What is given to `fit` and to the doctor: x, y, and the arguments that go with them."""
    fit = dict(job.fit)
    if job.feed == "arrays":
        return x, y, fit
    batch = fit.pop("batch_size")
    if job.feed == "sequence":
        return Sequence(x, y, batch, job.setup.seed), None, fit
    data = tf.data.Dataset.from_tensor_slices((x, y))
    if job.feed == "dataset":
        data = data.shuffle(len(y), seed=job.setup.seed)
    return data.batch(batch), None, fit


def run(trial, keep_facts=None, examined=True):
    """Make the training of a trial; gives a dictionary of plain values."""
    keras.backend.clear_session()
    job = prepare(trial.setup)
    if trial.fault:
        FAULTS[trial.fault].inject(job)
    held = job.held_scale or job.scale
    encode, held_encode = job.encode, job.held_encode or job.encode
    tell = {
        "key": trial.key,
        "half": trial.half,
        "fault": trial.fault,
        "twin": trial.twin,
        "setup": trial.setup.to_dict(),
    }
    tell |= {"crashed": "", "refused": "", "before": [], "findings": [], "limits": []}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        as_given = lambda a: a if a.dtype == np.uint8 else a.astype("float32")  # noqa: E731
        x, vx = as_given(job.scale(job.x)), as_given(held(job.vx))
        y, vy = _encoded(encode, job.y), _encoded(held_encode, job.vy)
        model = compiled(job)
        if trial.setup.start == "trained":
            model.fit(x, y, epochs=2, batch_size=trial.setup.batch, verbose=0)
            model.compile(job.optimizer(), job.loss, metrics=["accuracy"])
        data, labels, fit = feed(job, x, y)
        doctor = seewell.Doctor()
        began = time.perf_counter()
        if examined:
            try:
                tell["before"] = shown(doctor.examine(model, data, labels, validation_data=(vx, vy)))
            except seewell.SeewellError as problem:
                tell["refused"] = str(problem)
        tell["examine_seconds"] = time.perf_counter() - began
        began, history = time.perf_counter(), {}
        try:
            history = model.fit(data, labels, validation_data=(vx, vy), callbacks=[doctor], verbose=0, **fit).history
        except Exception as problem:
            tell["crashed"] = f"{type(problem).__name__}: {str(problem).splitlines()[0][:150] if str(problem) else ''}"
        tell["fit_seconds"] = time.perf_counter() - began
        tell["doctor_seconds"] = doctor.seconds
        tell["findings"], tell["limits"] = shown(doctor.findings), list(doctor.limits)
        tell["history"] = {name: [float(f"{v:.5g}") for v in values] for name, values in history.items()}
        tell["true_accuracy"] = 0.0 if tell["crashed"] else accuracy(model, job, job.tx, job.ty)
        tell["seen_accuracy"] = 0.0 if tell["crashed"] else accuracy(model, job, job.x[:2000], job.y[:2000])
        tell["true_count"], tell["seen_count"] = len(job.ty), min(2000, len(job.y))
    if keep_facts is not None:
        watch = getattr(doctor, "_watch", None)
        course = None if watch is None else watch.course(whole=True)
        facts = {"facts": doctor._facts, "course": course, "result": getattr(doctor, "_result", None)}
        keep_facts.write_bytes(pickle.dumps(facts))
    return tell


def _encoded(encode, labels):
    try:
        return encode(labels)
    except IndexError:  # labels beyond the classes: as one-hot rows they would be cut
        return labels


def accuracy(model, job, images, labels):
    """In inference mode, on images prepared as the training images were meant to be."""
    x = job.scale(images)
    outputs = np.asarray(model.predict(x if x.dtype == np.uint8 else x.astype("float32"), batch_size=256, verbose=0))
    if not np.isfinite(outputs).all():
        return 0.0
    if outputs.shape[1] == 1:
        limit = 0.0 if job.parts.ends == (None,) else 0.5
        return float(((outputs[:, 0] > limit) == labels).mean())
    return float((outputs.argmax(1) == labels).mean())


def shown(findings):
    """Findings as plain values, without remedies."""
    return [
        {
            "code": one.code,
            "severity": one.severity,
            "layer": one.layer,
            "measured": one.measured,
            "message": one.message,
            "evidence": [e.code for e in one.evidence],
        }
        for one in findings
    ]
