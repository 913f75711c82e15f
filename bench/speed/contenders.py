"""Who takes part in the throughput bench: names, modules and settings, as plain data."""

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One contender.

    Attributes:
        name: As it is printed.
        maker: "seewell", "Keras", "PyTorch" or "series".
        module: Of this package; run in a process of its own.
        precision: "float32" or "bfloat16".
        settings: What it needs besides network, batch size and mode.
    """

    name: str
    maker: str
    module: str
    precision: str
    settings: dict[str, Any] = field(default_factory=dict, hash=False)


KERAS_WAYS = {
    "training": {"usual": "fit", "tuned": "fit tuned"},
    "inference": {"usual": "predict", "tuned": "compiled call"},
}


def entries(mode, precisions, *, torch):
    """All contenders of a mode.

    Args:
        mode: "training" or "inference".
        precisions: Those to measure; seewell answers in float32 whatever it was trained in.
        torch: Whether PyTorch is there.
    """
    found = []
    for precision in precisions:
        own = {"precision": precision}
        if mode == "training" or precision == "float32":
            found.append(Entry(f"seewell {precision}", "seewell", "seewell_contender", precision, own))
        for way, said in KERAS_WAYS[mode].items():
            found.append(Entry(f"Keras {said} {precision}", "Keras", "keras_contender", precision, {**own, "way": way}))
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
        peaks: Precision to multiply-adds a second, the median over the rounds.
        multiply_adds: Of the work on one image.

    Returns:
        A row an entry, with the ratios ours/theirs of each round; and the row of the fastest of Keras and PyTorch.
    """
    own = {entry.precision: values for entry, values in speeds.items() if entry.maker == "seewell"}
    ours = own.get(chosen) or next(iter(own.values() or speeds.values()))
    rows = []
    for entry, values in speeds.items():
        middle = statistics.median(values)
        rows.append(
            {
                "name": entry.name,
                "maker": entry.maker,
                "precision": entry.precision,
                "images_per_second": values,
                "median": middle,
                "ours_to_theirs": [a / b for a, b in zip(ours, values, strict=True)],
                "ours": values is ours,
                "share_of_peak": middle * multiply_adds / peaks[entry.precision],
            }
        )
    rivals = [row for row in rows if row["maker"] in ("Keras", "PyTorch")]
    return rows, max(rivals, key=lambda row: row["median"], default=None)
