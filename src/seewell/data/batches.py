"""Which images make up which batch: computed from (seed, epoch), so nothing about it needs saving.

The epochs follow each other in one endless sequence, each a permutation of its
own, and batch ``k`` is the k-th stretch of that sequence. So every batch is
full, each image is seen exactly once an epoch, and any step can be asked for
directly, which makes resuming exact.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seewell.data.dataset import Split
from seewell.seeds import derive_seed

__all__ = ["BatchOrder", "Chunk", "chunks", "epoch_order"]

_RESIDENT_BYTES = 2 * 2**30


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """The order in which an epoch goes through ``count`` images: a permutation from (seed, epoch) alone.

    Returns:
        int32 (count,).

    Example:
        >>> sorted(epoch_order(4, seed=0, epoch=1).tolist())
        [0, 1, 2, 3]
    """
    generator = np.random.Generator(np.random.PCG64(derive_seed(seed, "order", epoch)))
    return generator.permutation(count).astype(np.int32)


class BatchOrder:
    """The indices of every batch of a training.

    Args:
        count: Number of training images.
        batch_size: Images in a batch; may exceed ``count``.
        seed: The training's seed.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batch_size = batch_size
        self._seed = seed
        self._epochs: dict[int, NDArray[np.int32]] = {}

    def indices(self, first_step: int, steps: int) -> NDArray[np.int32]:
        """The images of ``steps`` batches, the first being number ``first_step`` (from 0).

        Returns:
            int32 (steps, batch_size).
        """
        start = first_step * self.batch_size
        stop = start + steps * self.batch_size
        first, last = start // self.count, (stop - 1) // self.count
        self._epochs = {epoch: order for epoch, order in self._epochs.items() if epoch >= first}
        for epoch in range(first, last + 1):
            if epoch not in self._epochs:
                self._epochs[epoch] = epoch_order(self.count, self._seed, epoch)
        joined = np.concatenate([self._epochs[epoch] for epoch in range(first, last + 1)])
        offset = start - first * self.count
        return joined[offset : offset + steps * self.batch_size].reshape(steps, self.batch_size)

    def epochs(self, first_step: int, steps: int) -> NDArray[np.int32]:
        """The epoch, from 0, in which each image of ``steps`` batches is shown.

        Returns:
            int32 (steps, batch_size).
        """
        places = first_step * self.batch_size + np.arange(steps * self.batch_size, dtype=np.int64)
        return (places // self.count).astype(np.int32).reshape(steps, self.batch_size)

    def chunk(self, first_step: int, steps: int, images: object, labels: object) -> "Chunk":
        """The batches as a chunk whose images are the whole split."""
        indices = self.indices(first_step, steps)
        return Chunk(first_step, images, labels, indices, indices, self.epochs(first_step, steps))


@dataclass(frozen=True)
class Chunk:
    """Several batches for one call of the compiled step.

    Attributes:
        first_step: Number of updates made before the chunk.
        images: uint8 (M, H, W, C): the whole split as one tensor, or only the chunk's images.
        labels: int32 (M,).
        indices: int32 (steps, batch_size), into ``images``.
        numbers: int32 (steps, batch_size): the images' places in the split.
        epochs: int32 (steps, batch_size): the epoch that each is shown in.
    """

    first_step: int
    images: object
    labels: object
    indices: NDArray[np.int32]
    numbers: NDArray[np.int32]
    epochs: NDArray[np.int32]

    @property
    def steps(self) -> int:
        """Number of batches in the chunk."""
        return len(self.indices)


def chunks(split: Split, order: BatchOrder, sizes: Iterator[tuple[int, int]]) -> Iterator[Chunk]:
    """Prepare chunks of batches, one ahead of the training.

    A split of up to 2 GiB lives in memory as one tensor and only indices
    are passed; a larger (memory-mapped) one is read chunk by chunk in a thread
    while the chunk before it is trained on.

    Args:
        split: The training split.
        order: Which images each batch takes.
        sizes: ``(first_step, steps)`` of each chunk wanted.

    Yields:
        The chunks, in order.
    """
    import tensorflow as tf

    if split.images.nbytes <= _RESIDENT_BYTES:
        with tf.device("/CPU:0"):
            images = tf.constant(np.asarray(split.images))
            labels = tf.constant(split.labels.astype(np.int32))
        for first, steps in sizes:
            yield order.chunk(first, steps, images, labels)
        return

    def read(first: int, steps: int) -> Chunk:
        wanted = order.indices(first, steps)
        rows, places = np.unique(wanted, return_inverse=True)
        with tf.device("/CPU:0"):  # of this thread: that of the caller does not hold here
            images, labels = tf.constant(split.images[rows]), tf.constant(split.labels[rows].astype(np.int32))
        return Chunk(
            first,
            images,
            labels,
            places.reshape(wanted.shape).astype(np.int32),
            wanted,
            order.epochs(first, steps),
        )

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="seewell-batches") as pool:
        waiting = None
        for first, steps in sizes:
            following = pool.submit(read, first, steps)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
