"""Augmentations: what each is by definition, and that seed and step alone decide."""

import math

import numpy as np
import pytest

from seewell.data.augmentation import Augmentation, Shown, augment, list_augmentations, parse_augmentation
from seewell.errors import ConfigError

NAMES = ("flip", "alternating-flip", "shift", "shift-reflect", "rotate", "colour", "cutout", "mixup")


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


def images_of(count=6, height=8, width=10, channels=3):
    return np.random.default_rng(0).integers(1, 256, (count, height, width, channels)).astype(np.uint8)


def shown_of(tf, count, seed, epoch=0):
    return Shown(tf.range(count), tf.fill([count], epoch), seed)


def apply(tf, texts, images, labels=None, seed=(5, 0), epoch=0):
    labels = np.eye(len(images), dtype=np.float32) if labels is None else labels
    chosen = tuple(parse_augmentation(text) for text in texts)
    shown = shown_of(tf, len(images), seed[0], epoch)
    found, mixed = augment(tf.constant(images), tf.constant(labels), chosen, tf.constant(seed, tf.int32), shown)
    return found.numpy(), mixed.numpy()


def test_the_names_are_those_of_the_command_line():
    assert list_augmentations() == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_uint8_in_uint8_out_and_the_shapes_stay(tf, name, channels):
    images = images_of(channels=channels)
    found, labels = apply(tf, [name], images)
    assert found.dtype == np.uint8
    assert found.shape == images.shape
    assert labels.dtype == np.float32
    assert labels.shape == (6, 6)
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "alternating-flip"])
def test_the_same_seed_and_step_give_the_same_images_another_step_or_seed_others(tf, name):
    images = images_of(count=16)
    first = apply(tf, [name], images, seed=(5, 3))
    again = apply(tf, [name], images, seed=(5, 3))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != apply(tf, [name], images, seed=(5, 4))[0]).any()
    assert (first[0] != apply(tf, [name], images, seed=(6, 3))[0]).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_augmentation_is_the_same_also_where_the_batch_size_is_not_known(tf, name):
    images, labels = images_of(), np.eye(6, dtype=np.float32)
    chosen = (parse_augmentation(name),)
    signature = [tf.TensorSpec((None, 8, 10, 3), tf.uint8), tf.TensorSpec((None, 6), tf.float32)]
    compiled = tf.function(
        lambda x, y: augment(x, y, chosen, tf.constant((5, 0)), shown_of(tf, tf.shape(x)[0], 5)),
        input_signature=signature,
    )
    found, _ = compiled(images, labels)
    difference = found.numpy().astype(int) - apply(tf, [name], images)[0].astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mixup"])
def test_only_mixup_changes_labels(tf, name):
    labels = np.random.default_rng(0).random((6, 4)).astype(np.float32)
    np.testing.assert_array_equal(apply(tf, [name], images_of(), labels)[1], labels)


def test_no_augmentation_changes_nothing(tf):
    images = images_of()
    np.testing.assert_array_equal(apply(tf, [], images)[0], images)


def test_a_flip_of_probability_0_never_and_of_1_always_mirrors_left_to_right(tf):
    images = images_of()
    np.testing.assert_array_equal(apply(tf, ["flip=0"], images)[0], images)
    np.testing.assert_array_equal(apply(tf, ["flip=1"], images)[0], images[:, :, ::-1])


def test_a_flip_is_drawn_for_each_image(tf):
    images = images_of(count=400)
    found = apply(tf, ["flip=0.25"], images)[0]
    mirrored = (found == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (found == images).all(axis=(1, 2, 3))).all()
    assert 0.15 < mirrored.mean() < 0.35


def mirrored(found, images):
    """Which images are mirrored; the others must be as they were."""
    flipped = (found == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (flipped | (found == images).all(axis=(1, 2, 3))).all()
    return flipped


def test_an_alternating_flip_mirrors_half_of_the_images_at_first_and_then_each_in_turn(tf):
    images = images_of(count=2000)
    first, second, third, ninth = (
        mirrored(apply(tf, ["alternating-flip"], images, np.eye(2000, 2, dtype=np.float32), epoch=epoch)[0], images)
        for epoch in (0, 1, 2, 8)
    )
    assert 0.46 < first.mean() < 0.54
    assert np.abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.1
    np.testing.assert_array_equal(second, ~first)
    np.testing.assert_array_equal(third, first)
    np.testing.assert_array_equal(ninth, first)


def test_an_alternating_flip_depends_on_the_seed_and_the_image_not_on_the_update_or_the_place(tf):
    images = images_of(count=64)
    first = mirrored(apply(tf, ["alternating-flip"], images, seed=(5, 0))[0], images)
    np.testing.assert_array_equal(mirrored(apply(tf, ["alternating-flip"], images, seed=(5, 9))[0], images), first)
    assert (mirrored(apply(tf, ["alternating-flip"], images, seed=(6, 0))[0], images) != first).any()
    order = np.random.default_rng(0).permutation(64).astype(np.int32)
    shown = Shown(tf.constant(order), tf.zeros(64, tf.int32), 5)
    labels, chosen = tf.eye(64), (Augmentation("alternating-flip"),)
    found, _ = augment(tf.constant(images[order]), labels, chosen, tf.constant((5, 0)), shown)
    np.testing.assert_array_equal(mirrored(found.numpy(), images[order]), first[order])


def test_an_alternating_flip_has_no_strength():
    with pytest.raises(ConfigError, match=r"alternating-flip=0\.5") as caught:
        parse_augmentation("alternating-flip=0.5")
    assert caught.value.fix == "write alternating-flip"


@pytest.mark.parametrize("text", ["shift=0", "shift-reflect=0", "rotate=0", "colour=0"])
def test_a_strength_of_0_changes_nothing(tf, text):
    images = images_of()
    np.testing.assert_array_equal(apply(tf, [text], images)[0], images)


def moved(image, down, right):
    """The image moved by whole pixels, zeros coming in."""
    found = np.zeros_like(image)
    height, width = image.shape[:2]
    rows = slice(max(0, down), min(height, height + down))
    columns = slice(max(0, right), min(width, width + right))
    source_rows = slice(max(0, -down), min(height, height - down))
    source_columns = slice(max(0, -right), min(width, width - right))
    found[rows, columns] = image[source_rows, source_columns]
    return found


def test_a_shift_moves_by_whole_pixels_up_to_its_strength_and_fills_with_zeros(tf):
    images, most = images_of(count=300), 2
    found = apply(tf, [f"shift={most}"], images)[0]
    span = range(-most, most + 1)
    seen = set()
    for before, after in zip(images, found, strict=True):
        moves = [(d, r) for d in span for r in span if (moved(before, d, r) == after).all()]
        assert len(moves) == 1
        seen.add(moves[0])
    assert seen == {(d, r) for d in span for r in span}


def test_a_reflecting_shift_fills_the_gap_with_the_mirrored_border(tf):
    images, most = images_of(count=300), 2
    found = apply(tf, [f"shift-reflect={most}"], images)[0]
    seen = set()
    for before, after in zip(images, found, strict=True):
        padded = np.pad(before, ((most, most), (most, most), (0, 0)), mode="symmetric")
        moves = [
            (down, right)
            for down in range(2 * most + 1)
            for right in range(2 * most + 1)
            if np.array_equal(padded[down : down + 8, right : right + 10], after)
        ]
        assert len(moves) == 1
        seen.add(moves[0])
    assert len(seen) == 25


def test_a_shift_beyond_the_image_leaves_zeros(tf):
    assert set(np.unique(apply(tf, ["shift=512"], images_of(count=40))[0][:, 0, 0, 0])) >= {0}


def test_a_rotation_keeps_the_centre_and_turns_no_further_than_its_strength(tf):
    images = np.zeros((200, 21, 21, 1), np.uint8)
    images[:, 10, 10] = 255
    images[:, 10, 18] = 255
    found = apply(tf, ["rotate=30"], images)[0].astype(float)[..., 0]
    assert (found[:, 10, 10] == 255).all()
    found[:, 8:13, 8:13] = 0
    down, right = np.mgrid[-10:11, -10:11]
    weight = found.sum(axis=(1, 2))
    angle = np.degrees(np.arctan2((found * down).sum(axis=(1, 2)) / weight, (found * right).sum(axis=(1, 2)) / weight))
    radius = np.hypot((found * down).sum(axis=(1, 2)) / weight, (found * right).sum(axis=(1, 2)) / weight)
    assert np.abs(angle).max() <= 30.5
    assert angle.min() < -20
    assert angle.max() > 20
    np.testing.assert_allclose(radius, 8, atol=0.5)


def test_a_half_turn_about_the_centre_is_both_axes_reversed(tf, monkeypatch):
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda shape, seed, low, high: tf.fill(shape, math.pi))
    images = images_of()
    found = apply(tf, ["rotate=180"], images)[0]
    inner = np.abs(found[:, 1:-1, 1:-1].astype(int) - images[:, ::-1, ::-1][:, 1:-1, 1:-1].astype(int))
    assert inner.max() <= 1


def test_colour_of_a_plain_image_scales_its_brightness_within_the_strength(tf):
    images = np.full((300, 4, 4, 3), 100, np.uint8)
    found = apply(tf, ["colour=0.2"], images)[0]
    assert (found == found[:, :1, :1, :1]).all()
    values = found[:, 0, 0, 0].astype(int)
    assert values.min() >= 80
    assert values.max() <= 120
    assert values.max() - values.min() > 30


def test_colour_stays_within_0_and_255(tf):
    images = np.concatenate([np.zeros((5, 4, 4, 3)), np.full((5, 4, 4, 3), 255)], axis=1).astype(np.uint8)
    found = apply(tf, ["colour=1"], images)[0]
    assert found.dtype == np.uint8
    assert (found[:, 4:] >= found[:, :4]).all()


def test_a_cutout_is_a_square_of_its_side_cut_at_the_border_and_filled_with_the_mean(tf):
    images = images_of(count=300, height=12, width=12)
    found = apply(tf, ["cutout=4"], images)[0]
    heights = set()
    for before, after in zip(images, found, strict=True):
        hole = (before != after).any(axis=2)
        rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        heights.add(len(rows))
        assert 1 <= len(rows) <= 4
        assert 1 <= len(columns) <= 4
        mean = np.round(before.mean(axis=(0, 1)))
        inside = after[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert np.abs(inside.astype(int) - mean).max() <= 1
    assert heights == {2, 3, 4}


def test_a_cutout_as_large_as_twice_the_image_takes_it_whole(tf):
    images = images_of()
    found = apply(tf, ["cutout=64"], images)[0]
    assert (found == found[:, :1, :1]).all()


def test_mixup_mixes_pixels_and_labels_by_the_same_share_of_at_least_a_half(tf):
    images = np.zeros((40, 2, 2, 1), np.uint8)
    images[:20] = 200
    labels = np.zeros((40, 2), np.float32)
    labels[:20, 0], labels[20:, 1] = 1, 1
    found, mixed = apply(tf, ["mixup=1"], images, labels)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(found[:, 0, 0, 0], 200 * mixed[:, 0], atol=0.51)
    assert (mixed.max(axis=1) >= 0.5 - 1e-6).all()
    assert (mixed.argmax(axis=1)[:20] == 0).all()
    assert (mixed.argmax(axis=1)[20:] == 1).all()
    assert ((mixed > 0.1) & (mixed < 0.9)).any()


def test_augmentations_are_applied_in_the_order_given(tf):
    images = images_of(count=100)
    both = apply(tf, ["shift=3", "flip=1"], images)[0]
    shifted = apply(tf, ["shift=3"], images)[0]
    np.testing.assert_array_equal(both, shifted[:, :, ::-1])


def test_the_second_of_two_alike_draws_numbers_of_its_own(tf):
    images = images_of(count=64)
    once, twice = apply(tf, ["shift=1"], images)[0], apply(tf, ["shift=1", "shift=1"], images)[0]
    again = apply(tf, ["shift=1"], once)[0]
    assert (twice != again).any()


def test_a_name_may_have_a_strength():
    assert parse_augmentation("rotate") == Augmentation("rotate", None)
    assert parse_augmentation(" rotate=12.5 ") == Augmentation("rotate", 12.5)


def test_a_mistyped_name_is_answered_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        parse_augmentation("filp=0.5")
    assert caught.value.what == 'there is no augmentation "filp".'
    assert "flip" in caught.value.fix


@pytest.mark.parametrize(
    "text", ["flip=", "flip=x", "flip=1.1", "flip=-0.1", "flip=nan", "shift=inf", "cutout=0", "mixup=0"]
)
def test_a_strength_that_cannot_be_is_refused_with_its_range(text):
    with pytest.raises(ConfigError) as caught:
        parse_augmentation(text)
    assert text in caught.value.what
    assert "from" in caught.value.expected
    assert text.partition("=")[0] in caught.value.fix
