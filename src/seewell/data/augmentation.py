"""Named, seeded augmentations: uint8 images in, uint8 images out, inside the compiled step.

Each is written ``name`` or ``name=strength``; they are applied in the order
given, to training batches only. Randomness is stateless: it depends on the
seed and the number of the update, or on the image and how often it was seen,
so that a resumed training sees the same images.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seewell.errors import ConfigError, unknown_name

__all__ = ["Augmentation", "Shown", "augment", "list_augmentations", "parse_augmentation"]

_MOST_IMAGES = 2**31 - 1

Tensor = Any
"""A TensorFlow tensor; TensorFlow has no types that mypy could read."""


@dataclass(frozen=True)
class Augmentation:
    """One augmentation with its strength.

    Attributes:
        name: One of `list_augmentations`.
        strength: In the unit that the name has; None takes the default for the image size.
    """

    name: str
    strength: float | None = None


@dataclass(frozen=True)
class Shown:
    """Which images of the training split a batch holds, and how often each was shown before.

    Attributes:
        images: int32 (N,): each image's place in the split.
        epochs: int32 (N,): the epoch that each is shown in, from 0.
        seed: The training's augmentation seed.
    """

    images: Tensor
    epochs: Tensor
    seed: int


@dataclass(frozen=True)
class _Chance:
    seed: Tensor
    shown: Shown


@dataclass(frozen=True)
class _Kind:
    apply: Callable[[Tensor, Tensor, _Chance, float], tuple[Tensor, Tensor]]
    default: Callable[[int], float]
    unit: str
    lowest: float
    highest: float


def list_augmentations() -> tuple[str, ...]:
    """The names of all augmentations."""
    return tuple(_KINDS)


def parse_augmentation(text: str) -> Augmentation:
    """Read ``name`` or ``name=strength``.

    Raises:
        ConfigError: The name is unknown, or the strength is not a number that it can have.

    Example:
        >>> parse_augmentation("shift=4")
        Augmentation(name='shift', strength=4.0)
    """
    name, equals, value = text.strip().partition("=")
    if name not in _KINDS:
        raise unknown_name("augmentation", name, _KINDS)
    if not equals:
        return Augmentation(name)
    kind = _KINDS[name]
    if not kind.unit:
        raise ConfigError(
            f'the augmentation "{text}" has the strength "{value}".', expected=f"{name} alone", fix=f"write {name}"
        )
    try:
        strength = float(value)
    except ValueError:
        strength = math.nan
    if not kind.lowest <= strength <= kind.highest:
        raise ConfigError(
            f'the augmentation "{text}" has the strength "{value}".',
            expected=f"{kind.unit}, from {kind.lowest:g} to {kind.highest:g}",
            fix=f"write {name} alone for the usual strength",
        )
    return Augmentation(name, strength)


def augment(
    images: Tensor, labels: Tensor, chosen: tuple[Augmentation, ...], seed: Tensor, shown: Shown
) -> tuple[Tensor, Tensor]:
    """Apply augmentations in order.

    Args:
        images: uint8 (N, H, W, C).
        labels: float32 (N, K), one-hot or mixed.
        chosen: What to apply.
        seed: int32 (2,): the training's augmentation seed and the number of the update.
        shown: Which images these are, and in which epoch each is shown.

    Returns:
        Images and labels of the same shapes and dtypes.
    """
    import tensorflow as tf

    side = min(images.shape[1], images.shape[2])
    for place, one in enumerate(chosen):
        kind = _KINDS[one.name]
        strength = kind.default(side) if one.strength is None else one.strength
        own = tf.random.experimental.stateless_fold_in(seed, place)
        images, labels = kind.apply(images, labels, _Chance(own, shown), strength)
    return images, labels


def _to_uint8(images: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.cast(tf.round(tf.clip_by_value(images, 0.0, 255.0)), tf.uint8)


def _flip(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    drawn = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], chance.seed)
    return tf.where(drawn < strength, tf.reverse(images, axis=[2]), images), labels


def _alternating_flip(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    shown = chance.shown
    with tf.device("/CPU:0"):  # TensorFlow shuffles indices there only
        # With the four rounds of `tf.random.experimental.index_shuffle`, neighbours are correlated by up to 0.4.
        places = tf.raw_ops.RandomIndexShuffle(
            index=shown.images, seed=[shown.seed, 0, 0], max_index=_MOST_IMAGES, rounds=24
        )
        turns = (places + shown.epochs) % 2
    return tf.where(turns[:, None, None, None] == 1, tf.reverse(images, axis=[2]), images), labels


def _transform(images: Tensor, rows: Tensor, interpolation: str, fill: str = "CONSTANT") -> Tensor:
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=rows,
        output_shape=tf.shape(images)[1:3],
        interpolation=interpolation,
        fill_mode=fill,
        fill_value=0.0,
    )


def _moved(images: Tensor, labels: Tensor, chance: _Chance, strength: float, fill: str) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    count, most = tf.shape(images)[0], round(strength)
    moved = tf.cast(tf.random.stateless_uniform([count, 2], chance.seed, -most, most + 1, tf.int32), tf.float32)
    one, zero = tf.ones([count]), tf.zeros([count])
    rows = tf.stack([one, zero, moved[:, 1], zero, one, moved[:, 0], zero, zero], axis=1)
    return _transform(images, rows, "NEAREST", fill), labels


def _shift(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    return _moved(images, labels, chance, strength, "CONSTANT")


def _shift_reflect(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    return _moved(images, labels, chance, strength, "REFLECT")


def _rotate(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    most = math.radians(strength)
    angle = tf.random.stateless_uniform([count], chance.seed, -most, most)
    cosine, sine, zero = tf.cos(angle), tf.sin(angle), tf.zeros([count])
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    left = middle_x - cosine * middle_x + sine * middle_y
    top = middle_y - sine * middle_x - cosine * middle_y
    rows = tf.stack([cosine, -sine, left, sine, cosine, top, zero, zero], axis=1)
    return _to_uint8(_transform(tf.cast(images, tf.float32), rows, "BILINEAR")), labels


def _colour(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    values = tf.cast(images, tf.float32)
    factors = tf.random.stateless_uniform([3, tf.shape(images)[0], 1, 1, 1], chance.seed, 1 - strength, 1 + strength)
    values = values * factors[0]
    middle = tf.reduce_mean(values, axis=[1, 2, 3], keepdims=True)
    values = (values - middle) * factors[1] + middle
    if images.shape[3] == 3:
        grey = tf.reduce_mean(values, axis=3, keepdims=True)
        values = (values - grey) * factors[2] + grey
    return _to_uint8(values), labels


def _cutout(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    size = round(strength)
    drawn = tf.random.stateless_uniform([count, 2], chance.seed)
    top = tf.cast(tf.floor(drawn[:, 0] * height), tf.int32)[:, None] - size // 2
    left = tf.cast(tf.floor(drawn[:, 1] * width), tf.int32)[:, None] - size // 2
    down, across = tf.range(height)[None], tf.range(width)[None]
    inside_rows = (down >= top) & (down < top + size)
    inside_columns = (across >= left) & (across < left + size)
    hole = inside_rows[:, :, None, None] & inside_columns[:, None, :, None]
    middle = tf.reduce_mean(tf.cast(images, tf.float32), axis=[1, 2], keepdims=True)
    return tf.where(hole, tf.cast(tf.round(middle), tf.uint8), images), labels


def _mixup(images: Tensor, labels: Tensor, chance: _Chance, strength: float) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    count = tf.shape(images)[0]
    draws = tf.random.stateless_gamma([2, count], chance.seed, alpha=strength)
    share = draws[0] / tf.maximum(draws[0] + draws[1], 1e-30)
    share = tf.maximum(share, 1 - share)
    values, other = tf.cast(images, tf.float32), tf.cast(tf.reverse(images, axis=[0]), tf.float32)
    weight = share[:, None, None, None]
    mixed = share[:, None] * labels + (1 - share[:, None]) * tf.reverse(labels, axis=[0])
    return _to_uint8(weight * values + (1 - weight) * other), mixed


_KINDS: dict[str, _Kind] = {
    # Mirrored left to right with this probability.
    "flip": _Kind(_flip, lambda side: 0.5, "a probability", 0, 1),
    # Mirrored in every other epoch; half of the images begin mirrored (Jordan 2024, arXiv:2404.00498, section 3.6).
    "alternating-flip": _Kind(_alternating_flip, lambda side: 1.0, "", 1, 1),
    # Moved by up to so many pixels each way, the gap filled with zeros: padding and a random crop.
    "shift": _Kind(_shift, lambda side: max(1.0, round(side / 8)), "pixels", 0, 512),
    # The same, the gap filled with the image's mirrored border; its last row stands twice (NumPy's "symmetric").
    "shift-reflect": _Kind(_shift_reflect, lambda side: max(1.0, round(side / 16)), "pixels", 0, 512),
    # Turned about the middle by up to so many degrees.
    "rotate": _Kind(_rotate, lambda side: 10.0, "degrees", 0, 180),
    # Brightness, contrast and (in colour) saturation multiplied by 1 ± strength.
    "colour": _Kind(_colour, lambda side: 0.2, "a fraction", 0, 1),
    # A square of this side replaced by the image's mean (DeVries & Taylor 2017).
    "cutout": _Kind(_cutout, lambda side: max(1.0, round(side / 4)), "pixels", 1, 512),
    # Mixed with another image of the batch, share from Beta(a, a) (Zhang et al. 2018).
    "mixup": _Kind(_mixup, lambda side: 0.2, "the Beta distribution's parameter", 0.01, 10),
}
