"""How the cost of a training grows with the number of images, their size, the batch and the cores.

    .venv/bin/python bench/scaling.py [--axes images,size,batch,cores] [--rounds 3] [--network convnet] [--steps 100]
                                      [--out FILE] [--anew] [--report]

Every point is `seewell train` on random images (which cost the same as real ones) in a process of its own; each round
goes through all points, beginning with another one each time. Along `images` and `cores` the updates stay the same, so
that what grows is reading, validation and the final measurements; along `batch` an update is one batch, and small
batches get more updates (3,000 images in all, at least), since the loop shares many quick updates among few calls.
Prints seconds of the command and of training, images a second and peak memory (means over the rounds), and the exponent
with which each grows along its axis: 1 is proportional, 0 is no growth.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from speed import pictures
from speed.figures import growth
from speed.processes import all_cores, train, write_images
from speed.record import Record, add_arguments

IMAGES = 3000
"""Along `batch`, so many are trained on at least."""
BASE = {"images": 5000, "size": 32, "batch": 100, "cores": None}


def points(axes, network, small):
    """Axis to the points along it: a value, and what it changes of `BASE`."""
    cores = len(all_cores())
    values = {
        "images": (1000, 5000, 20_000, 45_000),
        "size": (16, 32, 64, 128),
        "batch": (1, 10, 100, 1000),
        "cores": tuple(range(1, cores + 1)),
    }
    if small:
        values = {"images": (200, 400), "size": (16, 32), "batch": (10, 20), "cores": values["cores"][:2]}
    base = {**BASE, "images": 400, "size": 16, "batch": 20} if small else BASE
    return {axis: [(value, {**base, axis: value}) for value in values[axis]] for axis in axes}


def updates(axis, point, steps):
    """Updates at a point: along ``batch`` enough for 3,000 images."""
    return max(steps, round(IMAGES / point["batch"])) if axis == "batch" else steps


def measure(point, network, steps, folder):
    """One training: what it cost."""
    path = Path(folder) / f"{point['images']}-{point['size']}.npz"
    if not path.exists():
        write_images(path, point["images"], point["size"])
    cores = all_cores()[: point["cores"]] if point["cores"] else None
    options = ["--network", network, "--steps", str(steps), "--batch-size", str(point["batch"])]
    found, said = train(path, options, cores)
    return {
        "command_seconds": found.seconds,
        "training_seconds": said["seconds_training"],
        "images_per_second": said["images_per_second"],
        "seconds_an_update": point["batch"] / said["images_per_second"],
        "peak_megabytes": found.peak_bytes / 2**20,
    }


MEASURES = {
    "images": "command_seconds",
    "size": "seconds_an_update",
    "batch": "seconds_an_update",
    "cores": "images_per_second",
}
"""What is drawn and whose growth is told, along each axis."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", default="images,size,batch,cores")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--small", action="store_true", help="few and small points, to see that it works")
    add_arguments(parser, "scaling")
    given = parser.parse_args()
    settings = {name: getattr(given, name) for name in ("network", "steps", "small")}
    record = Record(given.out, settings, anew=given.anew, report=given.report)
    along = points(given.axes.split(","), given.network, given.small)
    every = [(axis, value, point) for axis, found in along.items() for value, point in found]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(0 if given.report else given.rounds):
            start = number % len(every)
            for axis, value, point in every[start:] + every[:start]:
                key = f"{axis} {value}, {number}"
                if key not in record:
                    steps = updates(axis, point, given.steps)
                    record.add(key, measure(point, given.network, steps, folder))
    drawn = []
    for axis, found in along.items():
        print(f"\n{axis}")
        sizes, middles = [], []
        for value, _ in found:
            rounds = record.rounds(f"{axis} {value}", given.rounds)
            if not rounds:
                continue
            mean = {name: statistics.fmean(one[name] for one in rounds) for name in rounds[0]}
            print(
                f"  {value:>7,}   command {mean['command_seconds']:6.1f} s   training {mean['training_seconds']:6.1f} s"
                f"   {mean['images_per_second']:8.1f} images/s   update {1e3 * mean['seconds_an_update']:8.1f} ms"
                f"   peak {mean['peak_megabytes']:,.0f} MB"
            )
            sizes.append(value)
            middles.append(mean[MEASURES[axis]])
        measure_said = MEASURES[axis].replace("_", " ")
        if len(sizes) > 1:
            print(f"  {measure_said} grows with an exponent of {growth(sizes, middles):.2f}")
        drawn.append(
            (f"{axis}: {measure_said}", axis, measure_said, list(zip(sizes, middles, strict=True)), axis != "cores")
        )
    drawn = [one for one in drawn if one[3]]
    if not drawn:
        sys.exit(f"{given.out} holds nothing of what was asked for")
    pictures.panels(drawn, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
