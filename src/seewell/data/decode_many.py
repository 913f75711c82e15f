"""Decode many image files: a survey of their headers, one size for all, then the pixels, on several threads."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from seewell.data.dataset import Images, Progress
from seewell.data.decode import Decoding, ImageFacts, decode_image, probe_image
from seewell.errors import DataError

__all__ = ["DEFAULT_SIDE", "KEPT_SIDE", "choose_decoding", "decode_rows", "survey"]

KEPT_SIDE = 256
"""Images that all have one size of at most 256 x 256 keep it."""

DEFAULT_SIDE = 64
"""Otherwise they become squares of this side, or of the median of their shorter sides where that is less.

Sixty-four pixels keep what tells most everyday things apart, and cost a network
a quarter of what 128 would: on two cores that is minutes instead of an hour.
"""

T = TypeVar("T")

_SMALLEST_SIDE = 8
_FILES_A_TASK = 64
_BYTES_A_TASK = 8 * 2**20


def survey(paths: Sequence[str], progress: Progress | None) -> tuple[list[ImageFacts | None], list[tuple[int, str]]]:
    """The header of every file.

    Args:
        paths: The files.
        progress: Told "reading headers".

    Returns:
        The facts of each file (None where it cannot be used), and the rows of those with the reason.
    """
    facts: list[ImageFacts | None] = [None] * len(paths)
    failed: list[tuple[int, str]] = []

    def probe(rows: range) -> list[tuple[int, ImageFacts | str]]:
        return [(row, _or_reason(probe_image, paths[row])) for row in rows]

    for results in _in_order(probe, len(paths), _FILES_A_TASK, "reading headers", progress):
        for row, result in results:
            if isinstance(result, str):
                failed.append((row, result))
            else:
                facts[row] = result
    return facts, failed


def _or_reason(function: Callable[[str], T], path: str) -> T | str:
    try:
        return function(path)
    except DataError as error:
        return error.what


def choose_decoding(facts: Sequence[ImageFacts | None], image_size: tuple[int, int] | None) -> tuple[Decoding, str]:
    """The size and channels for a set of files, and a note where images have to be resized.

    Args:
        facts: What `survey` found; at least one file could be read.
        image_size: (height, width) asked for, or None.

    Returns:
        The decoding; RGB as soon as one file has colour. The note may be empty.
    """
    known = [each for each in facts if each is not None]
    channels = max(each.channels for each in known)
    sizes = {(each.height, each.width) for each in known}
    if image_size is not None:
        return Decoding(channels, *image_size), ""
    height, width = next(iter(sizes))
    if len(sizes) == 1 and height <= KEPT_SIDE and width <= KEPT_SIDE:
        return Decoding(channels, height, width), ""
    shorter = int(np.median([min(each.height, each.width) for each in known]))
    side = max(_SMALLEST_SIDE, min(DEFAULT_SIDE, shorter))
    what = f"the images have {len(sizes):,} sizes" if len(sizes) > 1 else f"the images are {height} x {width}"
    return Decoding(channels, side, side), f"{what}: the middle of each was cut out and resized to {side} x {side}"


def decode_rows(
    paths: Sequence[str], decoding: Decoding, append: Callable[[Images], None], progress: Progress | None
) -> list[tuple[int, str]]:
    """Decode files and hand the images on in order, some at a time.

    Args:
        paths: The files.
        decoding: The size and channels.
        append: Called from this thread with uint8 (n, H, W, C), the files that could be decoded.
        progress: Told "decoding images".

    Returns:
        The rows that could not be decoded, with the reason.
    """
    failed: list[tuple[int, str]] = []
    row_bytes = decoding.height * decoding.width * decoding.channels
    at_once = max(1, min(_FILES_A_TASK, _BYTES_A_TASK // row_bytes))

    def decode(rows: range) -> tuple[Images, list[tuple[int, str]]]:
        images = np.empty((len(rows), decoding.height, decoding.width, decoding.channels), dtype=np.uint8)
        good, bad = 0, []
        for row in rows:
            result = _or_reason(lambda path: decode_image(path, decoding), paths[row])
            if isinstance(result, str):
                bad.append((row, result))
            else:
                images[good] = result
                good += 1
        return images[:good], bad

    for images, bad in _in_order(decode, len(paths), at_once, "decoding images", progress):
        append(images)
        failed += bad
    return failed


def _in_order(
    work: Callable[[range], T], count: int, at_once: int, what: str, progress: Progress | None
) -> Iterator[T]:
    """Run ``work`` on ranges of rows on all cores; results come in order, and only a few wait at a time."""
    workers = os.cpu_count() or 1
    ranges = [range(start, min(start + at_once, count)) for start in range(0, count, at_once)]
    with ThreadPoolExecutor(workers, thread_name_prefix="seewell-decode") as pool, contextlib.ExitStack() as stack:
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting: list[Future[T]] = []
        for position, rows in enumerate(ranges):
            waiting.append(pool.submit(work, rows))
            if len(waiting) > 2 * workers or position == len(ranges) - 1:
                keep = 2 * workers if position < len(ranges) - 1 else 0
                while len(waiting) > keep:
                    yield waiting.pop(0).result()
                    if progress is not None:
                        done = ranges[position - len(waiting)].stop
                        progress(what, done, count)
