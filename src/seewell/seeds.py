"""One seed for a training: every source of randomness is derived from it here."""

import hashlib

__all__ = ["derive_seed", "seed_everything"]


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
