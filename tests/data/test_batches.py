"""Batches: each epoch a permutation, batches its stretches, any step directly, streamed as resident."""

import contextlib
import threading

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.data import batches
from seewell.data.batches import BatchOrder, chunks, epoch_order
from seewell.data.dataset import Split

counts, sizes, seeds = st.integers(1, 50), st.integers(1, 70), st.integers(0, 2**32 - 1)


@hypothesis.given(counts, seeds, st.integers(0, 1000))
def test_every_epoch_is_a_permutation_from_seed_and_epoch_alone(count, seed, epoch):
    order = epoch_order(count, seed, epoch)
    assert order.dtype == np.int32
    assert sorted(order.tolist()) == list(range(count))
    np.testing.assert_array_equal(order, epoch_order(count, seed, epoch))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(epoch_order(30, seed, epoch)) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


@hypothesis.given(counts, sizes, seeds)
def test_the_batches_are_the_stretches_of_the_epochs_one_after_the_other(count, size, seed):
    steps = 7
    endless = np.concatenate([epoch_order(count, seed, epoch) for epoch in range(steps * size // count + 1)])
    found = BatchOrder(count, size, seed).indices(0, steps)
    assert found.shape == (steps, size)
    np.testing.assert_array_equal(found.reshape(-1), endless[: steps * size])


@hypothesis.given(counts, sizes, seeds, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=6))
def test_any_step_can_be_asked_for_directly_and_in_any_order(count, size, seed, wanted):
    order, straight = BatchOrder(count, size, seed), BatchOrder(count, size, seed).indices(0, 65)
    for first, steps in wanted:
        np.testing.assert_array_equal(order.indices(first, steps), straight[first : first + steps])


def split_of(count):
    images = np.arange(count * 12, dtype=np.uint32).astype(np.uint8).reshape(count, 2, 2, 3)
    return Split(images, np.arange(count, dtype=np.int64) % 3)


def seen(split, monkeypatch=None, limit=None):
    """Every image and label, as the compiled step would gather them."""
    if limit is not None:
        monkeypatch.setattr(batches, "_RESIDENT_BYTES", limit)
    order = BatchOrder(len(split), 4, seed=3)
    found = []
    for chunk in chunks(split, order, iter([(0, 2), (2, 1), (3, 5)])):
        assert chunk.steps == len(chunk.indices)
        images, labels = np.asarray(chunk.images), np.asarray(chunk.labels)
        found.append((chunk.first_step, images[chunk.indices], labels[chunk.indices]))
    return found


def test_the_epochs_are_those_of_the_order_also_where_a_batch_straddles_two():
    order = BatchOrder(11, 4, 0)
    np.testing.assert_array_equal(order.epochs(0, 3), [[0] * 4, [0] * 4, [0, 0, 0, 1]])
    np.testing.assert_array_equal(order.epochs(4, 2), [[1] * 4, [1, 1, 2, 2]])
    assert order.epochs(0, 1).dtype == np.int32


def test_chunks_say_which_image_of_the_split_each_is(monkeypatch):
    split, order = split_of(11), BatchOrder(11, 4, 0)
    resident = list(chunks(split, order, iter([(0, 2), (2, 3)])))
    monkeypatch.setattr(batches, "_RESIDENT_BYTES", 0)
    streamed = list(chunks(split, order, iter([(0, 2), (2, 3)])))
    for one, other in zip(resident, streamed, strict=True):
        np.testing.assert_array_equal(one.numbers, other.numbers)
        np.testing.assert_array_equal(one.epochs, other.epochs)
        np.testing.assert_array_equal(np.asarray(other.images)[other.indices], split.images[other.numbers])


def test_streamed_batches_are_the_resident_ones(monkeypatch):
    split = split_of(11)
    resident = seen(split)
    streamed = seen(split, monkeypatch, limit=0)
    assert [one[0] for one in resident] == [one[0] for one in streamed] == [0, 2, 3]
    for (_, images, labels), (_, other_images, other_labels) in zip(resident, streamed, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)
        assert images.dtype == other_images.dtype == np.uint8
        assert labels.dtype == other_labels.dtype == np.int32


def test_the_resident_split_is_given_whole_and_only_once():
    split = split_of(11)
    given = list(chunks(split, BatchOrder(11, 4, 0), iter([(0, 1), (1, 1)])))
    assert given[0].images is given[1].images
    np.testing.assert_array_equal(np.asarray(given[0].images), split.images)


def test_a_memory_map_is_read_chunk_by_chunk(tmp_path, monkeypatch):
    split = split_of(11)
    np.save(tmp_path / "images.npy", split.images)
    mapped = Split(np.load(tmp_path / "images.npy", mmap_mode="r"), split.labels)
    for one, other in zip(seen(split), seen(mapped, monkeypatch, limit=0), strict=True):
        np.testing.assert_array_equal(one[1], other[1])
    chunk = next(iter(chunks(mapped, BatchOrder(11, 4, 0), iter([(0, 1)]))))
    assert len(chunk.images) == 4


def test_an_error_while_reading_ahead_is_raised(monkeypatch):
    monkeypatch.setattr(batches, "_RESIDENT_BYTES", 0)
    split = split_of(11)
    with pytest.raises(IndexError):
        list(chunks(Split(split.images[:2], split.labels), BatchOrder(11, 4, 0), iter([(0, 1), (1, 1)])))


def test_no_sizes_no_chunks(monkeypatch):
    assert list(chunks(split_of(3), BatchOrder(3, 2, 0), iter([]))) == []
    monkeypatch.setattr(batches, "_RESIDENT_BYTES", 0)
    assert list(chunks(split_of(3), BatchOrder(3, 2, 0), iter([]))) == []


def test_streamed_images_stay_with_the_processor_in_the_thread_that_reads_them(monkeypatch):
    """A device chosen outside holds in its own thread alone; without one, a GPU would be filled with images."""
    import tensorflow as tf

    placed = []

    def device(name):
        placed.append((name, threading.current_thread().name.startswith("seewell-batches")))
        return contextlib.nullcontext()

    monkeypatch.setattr(batches, "_RESIDENT_BYTES", 0)
    monkeypatch.setattr(tf, "device", device)
    split = Split(np.zeros((9, 2, 2, 1), np.uint8), np.zeros(9, np.int64))
    assert len(list(chunks(split, BatchOrder(9, 3, 0), iter([(0, 1), (1, 1)])))) == 2
    assert placed == [("/CPU:0", True)] * 2
