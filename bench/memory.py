"""Peak memory of a training: the largest resident size of the process, beside that of importing TensorFlow alone.

    SEEWELL_DATA=FOLDER .venv/bin/python bench/memory.py [SOURCE] [-- more options of seewell train]

Runs `seewell train SOURCE --network convnet --steps 50` (or your options) in a process of its own.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def peak_megabytes(command):
    """Peak resident size of one process; a fresh measuring process keeps earlier children out of the figure."""
    probe = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", probe, *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return int(done.stdout) * resource.getpagesize() // 4096 / 1024


def main():
    arguments = sys.argv[1:] or ["cifar10"]
    source, options = arguments[0], [one for one in arguments[1:] if one != "--"]
    options = options or ["--network", "convnet", "--steps", "50"]
    program = Path(sys.executable).with_name("seewell")
    bare = peak_megabytes([sys.executable, "-c", "import tensorflow"])
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "train", source, *options, "--out", f"{folder}/run", "--json"]
        peak = peak_megabytes(command)
    print(f"import tensorflow alone: {bare:,.0f} MB")
    print(f"seewell train {source} {' '.join(options)}: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
