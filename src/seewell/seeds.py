"""One seed for a training: every source of randomness is derived from it here."""

import hashlib
import random
from typing import Any

__all__ = ["RandomStates", "derive_seed", "seed_everything"]


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 31-bit seed of its own for a purpose, the same on every machine.

    Two purposes (or two epochs) share no stream, and adding a consumer does not
    shift the numbers of the others.

    Args:
        seed: The training's seed.
        purpose: What the numbers are for, such as ``"order", 3``.

    Returns:
        An integer in [0, 2**31).

    Example:
        >>> derive_seed(0, "order", 1) == derive_seed(0, "order", 1)
        True
        >>> derive_seed(0, "order", 1) == derive_seed(0, "order", 2)
        False
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy, TensorFlow and Keras, as a training does before it builds its network.

    Args:
        seed: A non-negative integer below 2**32.
    """
    import keras

    keras.utils.set_random_seed(seed)


class RandomStates:
    """What Python, NumPy, TensorFlow and Keras would draw next, remembered when this is made.

    A model's own seed generators are not among them: they are variables of its layers.

    Example:
        >>> import random
        >>> states = RandomStates()
        >>> drawn = random.random()
        >>> states.put_back()
        >>> random.random() == drawn
        True
    """

    def __init__(self) -> None:
        import numpy as np

        self._python, self._numpy = random.getstate(), np.random.get_state()
        eager, generator = _tensorflow_generator(), _keras_generator()
        self._tensorflow = None if eager is None else eager.getstate()
        self._keras = None if generator is None else generator.state.numpy()

    def put_back(self, *, python_and_numpy: bool = True) -> None:
        """Make the next numbers those that would have come when this was made.

        Args:
            python_and_numpy: Also those of Python and NumPy.
        """
        import numpy as np

        if python_and_numpy:
            random.setstate(self._python)
            np.random.set_state(self._numpy)
        eager, generator = _tensorflow_generator(), _keras_generator()
        if eager is not None and self._tensorflow is not None:
            eager.setstate(self._tensorflow)
        if generator is not None and self._keras is not None:
            generator.state.assign(self._keras)
        elif generator is not None:
            # Made meanwhile: otherwise it would be made later, from another draw.
            _global_state().set_global_attribute("global_seed_generator", None)


def _tensorflow_generator() -> Any:
    from tensorflow.python.eager import context

    return getattr(context.context(), "_rng", None)


def _keras_generator() -> Any:
    return _global_state().get_global_attribute("global_seed_generator")


def _global_state() -> Any:
    from keras.src.backend.common import global_state

    return global_state
