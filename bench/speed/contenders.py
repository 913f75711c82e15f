"""Who takes part in the throughput bench: names, modules and settings, as plain data."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from speed.conversation import ONEDNN


@dataclass(frozen=True)
class Entry:
    """One contender.

    Attributes:
        name: As it is printed.
        maker: "seewell", "Keras", "PyTorch" or "series".
        module: Of this package; run in a process of its own.
        precision: "float32" or "bfloat16".
        settings: What it needs besides network, batch size and mode.
        variables: Of its process's environment, on top of the bench's own.
    """

    name: str
    maker: str
    module: str
    precision: str
    settings: dict[str, Any] = field(default_factory=dict, hash=False)
    variables: dict[str, str] = field(default_factory=dict, hash=False)


KERAS_WAYS = {
    "training": {"usual": "fit", "tuned": "fit tuned"},
    "inference": {"usual": "predict", "tuned": "compiled call"},
}


def entries(mode, precisions, *, torch, onednn_by_default):
    """All contenders of a mode.

    Where TensorFlow does not turn oneDNN on by itself, Keras takes part with and without; elsewhere both are the same.
    The series' graph is left to TensorFlow's own default.

    Args:
        mode: "training" or "inference".
        precisions: Those to measure; seewell answers in float32 whatever it was trained in.
        torch: Whether PyTorch is there.
        onednn_by_default: Whether TensorFlow turns oneDNN on by itself here.
    """
    found = []
    for precision in precisions:
        own = {"precision": precision}
        if mode == "training" or precision == "float32":
            found.append(Entry(f"seewell {precision}", "seewell", "seewell_contender", precision, own, ONEDNN))
        for way, said in KERAS_WAYS[mode].items():
            name, settings = f"Keras {said} {precision}", {**own, "way": way}
            found.append(Entry(f"{name}, oneDNN", "Keras", "keras_contender", precision, settings, ONEDNN))
            if not onednn_by_default:
                found.append(Entry(name, "Keras", "keras_contender", precision, settings))
        for compiled in (False, True) if torch else ():
            said = "compiled" if compiled else "eager"
            settings = {**own, "compile": compiled}
            found.append(Entry(f"PyTorch {said} {precision}", "PyTorch", "torch_contender", precision, settings))
    found.append(Entry("TensorFlow 1 graph, feed_dict", "series", "tf1_contender", "float32"))
    return found


def precisions(asked, has_bfloat16):
    """The precisions to measure: "auto" leaves bfloat16 out where the processor would only imitate it."""
    if asked != "auto":
        return tuple(asked.split(","))
    return ("float32", "bfloat16") if has_bfloat16 else ("float32",)


def summarize(speeds, chosen, *, peaks, multiply_adds):
    """The rows of a cell, and ours against the best rival.

    Args:
        speeds: Entry to images a second, one number a round.
        chosen: The precision that seewell takes by itself.
        peaks: Precision to multiply-adds a second, the median over the rounds; None where it was not found.
        multiply_adds: Of the work on one image.

    Returns:
        A row an entry, with the ratios ours/theirs of each round; and the row of the fastest of Keras and PyTorch.
        Without seewell there are no ratios (None) and no best rival.
    """
    own = {entry.precision: values for entry, values in speeds.items() if entry.maker == "seewell"}
    ours = own.get(chosen) or next(iter(own.values()), None)
    rows = []
    for entry, values in speeds.items():
        middle = statistics.median(values)
        rows.append(
            {
                "name": entry.name,
                "maker": entry.maker,
                "precision": entry.precision,
                "variables": entry.variables,
                "images_per_second": values,
                "median": middle,
                "ours_to_theirs": None if ours is None else [a / b for a, b in zip(ours, values, strict=True)],
                "ours": values is ours,
                "share_of_peak": middle * multiply_adds / peak if (peak := peaks[entry.precision]) else None,
            }
        )
    rivals = [] if ours is None else [row for row in rows if row["maker"] in ("Keras", "PyTorch")]
    return rows, max(rivals, key=lambda row: row["median"], default=None)
