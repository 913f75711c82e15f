import itertools
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from report_fakes import CONVNET_ROWS, NASTY, Row

from seewell.report import blocks


def vgg16_rows():
    rows, size = [Row("image", "input", (224, 224, 3))], 224
    for block, (count, depth) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        rows += [Row(f"conv{block}_{place}", "convolution", (size, size, depth)) for place in range(count)]
        size //= 2
        rows.append(Row(f"pool{block}", "max pool", (size, size, depth)))
    return [*rows, *(Row(name, "fully connected", (width,)) for name, width in (("fc1", 4096), ("fc2", 4096)))]


def resnet18_rows():
    rows = [Row("image", "input", (224, 224, 3)), Row("stem", "convolution", (112, 112, 64))]
    for size, depth in ((56, 64), (28, 128), (14, 256), (7, 512)):
        for place in range(5):
            rows.append(Row(f"conv{size}_{place}", "convolution", (size, size, depth)))
            rows.append(Row(f"norm{size}_{place}", "batch norm", (size, size, depth)))
            rows.append(Row(f"add{size}_{place}", "add", (size, size, depth)))
    return [*rows, Row("pool", "global average pool", (512,)), Row("logits", "fully connected", (1000,))]


def boxes(scene):
    """The labels below the blocks as intervals, by the line they stand on; 6.6 pixels a letter."""
    lines = {}
    for label in scene.labels:
        if label.anchor == "middle":
            half = 3.3 * len(label.text)
            lines.setdefault(label.y, []).append((label.x - half, label.x + half))
    return lines


@pytest.mark.parametrize(
    "rows", [list(CONVNET_ROWS), vgg16_rows(), resnet18_rows()], ids=["convnet", "vgg16", "resnet"]
)
def test_labels_do_not_overlap_and_everything_lies_in_the_picture(rows):
    drawn = blocks.scene(rows, "a network")
    for spans in boxes(drawn).values():
        ordered = sorted(spans)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(ordered))
    for face in drawn.faces:
        assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in face.corners)
    assert drawn.width < 1600


def test_each_layer_that_has_a_size_is_a_block_and_equal_neighbours_share_a_label():
    drawn = blocks.scene(vgg16_rows(), "vgg16")
    fronts = [face.role for face in drawn.faces if face.side == "front"]
    assert fronts.count("convolution") == 13
    assert fronts.count("pooling") == 5
    assert fronts.count("connected") == 2
    texts = [label.text for label in drawn.labels]
    assert texts.count("224×224×64") == 1
    assert texts[texts.index("224×224×64") + 1] == "2 conv"


def test_a_larger_layer_is_a_higher_block_and_a_deeper_one_a_thicker():
    drawn = blocks.scene(CONVNET_ROWS, "convnet")
    fronts = [face.corners for face in drawn.faces if face.side == "front"]
    heights = [corners[0][1] - corners[2][1] for corners in fronts]
    widths = [corners[1][0] - corners[0][0] for corners in fronts]
    assert heights[1] > heights[3] > heights[6]
    assert widths[0] < widths[1] < widths[4]


def test_a_padded_input_is_called_so():
    rows = [Row("image", "input", (28, 28, 1)), Row("padded", "pad", (32, 32, 1)), Row("same", "resize", (32, 32, 1))]
    texts = [label.text for label in blocks.scene(rows, "vgg-small").labels]
    assert texts[1:5] == ["28×28×1", "input", "32×32×1", "padded"]


def test_the_legend_names_what_is_drawn_and_nothing_else():
    texts = [label.text for label in blocks.scene([Row("fc", "fully connected", (10,))], "x").labels]
    assert "fully connected" in texts
    assert "convolution" not in texts


def test_a_png_is_written_whole(tmp_path):
    path = blocks.draw_blocks(vgg16_rows(), "vgg16 $x_1$", tmp_path / "vgg16.png")
    with Image.open(path) as picture:
        picture.load()
        assert picture.width > 1500
    assert [one.name for one in tmp_path.iterdir()] == ["vgg16.png"]


def test_an_svg_is_written_where_the_ending_says_so(tmp_path):
    path = blocks.draw_blocks(CONVNET_ROWS, NASTY, tmp_path / "convnet.svg")
    text = path.read_text()
    ET.fromstring(text)
    assert "<script" not in text


def test_a_network_without_a_known_layer_is_an_empty_picture():
    assert blocks.blocks_svg([Row("x", "something", (3, 4, 5))], "odd").startswith("<svg")
