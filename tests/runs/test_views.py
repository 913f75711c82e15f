"""Test-time augmentation: the views, and answers that are the mean of their logits."""

import numpy as np
import pytest

from seewell.runs.views import VIEWS, answers_on_views

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), np.uint8)


def log_softmax(logits):
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def logits_of(images):
    """A network by hand: two classes, from pixels near opposite corners."""
    pixels = images.astype(np.float64) / 100
    return np.stack([pixels[:, 1, 2, 0], pixels[:, 4, 3, 1], pixels.mean(axis=(1, 2, 3))], axis=1)


def predict(images):
    assert images.dtype == np.uint8
    logs = log_softmax(logits_of(images))
    return logs, np.exp(logs)


@pytest.mark.parametrize("name", VIEWS)
def test_weights_sum_to_1_and_half_of_them_are_on_mirrored_views(name):
    assert sum(weight for weight, _ in VIEWS[name]) == 1
    mirrored = sum(weight for weight, changes in VIEWS[name] if any(one.__name__ == "_mirrored" for one in changes))
    assert mirrored == 0.5


def test_the_answer_is_the_softmax_of_the_mean_logits():
    plain, found = answers_on_views(predict, IMAGES, "mirror")
    logs, probabilities = found.logs, found.probabilities
    mean = (logits_of(IMAGES) + logits_of(IMAGES[:, :, ::-1])) / 2
    np.testing.assert_allclose(logs, log_softmax(mean), atol=1e-5)
    np.testing.assert_allclose(probabilities, np.exp(log_softmax(mean)), atol=1e-5)
    assert logs.dtype == probabilities.dtype == np.float32
    np.testing.assert_array_equal(plain.logs, predict(IMAGES)[0])
    np.testing.assert_array_equal(plain.probabilities, predict(IMAGES)[1])


@pytest.mark.parametrize("name", VIEWS)
def test_a_block_of_images_at_a_time_gives_the_same_and_each_view_is_asked_once(name):
    asked = []

    def counted(images):
        asked.append(len(images))
        return predict(images)

    whole = answers_on_views(predict, IMAGES, name)
    blocks = answers_on_views(counted, IMAGES, name, most=2)
    for one, other in zip(whole, blocks, strict=True):
        np.testing.assert_allclose(one.logs, other.logs, rtol=1e-6)
        np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-6)
    assert asked == [2] * len(VIEWS[name]) + [2] * len(VIEWS[name]) + [1] * len(VIEWS[name])


def test_shifts_go_one_pixel_both_ways_and_reflect_the_border():
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    moved = [padded[:, :-2, :-2], padded[:, 2:, 2:]]
    logits = 0.25 * logits_of(IMAGES) + 0.25 * logits_of(IMAGES[:, :, ::-1])
    logits += 0.125 * sum(logits_of(one) + logits_of(one[:, :, ::-1]) for one in moved)
    found = answers_on_views(predict, IMAGES, "mirror-shift")[1]
    np.testing.assert_allclose(found.logs, log_softmax(logits), atol=1e-5)


def test_an_image_of_one_pixel_is_its_own_view():
    dots = IMAGES[:, :1, :1]
    by_brightness = lambda images: (log_softmax(images[:, 0, 0].astype(np.float64) / 99),) * 2  # noqa: E731
    expected = by_brightness(dots)[0]
    np.testing.assert_allclose(answers_on_views(by_brightness, dots, "mirror-shift")[1].logs, expected, atol=1e-5)
