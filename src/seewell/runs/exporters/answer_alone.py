"""A program of its own: loads an exported network in its own runtime and answers images.

    python -P answer_alone.py FORMAT PATH IMAGES.npy ANSWER.npz

It imports nothing of seewell and sees to it that nothing else can; what it
needs is NumPy and the one runtime. IMAGES.npy is uint8 (N, H, W, C).
ANSWER.npz holds ``probabilities`` float32 (N, K), ``alone`` (milliseconds
of an image by itself, median) and ``batched`` (milliseconds an image in
batches of 32).
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATCH", "LOADERS", "answer", "main"]

BATCH = 32
_REPEATS, _SECONDS = 20, 3.0

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def load_keras(path: Path) -> Ask:
    """A ``.keras`` file, by Keras."""
    import keras

    model = keras.models.load_model(path, compile=False)
    return lambda images: np.asarray(model.predict_on_batch(images))


def load_savedmodel(path: Path) -> Ask:
    """Version 1 of a SavedModel, by its serving signature."""
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(path / "1"))
    serve = loaded.signatures["serving_default"]

    def ask(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if (found := serve(image=tf.constant(images))).keys() != {"probabilities"}:
            raise ValueError(f"the signature gives {list(found)}, not probabilities")
        return np.asarray(found["probabilities"])

    ask.keep = loaded  # type: ignore[attr-defined]  # its variables live as long as it does
    return ask


def load_onnx(path: Path) -> Ask:
    """An ONNX file, by onnxruntime on the processor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(["probabilities"], {"image": images})[0])


def load_litert(path: Path) -> Ask:
    """A LiteRT file, by ai-edge-litert."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    return lambda images: np.array(runner(image=images)["probabilities"])


LOADERS: dict[str, Callable[[Path], Ask]] = {
    "keras": load_keras,
    "savedmodel": load_savedmodel,
    "onnx": load_onnx,
    "litert": load_litert,
}
"""How each format is loaded."""


def answer(ask: Ask, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float, float]:
    """The answers to all images in batches of 32, the last one smaller, and how long they took.

    Returns:
        float32 (N, K), milliseconds of an image alone, milliseconds an image in batches.
    """
    ask(images[:BATCH])
    started = time.perf_counter()
    parts = [ask(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    batched = (time.perf_counter() - started) / len(images)
    ask(images[:1])
    times: list[float] = []
    while len(times) < _REPEATS and sum(times) < _SECONDS:
        started = time.perf_counter()
        ask(images[:1])
        times.append(time.perf_counter() - started)
    return np.concatenate(parts), 1000 * float(np.median(times)), 1000 * batched


def main(arguments: list[str]) -> None:
    """Load, answer and write the answers down."""
    kind, path, images, target = arguments
    sys.modules["seewell"] = None  # type: ignore[assignment]  # importing it raises ImportError from now on
    probabilities, alone, batched = answer(LOADERS[kind](Path(path)), np.load(images))
    np.savez(target, probabilities=probabilities, alone=alone, batched=batched)


if __name__ == "__main__":
    main(sys.argv[1:])
