import base64
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from seewell.report.pictures import confident_mistakes, mean_image, png_data_uri


def pixels(uri):
    head, data = uri.split(",", 1)
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as picture:
        return np.asarray(picture)


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))))
def test_a_small_image_comes_back_pixel_by_pixel(image):
    expected = image[:, :, 0] if image.shape[2] == 1 else image
    np.testing.assert_array_equal(pixels(png_data_uri(image)), expected)


def test_a_large_image_is_made_smaller():
    assert max(pixels(png_data_uri(np.zeros((400, 200, 3), np.uint8))).shape) == 160


def test_the_mean_image_is_the_mean_of_each_pixel():
    images = np.random.default_rng(0).integers(0, 256, (2_500, 4, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pixels(mean_image(images)), np.rint(images.mean(axis=0)))


def test_the_surest_mistakes_come_first_and_right_answers_not_at_all():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.95, 0.05], [0.2, 0.8]], np.float32)
    images = np.zeros((4, 2, 2, 1), np.uint8)
    found = confident_mistakes(labels, probabilities, images, ("cat", "dog"), paths=["a", "b", "c\n", "d"])
    assert [(one.index, one.truth, one.predicted) for one in found] == [(2, "dog", "cat"), (1, "cat", "dog")]
    assert found[0].path == "c\\n"
    assert len(confident_mistakes(labels, probabilities, images, ("cat", "dog"), most=1)) == 1


def test_no_mistakes_are_an_empty_list():
    probabilities = np.eye(2, dtype=np.float32)
    assert confident_mistakes(np.array([0, 1]), probabilities, np.zeros((2, 2, 2, 1), np.uint8), ("a", "b")) == []
