"""Make the pictures of docs/findings: every code's fault on the digits, beside its healthy twin.

    .venv/bin/python docs/pictures/findings.py [CODE …]

Without codes, all of them. Everything that is drawn is measured in this run; seeds
are fixed. Writes docs/findings/pictures/CODE.png and prints the seconds that each took: 184 in
all on two busy cores.
"""

import sys
import time
from pathlib import Path

PICTURES = Path(__file__).resolve().parents[1] / "findings" / "pictures"


def main():
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    # Each picture makes networks of its own; TensorFlow warns of graphs traced anew.
    tf.get_logger().setLevel("ERROR")
    from finding_pictures import data, drawing, loss, result, structure, symptoms

    from seewell.findings import CODES

    every = [code for group in CODES.values() for code in group]
    wanted = sys.argv[1:] or every
    unknown = sorted(set(wanted) - set(every))
    if unknown:
        sys.exit(f"no such code: {', '.join(unknown)}")
    began = time.perf_counter()
    for code in wanted:
        name = code.replace("-", "_")
        module = next(one for one in (data, structure, loss, symptoms, result) if hasattr(one, name))
        clock = time.perf_counter()
        drawing.save(getattr(module, name)(), PICTURES / f"{code}.png")
        print(f"{code}: {time.perf_counter() - clock:.1f} s", flush=True)
    print(f"{len(wanted)} pictures in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
