"""Accuracy over seeds: `seewell train SOURCE` once a seed, in a process each, as a user would.

    .venv/bin/python bench/accuracy.py digits --seeds 10 [-- options of seewell train]

Prints a line a seed, then mean, standard deviation and range of the test accuracy,
and the seconds of training and of the whole command. Settings are to be chosen on
validation accuracy (`--validation-only` hides the test figures for that).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def one_seed(source, seed, options):
    program = Path(sys.executable).with_name("seewell")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "train", source, "--seed", str(seed), "--out", f"{folder}/run", "--json", *options]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        whole = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout), whole


def spread(values):
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"mean {statistics.fmean(values):.4f}, deviation {deviation:.4f}, {min(values):.4f} to {max(values):.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--validation-only", action="store_true")
    parser.add_argument("options", nargs="*", help="after --: options of seewell train")
    given = parser.parse_args()
    rows = []
    for seed in range(given.seeds):
        result, whole = one_seed(given.source, seed, given.options)
        rows.append((result, whole))
        test = "" if given.validation_only else f"  test {result['test_accuracy']:.4f}"
        print(
            f"seed {seed}: validation {result['validation_accuracy']:.4f}{test}  training "
            f"{result['seconds_training']:.1f} s, whole command {whole:.1f} s",
            flush=True,
        )
    print(f"validation accuracy: {spread([r['validation_accuracy'] for r, _ in rows])}")
    if not given.validation_only:
        print(f"test accuracy:       {spread([r['test_accuracy'] for r, _ in rows])}")
    print(f"seconds of training: {spread([r['seconds_training'] for r, _ in rows])}")
    print(f"whole command:       {spread([whole for _, whole in rows])}")


if __name__ == "__main__":
    main()
