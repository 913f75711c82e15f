"""Certificates of every registered network in every format, at the size it was published with, as a table.

    .venv/bin/python bench/certificates.py                              # all; about 15 minutes on two idle cores
    .venv/bin/python bench/certificates.py --networks vgg16 --formats onnx litert

The networks are not trained: their weights are drawn, BatchNorm's statistics too, and the logits are scaled so that
no answer is certain (of an untrained network every format would give much the same). Preprocessing is mean-image,
the rule with the largest constant. Images are seeded. A row is printed as soon as it is known.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from seewell.config import TrainConfig
from seewell.data.decode import Decoding
from seewell.files import write_json
from seewell.quiet import import_tensorflow
from seewell.runs.export_sample import seeded_images
from seewell.runs.exporters import EXPORTERS
from seewell.runs.folder import FORMAT

HEAD = """| network | images | format | MB | largest difference | top class changed | ms alone | ms in batches of 32 |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"""


def telling_network(name):
    import keras

    from seewell.networks.preprocessing import fit_statistics
    from seewell.networks.registry import architecture, build_network

    entry = architecture(name)
    images = seeded_images(64, entry.example_shape)
    keras.utils.set_random_seed(0)
    network = build_network(
        name,
        input_shape=entry.example_shape,
        num_classes=entry.example_classes,
        preprocess="mean-image",
        statistics=fit_statistics(images),
    )
    rng = np.random.default_rng(0)
    for variable in network.variables:
        kind = variable.path.rpartition("/")[2]
        if kind == "moving_variance":
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif kind in ("moving_mean", "beta", "bias"):
            variable.assign(rng.normal(0, 0.1, variable.shape))
    logits = network.get_layer("logits")
    before = np.asarray(keras.Model(network.inputs[0], logits.output)(images[:16], training=False))
    logits.kernel.assign(logits.kernel * (2 / max(1e-6, float(before.std()))))
    return network


def make_run(folder, name):
    """A run folder with a network and nothing else: enough to export."""
    network = telling_network(name)
    folder.mkdir()
    network.save(folder / "network.keras")
    height, width, channels = network.input_shape[1:]
    classes = network.output_shape[1]
    dataset = {
        "source": None,
        "classes": [f"class {index}" for index in range(classes)],
        "image_shape": [height, width, channels],
        "fingerprint": None,
        "decoding": Decoding(channels=channels, height=height, width=width).to_dict(),
    }
    info = {"format": FORMAT, "name": name, "config": TrainConfig(network=name).to_dict(), "dataset": dataset}
    write_json(folder / "run.json", {**info, "result": {"network": name}})


def row(run, name, form, out):
    from seewell import SeewellError
    from seewell.runs.export import export

    size = "×".join(str(side) for side in run.info["dataset"]["image_shape"])
    try:
        found = export(run, form, out=out).certificate
    except SeewellError as problem:
        return f"| {name} | {size} | {form} | – | {problem.what} | – | – | – |"
    parity = found.parity
    return (
        f"| {name} | {size} | {form} | {found.bytes / 1e6:,.2f} | {parity.largest_difference:.1e} "
        f"| {parity.top_class_changed} of {parity.images} | {found.milliseconds_alone:,.2f} "
        f"| {found.milliseconds_batched:,.2f} |"
    )


def main():
    import_tensorflow()
    from seewell.networks.registry import list_networks
    from seewell.runs.run import Run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list_networks(), default=list_networks())
    parser.add_argument("--formats", nargs="+", choices=list(EXPORTERS), default=list(EXPORTERS))
    asked = parser.parse_args()
    print(HEAD, flush=True)
    for name in asked.networks:
        with tempfile.TemporaryDirectory() as folder:
            make_run(Path(folder) / name, name)
            run = Run(Path(folder) / name)
            for form in asked.formats:
                print(row(run, name, form, Path(folder) / "out"), flush=True)


if __name__ == "__main__":
    sys.exit(main())
