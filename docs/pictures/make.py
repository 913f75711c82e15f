"""Make the pictures of README and docs.

    .venv/bin/python docs/pictures/make.py [RUN]

Trains on the digits (or takes RUN), and writes beside this file: terminal.svg (what
`seewell train digits` says at the end), convnet.svg, vgg16.svg, vgg-small.svg (layers as
blocks), centring.png, initializers.png, optimizers.png and optimizers.gif (the lab's).
"""

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).resolve().parent


def terminal(run, path):
    from seewell.report.terminal import print_result

    console = Console(record=True, width=88, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text("$ seewell train digits", style="bold"))
    print_result(console, run)
    svg = console.export_svg(title="seewell", theme=MONOKAI)
    # The export names web fonts; a picture must not ask a server for anything.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    path.write_text(svg, encoding="utf-8")


def blocks(name, path):
    from seewell.networks.layer_table import layer_table
    from seewell.networks.registry import architecture, build_network
    from seewell.report.blocks import draw_blocks

    known = architecture(name)
    model = build_network(name, input_shape=known.example_shape, num_classes=known.example_classes)
    size = "×".join(map(str, known.example_shape))
    draw_blocks(layer_table(model), f"{name}, {size}, {known.example_classes:,} classes", path)


def main():
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    import seewell
    from seewell.lab import centring, initializer_picture, initializers, optimizers

    with tempfile.TemporaryDirectory() as folder:
        run = seewell.open_run(sys.argv[1]) if len(sys.argv) > 1 else seewell.train("digits", out=f"{folder}/run")
        terminal(run, HERE / "terminal.svg")
    for name in ("convnet", "vgg16", "vgg-small"):
        blocks(name, HERE / f"{name}.svg")
    centring.draw(HERE / "centring.png")
    initializer_picture.draw(initializers.look(seewell.load_dataset("digits")), HERE / "initializers.png")
    optimizers.draw(HERE / "optimizers.png", HERE / "optimizers.gif")


if __name__ == "__main__":
    main()
