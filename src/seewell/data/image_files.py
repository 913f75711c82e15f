"""Open an image file: the format judged by content, the size by the header, before anything is decoded."""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DECODER_ERRORS", "FORMATS", "MAX_BYTES", "MAX_PIXELS", "damage_named", "opened_image"]

FORMATS = ("PNG", "JPEG", "GIF", "WebP", "BMP")
"""The formats that are decoded."""

MAX_PIXELS = 100_000_000
"""Width times height above which a file is refused before decoding: 100 megapixels."""

MAX_BYTES = 512 * 2**20
"""Size above which a file is refused before reading: 512 MB."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)

_OTHER_KINDS = (
    (b"%!PS", "EPS or PostScript"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "PSD"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML (SVG?)"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
)

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    Warning,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders are known to raise on broken files (Warning: where a program makes warnings errors)."""


class _Opener(Protocol):
    def __call__(self, fp: IO[bytes]) -> "Image.Image": ...


@contextlib.contextmanager
def opened_image(source: str | os.PathLike[str] | bytes) -> Iterator[tuple["Image.Image", str, str]]:
    """The image with only its header read, its format, and its name for messages."""
    if isinstance(source, bytes):
        with _image(io.BytesIO(source), "the image", len(source)) as (image, format_):
            yield image, format_, "the image"
        return
    name = printable(source)
    with open_regular(Path(source)) as file:
        size = os.fstat(file.fileno()).st_size
        with _image(file, name, size) as (image, format_):
            yield image, format_, name


@contextlib.contextmanager
def _image(file: IO[bytes], name: str, size: int) -> Iterator[tuple["Image.Image", str]]:
    if size == 0:
        raise DataError(f"{name} is empty (0 bytes).", expected="an image file", fix="copy the file again")
    if size > MAX_BYTES:
        raise DataError(
            f"{name} is too large: {size:,} bytes.",
            expected=f"at most {MAX_BYTES:,} bytes",
            fix="save the image smaller, or leave it out",
        )
    from PIL.Image import DecompressionBombError

    format_ = _format_of(file, name)
    try:
        with damage_named(name, format_):
            image = _opener(format_)(file)
    except DecompressionBombError as error:  # WebP and GIF check for themselves, before we know the size
        raise _too_many_pixels(name, "too many") from error
    with contextlib.closing(image):
        width, height = image.size
        if width < 1 or height < 1 or width * height > MAX_PIXELS:
            raise _too_many_pixels(name, f"{width:,} x {height:,}")
        yield image, format_


def _too_many_pixels(name: str, claimed: str) -> DataError:
    return DataError(
        f"{name} claims {claimed} pixels; it was not decoded.",
        expected=f"at least 1 x 1 and at most {MAX_PIXELS:,} pixels",
        fix="save the image smaller, or leave it out",
    )


def _format_of(file: IO[bytes], name: str) -> str:
    head = file.read(16)
    file.seek(0)
    for signature, format_ in _SIGNATURES:
        if head.startswith(signature):
            return format_
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    kind = next((kind for signature, kind in _OTHER_KINDS if head.startswith(signature)), "")
    what = f"it is {kind}" if kind else "its first bytes are of no known image format"
    raise DataError(
        f"{name} cannot be used: {what}.",
        expected=", ".join(FORMATS) + " (judged by content; the ending does not matter)",
        fix="save it as PNG or JPEG",
    )


def _opener(format_: str) -> _Opener:
    """Pillow's class for one format.

    Called directly instead of through `Image.open`: no other decoder can be
    reached, and Pillow's size warning, which only global settings would turn
    into an error, does not apply (`MAX_PIXELS` does).
    """
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    openers: dict[str, _Opener] = {
        "PNG": PngImageFile,
        "JPEG": JpegImageFile,
        "GIF": GifImageFile,
        "WebP": WebPImageFile,
        "BMP": BmpImageFile,
    }
    return openers[format_]


@contextlib.contextmanager
def damage_named(name: str, format_: str) -> Iterator[None]:
    """Turn what a decoder raises on a broken file into a DataError that names the file."""
    try:
        yield
    except DECODER_ERRORS as error:
        cause = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{name} is damaged or cut: {printable(cause[:160])}.",
            expected=f"a whole {format_} file",
            fix="copy or save the file again, or leave it out",
        ) from error
