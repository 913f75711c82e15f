"""Peak memory of a training against the size of its data.

    SEEWELL_DATA=… .venv/bin/python bench/memory.py [SOURCE] [-- more options of seewell train]
    .venv/bin/python bench/memory.py --curve [--counts 1000,50000,150000] [--rounds 3] [--out FILE] [--anew] [--report]

Memory is the largest resident size of the process, beside that of importing TensorFlow alone. The first form runs
`seewell train SOURCE --network convnet --steps 50` (or your options) once. The second trains on random 32x32x3 images,
as many as `--counts` says, each in a process of its own; a line through the points of all rounds tells how many bytes
each byte of images costs (1 is one copy in memory; with the 95 % interval of the slope) and what a training takes
without any.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from speed import pictures
from speed.figures import interval_text, line
from speed.processes import measured, train, write_images
from speed.record import Record, add_arguments

OPTIONS = ["--network", "convnet", "--steps", "50"]
MEGABYTE = 2**20


def once(source, options):
    bare = measured([sys.executable, "-c", "import tensorflow"]).peak_bytes
    found, _ = train(source, options)
    print(f"import tensorflow alone: {bare / MEGABYTE:,.0f} MB")
    print(f"seewell train {source} {' '.join(options)}: {found.peak_bytes / MEGABYTE:,.0f} MB")


def measure(record, counts, rounds, options):
    """What is not in the record yet."""
    bare = "import tensorflow, 0"
    if bare not in record:
        record.add(bare, measured([sys.executable, "-c", "import tensorflow"]).peak_bytes / MEGABYTE)
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


def tell(record, counts, rounds, picture):
    """Peaks, the line through all of them, and a picture."""
    if "import tensorflow, 0" in record:
        print(f"import tensorflow alone: {record['import tensorflow, 0']:,.0f} MB")
    means, points = [], []
    for count in counts:
        size, peaks = count * 32 * 32 * 3 / MEGABYTE, record.rounds(count, rounds)
        if peaks:
            means.append((size, statistics.fmean(peaks)))
            points += [(size, peak) for peak in peaks]
            print(f"{count:>8,} images, {size:7.1f} MB: peak {means[-1][1]:,.0f} MB (mean of {len(peaks)})")
    if len(means) > 1:
        slope, offset = line(*zip(*points, strict=True))
        print(f"each byte of images costs {interval_text(slope)} bytes; without images {offset:,.0f} MB")
    if means:
        pictures.panels([("peak memory", "MB of images", "MB", means, False)], picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="cifar10")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--counts", default="1000,50000,150000")
    parser.add_argument("--rounds", type=int, default=3)
    add_arguments(parser, "memory")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given, options = parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1 :] or OPTIONS
    if not (given.curve or given.report):
        once(given.source, options)
        return
    record = Record(given.out, {"options": options}, anew=given.anew, report=given.report)
    counts = [int(one) for one in given.counts.split(",")]
    if not given.report:
        measure(record, counts, given.rounds, options)
    tell(record, counts, given.rounds, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
