import io
import os
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
from data_makers import png_bytes, png_header_bomb
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seewell.data.decode import MAX_PIXELS, Decoding, decode_image, fit_pixels, probe_image
from seewell.errors import DataError

PHOTO = np.random.default_rng(3).integers(0, 256, size=(12, 16, 3), dtype=np.uint8)
SMOOTH = np.stack(
    [
        np.add.outer(np.arange(48), np.arange(64)) * 2,
        np.repeat(np.arange(48)[:, None] * 5, 64, axis=1),
        np.repeat(np.arange(64)[None] * 3, 48, axis=0),
    ],
    axis=2,
).astype(np.uint8)
AS_IS = Decoding(channels=3, height=12, width=16)


def encoded(image, format_, **options):
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def with_orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def one_pixel(data, channels=3):
    return decode_image(data, Decoding(channels=channels, height=1, width=1))[0, 0].tolist()


@pytest.mark.parametrize("format_", ["PNG", "BMP", "WEBP"])
def test_lossless_formats_give_back_the_pixels(format_):
    options = {"lossless": True} if format_ == "WEBP" else {}
    assert np.array_equal(decode_image(encoded(Image.fromarray(PHOTO), format_, **options), AS_IS), PHOTO)


def test_a_path_and_its_bytes_give_the_same_pixels(tmp_path):
    file = tmp_path / "a.jpg"
    Image.fromarray(SMOOTH).save(file, quality=90)
    wanted = Decoding(channels=3, height=20, width=20)
    assert np.array_equal(decode_image(file, wanted), decode_image(file.read_bytes(), wanted))


def test_a_decoding_survives_json():
    assert Decoding.from_dict(AS_IS.to_dict()) == AS_IS


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize(("format_", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_all_eight_orientations_give_identical_pixels(value, format_, options):
    """Row 31: the file is stored turned and tagged; what comes out is the upright picture."""
    turned = {
        1: PHOTO,
        2: PHOTO[:, ::-1],
        3: PHOTO[::-1, ::-1],
        4: PHOTO[::-1],
        5: PHOTO.transpose(1, 0, 2),
        6: np.rot90(PHOTO, 1),
        7: PHOTO[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PHOTO, -1),
    }[value]
    data = encoded(Image.fromarray(np.ascontiguousarray(turned)), format_, exif=with_orientation(value), **options)
    assert np.array_equal(decode_image(data, AS_IS), PHOTO)
    facts = probe_image(data)
    assert (facts.height, facts.width) == PHOTO.shape[:2]


@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_of_a_jpeg_is_that_of_the_same_jpeg_untagged(value):
    """Row 31."""
    plain = encoded(Image.fromarray(SMOOTH), "JPEG", quality=95)
    tagged = encoded(Image.fromarray(SMOOTH), "JPEG", quality=95, exif=with_orientation(value))
    stored = decode_image(plain, Decoding(channels=3, height=48, width=64))
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }[value]
    expected = turn(stored)
    wanted = Decoding(channels=3, height=expected.shape[0], width=expected.shape[1])
    assert np.array_equal(decode_image(tagged, wanted), expected)


def test_broken_exif_does_not_make_the_picture_unusable():
    data = encoded(Image.fromarray(PHOTO), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(decode_image(data, AS_IS), PHOTO)


def test_sixteen_bit_grey_is_scaled_not_clipped():
    """Row 32."""
    values = np.array([[0, 128, 129, 257, 1000, 32768, 65407, 65535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    out = decode_image(data, Decoding(channels=1, height=1, width=8))[0, :, 0]
    assert out.tolist() == np.rint(values[0] / 257).astype(int).tolist()


@pytest.mark.parametrize(("alpha", "expected"), [(0, 255), (255, 100), (128, 177)])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_laid_on_white(mode, alpha, expected):
    """Row 33."""
    colour = (100, alpha) if mode == "LA" else (100, 100, 100, alpha)
    data = encoded(Image.new(mode, (3, 3), colour), "PNG")
    assert abs(one_pixel(data)[0] - expected) <= 1
    assert probe_image(data).channels == (1 if mode == "LA" else 3)


def test_a_palette_with_transparency_is_laid_on_white():
    """Row 33: index 0 is transparent, index 1 is red."""
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putdata([0, 1])
    for data in (encoded(image, "PNG", transparency=0), encoded(image, "GIF", transparency=0)):
        out = decode_image(data, Decoding(channels=3, height=1, width=2))
        assert out[0].tolist() == [[255, 255, 255], [255, 0, 0]]


def test_a_transparent_colour_without_alpha_channel():
    """Row 33: PNG's tRNS for grey, RGB and 16-bit grey."""
    assert one_pixel(encoded(Image.new("L", (1, 1), 7), "PNG", transparency=7), 1) == [255]
    assert one_pixel(encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3))) == [255] * 3
    grey16 = Image.fromarray(np.full((1, 1), 900, dtype=np.uint16))
    assert one_pixel(encoded(grey16, "PNG", transparency=900), 1) == [255]


def test_grey_palettes_are_grey_and_others_are_colour():
    image = Image.new("P", (2, 1))
    image.putdata([0, 1])
    image.putpalette([9, 9, 9, 200, 200, 200])
    assert probe_image(encoded(image, "PNG")).channels == 1
    image.putpalette([9, 9, 9, 200, 0, 200])
    assert probe_image(encoded(image, "PNG")).channels == 3


def cmyk_reference(pixels):
    inks = 255 - pixels.astype(np.int64)
    return np.rint(inks[..., :3] * inks[..., 3:] / 255)


def test_cmyk_matches_the_reference():
    """Row 34: (255 - ink) (255 - black) / 255."""
    smooth = np.full((16, 16, 4), (200, 30, 90, 20), dtype=np.uint8)
    data = encoded(Image.frombytes("CMYK", (16, 16), smooth.tobytes()), "JPEG", quality=100, subsampling=0)
    out = decode_image(data, Decoding(channels=3, height=16, width=16)).astype(int)
    assert np.abs(out - cmyk_reference(smooth)).max() <= 2


def test_ycck_matches_the_reference():
    """Row 34: the same inks as Y, Cb, Cr and black (Adobe transform 2)."""
    inks = np.full((16, 16, 4), (200, 30, 90, 20), dtype=np.uint8)
    r, g, b = inks[0, 0, :3].tolist()
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    blue = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b
    red = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b
    # Inks become Y, Cb, Cr as if they were R, G, B (libjpeg and Adobe each invert once); Pillow inverts when it writes.
    stored = np.rint([255 - luma, 255 - blue, 255 - red]).astype(np.uint8)
    planes = inks.copy()
    planes[..., :3] = stored
    data = encoded(Image.frombytes("CMYK", (16, 16), planes.tobytes()), "JPEG", quality=100, subsampling=0)
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data = data[: marker + 11] + b"\x02" + data[marker + 12 :]
    out = decode_image(data, Decoding(channels=3, height=16, width=16)).astype(int)
    assert np.abs(out - cmyk_reference(inks)).max() <= 2


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_counts(format_):
    """Row 35."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    options = {"lossless": True} if format_ == "WEBP" else {}
    data = encoded(frames[0], format_, save_all=True, append_images=frames[1:], duration=50, **options)
    assert probe_image(data).animated
    assert one_pixel(data) == [250, 0, 0]


def test_ten_thousand_frames_cost_no_more_than_one():
    """Row 35: only the first frame is decoded."""
    frame = Image.new("P", (64, 64), 1)
    head = encoded(frame, "GIF")
    body = head[:-1]
    start = body.index(b",", 13)
    data = body + body[start:] * 10_000 + b";"
    assert decode_image(data, Decoding(channels=3, height=8, width=8)).shape == (8, 8, 3)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_file_is_refused(tmp_path, format_, share):
    """Row 26."""
    whole = encoded(Image.fromarray(np.tile(SMOOTH, (4, 4, 1)) ^ 37), format_)
    file = tmp_path / "cut.png"
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"cut\.png is damaged or cut"):
        decode_image(file, Decoding(channels=3, height=32, width=32))


def test_an_empty_file_is_refused(tmp_path):
    """Row 25."""
    file = tmp_path / "nothing.png"
    file.touch()
    with pytest.raises(DataError, match=r"nothing\.png is empty \(0 bytes\)"):
        decode_image(file, AS_IS)


def test_text_named_jpg_is_refused(tmp_path):
    """Row 27."""
    file = tmp_path / "notes.jpg"
    file.write_text("dear diary, this is not a picture")
    with pytest.raises(DataError, match=r"no known image format") as caught:
        decode_image(file, AS_IS)
    assert "PNG, JPEG, GIF, WebP, BMP" in caught.value.expected


def test_content_decides_not_the_ending(tmp_path):
    """Row 28."""
    file = tmp_path / "really_png.jpg"
    file.write_bytes(png_bytes(PHOTO))
    assert probe_image(file).format == "PNG"
    assert np.array_equal(decode_image(file, AS_IS), PHOTO)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"),
        (b"8BPS\0\1" + bytes(40), "PSD"),
        (encoded(Image.fromarray(PHOTO), "TIFF"), "TIFF"),
        (encoded(Image.fromarray(PHOTO), "ICO"), "ICO"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_formats_beyond_the_list_are_refused_whatever_the_ending(tmp_path, data, kind):
    """Row 29."""
    file = tmp_path / "picture.png"
    file.write_bytes(data)
    with pytest.raises(DataError, match=kind):
        decode_image(file, AS_IS)


BOMB_SCRIPT = """
import resource, sys
from seewell.data.decode import Decoding, decode_image, probe_image
from seewell.errors import DataError
from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        decode_image(path, Decoding(3, 32, 32))
    except DataError as error:
        assert "was not decoded" in error.what or "damaged" in error.what, error
    else:
        raise SystemExit(f"{path} was decoded")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_bomb_is_refused_before_decoding(tmp_path):
    """Row 30: 50,000 x 50,000 pixels in a few bytes, as PNG, BMP, GIF, JPEG and WebP; memory stays flat."""
    files = {
        "a.png": png_header_bomb(),
        "a.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "a.gif": b"GIF89a" + struct.pack("<HHBBB", 50_000, 50_000, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
        "a.jpg": encoded(Image.new("L", (8, 8)), "JPEG"),
        "a.webp": b"RIFF\x2e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0"
        + b"VP8L\x08\0\0\0\x2f\xff\xff\xff\x0f\0\0\0",
    }
    start = files["a.jpg"].index(b"\xff\xc0") + 5
    files["a.jpg"] = files["a.jpg"][:start] + struct.pack(">HH", 50_000, 50_000) + files["a.jpg"][start + 4 :]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-W", "error", "-c", BOMB_SCRIPT, *(str(tmp_path / name) for name in files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40


def test_the_limit_needs_no_global_setting():
    """Row 30: Pillow's limit and the warning filters are as the user left them, and nothing is warned of."""
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    side = 9_900  # beyond Pillow's own warning, within ours
    assert 89_478_485 < side * side < MAX_PIXELS
    assert probe_image(png_header_bomb(side, side)).width == side
    with pytest.raises(DataError, match="claims 10,001 x 10,000 pixels"):
        probe_image(png_header_bomb(10_001, 10_000))
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1)])
def test_extreme_shapes_are_resized(shape):
    """Row 36: the middle is cut out first, so nothing huge comes up on the way."""
    data = png_bytes(np.full((*shape, 3), 77, dtype=np.uint8))
    out = decode_image(data, Decoding(channels=3, height=64, width=64))
    assert out.shape == (64, 64, 3)
    assert (out == 77).all()


def test_the_middle_is_cut_out():
    """Left and right thirds are black, the middle white: a square of it is all white."""
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, 10:20] = 255
    assert (decode_image(png_bytes(wide), Decoding(channels=3, height=10, width=10)) == 255).all()


def test_a_large_jpeg_is_close_to_its_full_decoding():
    """The reduced decoding is a matter of speed: it stays within a few grey levels of the full one."""
    large = np.kron(SMOOTH, np.ones((20, 20, 1), dtype=np.uint8))
    data = encoded(Image.fromarray(large), "JPEG", quality=95, subsampling=0)
    wanted = Decoding(channels=3, height=48, width=64)
    full = fit_pixels(Image.open(io.BytesIO(data)), wanted).astype(int)
    assert np.abs(decode_image(data, wanted).astype(int) - full).max() <= 4


def test_grey_and_colour_are_converted_to_what_the_network_takes():
    grey = np.full((2, 2), 90, dtype=np.uint8)
    assert one_pixel(encoded(Image.fromarray(grey), "PNG")) == [90, 90, 90]
    red = np.full((2, 2, 3), (255, 0, 0), dtype=np.uint8)
    assert one_pixel(png_bytes(red), 1) == [76]  # 0.299 * 255


def test_a_pipe_a_device_and_a_folder_are_refused_without_waiting(tmp_path):
    """Row 40."""
    os.mkfifo(tmp_path / "pipe.png")
    for path, kind in ((tmp_path / "pipe.png", "a pipe"), ("/dev/zero", "a device"), (tmp_path, "a folder")):
        with pytest.raises(DataError, match=f"not a regular file but {kind}"):
            decode_image(path, AS_IS)


def test_a_missing_file_is_named(tmp_path):
    """Row 41."""
    with pytest.raises(DataError, match=r"gone\.png cannot be opened: no such file"):
        decode_image(tmp_path / "gone.png", AS_IS)


def test_a_name_that_is_not_utf8_is_escaped_in_the_message(tmp_path):
    """Row 38."""
    file = os.fsencode(tmp_path) + b"/caf\xe9\n.png"
    with open(file, "wb") as out:
        out.write(b"no image")
    with pytest.raises(DataError) as caught:
        decode_image(os.fsdecode(file), AS_IS)
    assert "caf\\xe9\\n.png" in str(caught.value)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_give_an_image_or_a_data_error(data):
    """Rows 26, 27: whatever a decoder meets, nothing but DataError comes out."""
    whole = data.draw(st.sampled_from(WHOLE_FILES))
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 12))
    damaged = whole[:start] + data.draw(st.binary(max_size=12)) + whole[start + length :]
    try:
        out = decode_image(damaged, AS_IS)
    except DataError:
        return
    assert out.shape == (12, 16, 3)
    assert out.dtype == np.uint8


WHOLE_FILES = [
    png_bytes(PHOTO),
    encoded(Image.fromarray(PHOTO), "PNG", exif=with_orientation(6)),
    encoded(Image.fromarray(PHOTO), "JPEG", exif=with_orientation(6)),
    encoded(Image.fromarray(PHOTO), "JPEG", progressive=True),
    encoded(Image.fromarray(PHOTO).convert("P"), "GIF"),
    encoded(Image.fromarray(PHOTO).convert("P"), "PNG", transparency=3),
    encoded(Image.fromarray(PHOTO), "WEBP", exif=with_orientation(3)),
    encoded(Image.fromarray(PHOTO), "BMP"),
]
