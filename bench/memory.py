"""Peak memory of a training against the size of its data.

    SEEWELL_DATA=… .venv/bin/python bench/memory.py [SOURCE] [-- more options of seewell train]
    .venv/bin/python bench/memory.py --curve [--counts 1000,10000,20000,45000] [--rounds 3] [--out FILE] [--anew]

Memory is the largest resident size of the process, beside that of importing TensorFlow alone. The first form runs
`seewell train SOURCE --network convnet --steps 50` (or your options) once. The second trains on random 32x32x3 images,
as many as `--counts` says, each in a process of its own; a line through the points tells how many bytes each byte of
images costs (1 is one copy in memory) and what a training takes without any.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from speed import pictures
from speed.processes import measured, train, write_images
from speed.record import Record, add_arguments

OPTIONS = ["--network", "convnet", "--steps", "50"]
MEGABYTE = 2**20


def line(data, peaks):
    """Slope and offset of the line through points, by least squares.

    >>> [round(float(one), 6) for one in line([1, 2, 3], [12, 14, 16])]
    [2.0, 10.0]
    """
    return np.polyfit(data, peaks, 1)


def once(source, options):
    bare = measured([sys.executable, "-c", "import tensorflow"]).peak_bytes
    found, _ = train(source, options)
    print(f"import tensorflow alone: {bare / MEGABYTE:,.0f} MB")
    print(f"seewell train {source} {' '.join(options)}: {found.peak_bytes / MEGABYTE:,.0f} MB")


def curve(record, counts, rounds, options, picture):
    bare = "import tensorflow, 0"
    if bare not in record:
        record.add(bare, measured([sys.executable, "-c", "import tensorflow"]).peak_bytes / MEGABYTE)
    print(f"import tensorflow alone: {record[bare]:,.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            start = number % len(counts)
            for count in counts[start:] + counts[:start]:
                if f"{count}, {number}" in record:
                    continue
                path = Path(folder) / f"{count}.npz"
                if not path.exists():
                    write_images(path, count, 32)
                found, _ = train(path, options)
                record.add(f"{count}, {number}", found.peak_bytes / MEGABYTE)
    data = [count * 32 * 32 * 3 / MEGABYTE for count in counts]
    peaks = [statistics.fmean(record[f"{count}, {number}"] for number in range(rounds)) for count in counts]
    for count, size, peak in zip(counts, data, peaks, strict=True):
        print(f"{count:>8,} images, {size:7.1f} MB: peak {peak:,.0f} MB (mean of {rounds})")
    if len(counts) > 1:
        slope, offset = line(data, peaks)
        print(f"each byte of images costs {slope:.2f} bytes; without images {offset:,.0f} MB")
    points = list(zip(data, peaks, strict=True))
    pictures.panels([("peak memory", "MB of images", "MB", points, False)], picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="cifar10")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--counts", default="1000,10000,20000,45000")
    parser.add_argument("--rounds", type=int, default=3)
    add_arguments(parser, "memory")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given, options = parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1 :] or OPTIONS
    if not given.curve:
        once(given.source, options)
        return
    record = Record(given.out, {"options": options}, anew=given.anew)
    counts = [int(one) for one in given.counts.split(",")]
    curve(record, counts, given.rounds, options, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
