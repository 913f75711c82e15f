"""Preprocessing that lives inside the network: values first, then geometry, in stock Keras layers.

It is fitted on the training split only (`fit_statistics`) and has no weights,
so that nothing can train it. A whole mean image is kept as the offset of a
Rescaling layer: a Normalization layer's constants do not survive ONNX export.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from seewell.errors import ConfigError, DataError, NetworkError, unknown_name

__all__ = [
    "VALUE_RULES",
    "Preprocess",
    "Rule",
    "Statistics",
    "apply",
    "centred_padding",
    "fit_statistics",
    "parse_preprocess",
]

Rule = Literal["none", "scale", "mean-image", "per-channel"]
Geometry = Literal["resize", "pad"]

VALUE_RULES: dict[str, str] = {
    "none": "raw values from 0 to 255",
    "scale": "divided by 255: values from 0 to 1",
    "mean-image": "minus the mean of each pixel over the training split, not divided (LTFN 11)",
    "per-channel": "minus each channel's mean, divided by its standard deviation, over the training split",
}
"""The value rules and what each does."""

_EXPECTED = "at most one of none, scale, mean-image, per-channel and at most one of resize=HxW, pad=HxW"
_LARGEST_SIDE = 8192
_CHUNK_BYTES = 4 * 2**20
_SAMPLE_IMAGES = 2_000
_SAMPLE_BYTES = 32 * 2**20


@dataclass(frozen=True, eq=False)
class Statistics:
    """What preprocessing learns from the training split.

    Attributes:
        mean_image: float32 (H, W, C), mean of each pixel, 0 to 255.
        channel_mean: float32 (C,), mean over all pixels of a channel.
        channel_deviation: float32 (C,), population standard deviation of a channel.
        sample: uint8 (M, H, W, C), images spread evenly over the split, for constants of a network that depend
            on what its preprocessing makes of them; none where these are set otherwise.
    """

    mean_image: npt.NDArray[np.float32]
    channel_mean: npt.NDArray[np.float32]
    channel_deviation: npt.NDArray[np.float32]
    sample: npt.NDArray[np.uint8]

    def without_sample(self) -> "Statistics":
        """For a network that takes over another's weights, constants and all."""
        return replace(self, sample=self.sample[:0])


@dataclass(frozen=True)
class Preprocess:
    """A value rule and a geometry; the rule comes first, so that padding adds true zeros.

    Attributes:
        rule: What happens to the values.
        geometry: "resize" (bilinear), "pad" (centred zeros), or None.
        height: Height after the geometry, 0 where there is none.
        width: Width after the geometry, 0 where there is none.
    """

    rule: Rule = "scale"
    geometry: Geometry | None = None
    height: int = 0
    width: int = 0

    @property
    def needs_statistics(self) -> bool:
        """Whether the value rule is fitted on the training split."""
        return self.rule in ("mean-image", "per-channel")

    def __str__(self) -> str:
        """The text that `parse_preprocess` reads back."""
        return f"{self.rule},{self.geometry}={self.height}x{self.width}" if self.geometry else self.rule


def parse_preprocess(text: str) -> Preprocess:
    """Read a preprocessing from its text.

    Args:
        text: Comma-separated, in any order: at most one value rule (``none``,
            ``scale``, ``mean-image``, ``per-channel``; ``scale`` where none is
            given) and at most one geometry (``resize=HxW`` or ``pad=HxW``).

    Returns:
        The preprocessing. The value rule is applied first, whatever the order written.

    Raises:
        ConfigError: An unknown part, two rules or two geometries, or a size that is none.

    Example:
        >>> str(parse_preprocess("pad=32x32"))
        'scale,pad=32x32'
    """
    rule: str | None = None
    geometry: tuple[str, int, int] | None = None
    for part in (piece.strip() for piece in text.split(",")):
        kind = part.partition("=")[0].strip()
        if kind in get_args(Geometry):
            if geometry:
                raise ConfigError(f'preprocess "{text}" has two geometries.', expected=_EXPECTED, fix="keep one")
            geometry = (kind, *_read_size(kind, part, text))
        elif part in VALUE_RULES:
            if rule:
                raise ConfigError(f'preprocess "{text}" has two value rules.', expected=_EXPECTED, fix="keep one")
            rule = part
        else:
            raise unknown_name("preprocessing", part, [*VALUE_RULES, "resize=HxW", "pad=HxW"])
    chosen: Any = rule or "scale"
    if geometry is None:
        return Preprocess(chosen)
    name: Any = geometry[0]
    return Preprocess(chosen, name, geometry[1], geometry[2])


def _read_size(kind: str, part: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(rf"{kind}\s*=\s*(\d{{1,5}})x(\d{{1,5}})", part)
    if match and all(1 <= int(size) <= _LARGEST_SIDE for size in match.groups()):
        return int(match[1]), int(match[2])
    raise ConfigError(
        f'"{part}" in preprocess "{text}" is not a size.',
        expected=f"{kind}=HEIGHTxWIDTH, each from 1 to {_LARGEST_SIDE:,}",
        fix=f"write, for example, {kind}=32x32",
    )


def fit_statistics(images: npt.NDArray[np.uint8]) -> Statistics:
    """Mean image, channel means, channel deviations and a sample of a set of images.

    Sums and counts are kept as whole numbers, so the result is the float64
    formula exactly, rounded once to float32. The images are read in chunks of
    4 MB; a memory-mapped set is never in memory as a whole.

    Args:
        images: uint8 (N, H, W, C), at least one; of the training split only.

    Raises:
        DataError: Not uint8, not four dimensions, or no images.

    Example:
        >>> fit_statistics(np.full((2, 4, 4, 1), 7, np.uint8)).channel_mean
        array([7.], dtype=float32)
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.size == 0:
        raise DataError(
            f"statistics cannot be fitted on {images.dtype} values of shape {images.shape}.",
            expected="uint8 images of shape (N, height, width, channels), at least one",
            fix="give the images of the training split",
        )
    count, *shape = images.shape
    channels = shape[-1]
    totals = np.zeros(shape, np.int64)
    histogram = np.zeros((channels, 256), np.int64)
    step = max(1, _CHUNK_BYTES // int(np.prod(shape)))
    for start in range(0, count, step):
        chunk = np.asarray(images[start : start + step])
        totals += chunk.sum(axis=0, dtype=np.int64)
        for channel in range(channels):
            histogram[channel] += np.bincount(chunk[..., channel].ravel(), minlength=256)
    values = np.arange(256, dtype=np.float64)
    mean = histogram @ values / histogram.sum(axis=1)
    variance = (histogram * (values - mean[:, None]) ** 2).sum(axis=1) / histogram.sum(axis=1)
    return Statistics(
        mean_image=(totals / count).astype(np.float32),
        channel_mean=mean.astype(np.float32),
        channel_deviation=np.sqrt(variance).astype(np.float32),
        sample=_sample(images),
    )


def _sample(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    most = max(1, min(_SAMPLE_IMAGES, _SAMPLE_BYTES // int(np.prod(images.shape[1:]))))
    rows = np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(np.int64)
    return np.asarray(images[rows])


def apply(preprocess: Preprocess, x: Any, statistics: Statistics | None) -> Any:
    """Preprocess a Keras tensor of raw images inside a network.

    The layers compute in float32 under any precision. In ``per-channel``, a
    channel that is constant over the training split has no deviation and is
    divided by 1.

    Args:
        preprocess: What to do.
        x: Keras tensor uint8 (N, H, W, C).
        statistics: Needed by ``mean-image`` and ``per-channel``.

    Returns:
        Keras tensor float32 (N, H', W', C).

    Raises:
        NetworkError: Statistics are missing or of another shape, or the padding is smaller than the image.
    """
    import keras

    x = _values(preprocess.rule, x, statistics)
    if preprocess.geometry == "resize":
        layer = keras.layers.Resizing(
            preprocess.height, preprocess.width, interpolation="bilinear", dtype="float32", name="resize"
        )
        return layer(x)
    if preprocess.geometry == "pad":
        return centred_padding(x, preprocess.height, preprocess.width, name="pad")
    return x


def _values(rule: Rule, x: Any, statistics: Statistics | None) -> Any:
    import keras

    if rule == "none":
        return keras.layers.Rescaling(1.0, dtype="float32", name="cast")(x)
    if rule == "scale":
        return keras.layers.Rescaling(1.0 / 255.0, dtype="float32", name="scale")(x)
    shape = tuple(x.shape[1:])
    if statistics is None:
        raise NetworkError(
            f"preprocess {rule} needs statistics of the training split, and none were given.",
            expected="statistics=fit_statistics(images of the training split)",
            fix="give statistics, or use preprocess=scale",
        )
    if statistics.mean_image.shape != shape:
        raise NetworkError(
            f"the statistics were fitted on images of {_size(statistics.mean_image.shape)}, "
            f"and the network takes {_size(shape)}.",
            expected="the same height, width and channels",
            fix="fit the statistics on the images that the network is for",
        )
    if rule == "mean-image":
        return keras.layers.Rescaling(1.0, offset=-statistics.mean_image, dtype="float32", name="mean_image")(x)
    deviation = statistics.channel_deviation.astype(np.float64)
    scale = 1.0 / np.where(deviation > 0, deviation, 1.0)
    offset = -statistics.channel_mean.astype(np.float64) * scale
    layer = keras.layers.Rescaling(
        scale.astype(np.float32), offset=offset.astype(np.float32), dtype="float32", name="per_channel"
    )
    return layer(x)


def centred_padding(x: Any, height: int, width: int, *, name: str) -> Any:
    """Zeros around images so that they measure height x width; where the rest is odd, one more below and right.

    Raises:
        NetworkError: The images are larger than that.
    """
    import keras

    rest = (height - int(x.shape[1]), width - int(x.shape[2]))
    if min(rest) < 0:
        raise NetworkError(
            f"images of {x.shape[1]}x{x.shape[2]} cannot be padded to {height}x{width}.",
            expected=f"pad at least {x.shape[1]}x{x.shape[2]}",
            fix=f"use resize={height}x{width} to make them smaller",
        )
    if max(rest) == 0:
        return x
    padding = tuple((one // 2, one - one // 2) for one in rest)
    return keras.layers.ZeroPadding2D(padding, dtype="float32", name=name)(x)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
