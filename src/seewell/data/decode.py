"""The one way an image file becomes pixels, in training, evaluation, prediction and serving alike.

The rule, in this order (docs/data.md says the same for users):

1. Only regular files are opened; a pipe or a device is refused without waiting.
2. The format is judged by the first bytes, never by the ending: PNG, JPEG, GIF,
   WebP or BMP. Everything else is refused, and its decoder is never reached.
3. The size in the header is checked before a pixel is decoded: `MAX_PIXELS`.
4. The first frame of an animation counts.
5. Everything becomes 8-bit grey or RGB: 16-bit grey is scaled (v / 257, rounded),
   a palette is looked up, CMYK is converted, transparency is laid on white.
   Colour profiles are not applied.
6. The EXIF orientation is applied.
7. The largest centred part with the wanted proportions is cut out and resized
   with an antialiasing bilinear filter; an image that has the size is left as it is.
   A large JPEG is first decoded at 1/2, 1/4 or 1/8, never below twice the wanted size.
8. Grey becomes RGB by repeating, RGB becomes grey by the ITU-R 601 weights.
"""

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seewell.data.image_files import (
    DECODER_ERRORS,
    FORMATS,
    MAX_BYTES,
    MAX_PIXELS,
    damage_named,
    opened_image,
)

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "BACKGROUND",
    "FORMATS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Decoding",
    "ImageFacts",
    "decode_image",
    "fit_pixels",
    "probe_image",
]

BACKGROUND = 255
"""What lies under transparent pixels: white."""

_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class Decoding:
    """The images a network takes: what `decode_image` makes of any file.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        height: In pixels.
        width: In pixels.
    """

    channels: int
    height: int
    width: int

    def to_dict(self) -> dict[str, int]:
        """Plain values, ready for JSON."""
        return {"channels": self.channels, "height": self.height, "width": self.width}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Decoding":
        """The inverse of `to_dict`.

        Raises:
            KeyError: A field is missing.
        """
        return cls(channels=int(values["channels"]), height=int(values["height"]), width=int(values["width"]))


@dataclass(frozen=True)
class ImageFacts:
    """What the header of an image file says.

    Attributes:
        format: One of `FORMATS`.
        width: In pixels, orientation applied.
        height: In pixels, orientation applied.
        channels: 1 if the file holds grey, else 3; transparency does not count.
        animated: Whether there is more than one frame.
    """

    format: str
    width: int
    height: int
    channels: int
    animated: bool


def decode_image(source: str | os.PathLike[str] | bytes, decoding: Decoding) -> npt.NDArray[np.uint8]:
    """Turn an image file into the pixels that a network takes, by the rule at the head of this module.

    Args:
        source: The path of a file, or a file's bytes.
        decoding: The size and the channels wanted.

    Returns:
        uint8 (height, width, channels).

    Raises:
        DataError: The file is missing, empty, cut, damaged, too large, not an image, or of a
            format that is not in `FORMATS`.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("L", (2, 2), 7).save(file, "PNG")
        >>> decode_image(file.getvalue(), Decoding(channels=3, height=2, width=2))[0, 0].tolist()
        [7, 7, 7]
    """
    with opened_image(source) as (image, format_, name):
        with damage_named(name, format_):
            if format_ == "JPEG":
                _draft(image, decoding)
            image.load()
            upright = _upright(_eight_bits(image), image)
        return fit_pixels(upright, decoding)


def probe_image(source: str | os.PathLike[str] | bytes) -> ImageFacts:
    """Read the header of an image file: size, channels, format.

    Raises:
        DataError: As `decode_image`, as far as the header tells.
    """
    with opened_image(source) as (image, format_, name), damage_named(name, format_):
        width, height = image.size
        exif = "exif" in image.info or format_ == "JPEG"
        if exif and _orientation(image) >= 5:
            width, height = height, width
        animated = bool(getattr(image, "is_animated", False))
        return ImageFacts(format_, width, height, 1 if _is_grey(image) else 3, animated)


def fit_pixels(image: "Image.Image | npt.NDArray[np.uint8]", decoding: Decoding) -> npt.NDArray[np.uint8]:
    """Cut, resize and convert 8-bit pixels: steps 7 and 8 of the rule.

    Args:
        image: An upright Pillow image of mode L or RGB, or uint8 (H, W, C).
        decoding: The size and the channels wanted.

    Returns:
        uint8 (height, width, channels).
    """
    from PIL import Image

    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    wanted = (decoding.width, decoding.height)
    if image.size != wanted:
        image = image.resize(wanted, Image.Resampling.BILINEAR, box=_centred_box(image.size, wanted))
    mode = "L" if decoding.channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    return np.array(image, dtype=np.uint8).reshape(decoding.height, decoding.width, decoding.channels)


def _centred_box(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest centred part of ``size`` with the proportions of ``wanted``: left, top, right, bottom."""
    scale = min(size[0] / wanted[0], size[1] / wanted[1])
    width, height = min(size[0], wanted[0] * scale), min(size[1], wanted[1] * scale)
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    return (left, top, left + width, top + height)


def _draft(image: "Image.Image", decoding: Decoding) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8, leaving at least twice the wanted size for the filter."""
    wanted = (2 * decoding.width, 2 * decoding.height)
    if _orientation(image) >= 5:
        wanted = (wanted[1], wanted[0])
    if image.size[0] >= 2 * wanted[0] and image.size[1] >= 2 * wanted[1]:
        image.draft(None, wanted)


def _orientation(image: "Image.Image") -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or where it cannot be read."""
    value: object = 1
    with contextlib.suppress(*DECODER_ERRORS):  # broken metadata do not make the picture unusable
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: "Image.Image", original: "Image.Image") -> "Image.Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(_orientation(original))
    return pixels if turn is None else pixels.transpose(turn)


def _is_grey(image: "Image.Image") -> bool:
    if image.mode == "P" and image.palette is not None:
        entries = np.frombuffer(bytes(image.palette.tobytes()), dtype=np.uint8)
        colours = entries[: len(entries) // len(image.palette.mode) * len(image.palette.mode)]
        colours = colours.reshape(-1, len(image.palette.mode))
        return bool((colours[:, :1] == colours[:, 1:3]).all())
    return image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")


def _eight_bits(image: "Image.Image") -> "Image.Image":
    """Any decoded image as mode L or RGB, transparency laid on `BACKGROUND`."""
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("grey values beyond 16 bits")
        scaled = ((values + 128) // 257).astype(np.uint8)
        transparent = image.info.get("transparency")
        if isinstance(transparent, int):
            scaled[values == transparent] = BACKGROUND
        return Image.fromarray(scaled)
    grey = _is_grey(image)
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        canvas = Image.new("RGB", image.size, (BACKGROUND,) * 3)
        canvas.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return canvas.convert("L") if grey else canvas
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "LAB", "RGBX"):
        mode = "L" if grey else "RGB"
        return image if image.mode == mode else image.convert(mode)
    raise ValueError(f"pixels of kind {image.mode}")
