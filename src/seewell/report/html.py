"""The report as one HTML file that needs no network and no script."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from seewell.config import TrainConfig
from seewell.files import write_atomically
from seewell.findings import Finding, by_importance
from seewell.report.command_line import command_of_run
from seewell.report.facts import Facts, best_step, gather
from seewell.report.words import (
    describe_accuracy,
    describe_error,
    describe_remainder,
    error_parts,
    headline,
    interval_text,
    measured_text,
    next_step,
    number,
    percent,
    points,
    printable,
    result_of,
    seconds_text,
)

if TYPE_CHECKING:
    from seewell.data.dataset import ImageDataset
    from seewell.runs.run import Run

__all__ = ["render", "write_report"]


def write_report(run: "Run", path: str | Path, *, dataset: "ImageDataset | None" = None) -> Path:
    """Write a run's report as one self-contained HTML file, replaced atomically.

    Args:
        run: The run; one that stopped early is reported as far as it came.
        path: The file to write. Its folder must exist.
        dataset: The run's data, where the caller has it; read from the run's source otherwise.

    Returns:
        The path.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(path)
    page = render(gather(run, dataset))
    with write_atomically(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def render(facts: Facts) -> str:
    """The page as text.

    Every text that comes from outside is escaped by the template and freed of
    control characters here; only drawings of our own are passed as markup.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else printable(value),
    )
    environment.filters.update(percent=percent, number=number, points=points)
    return environment.get_template("report.html").render(
        **_result(facts), **_pictures(facts), **_origin(facts), notes=facts.notes
    )


def _result(facts: Facts) -> dict[str, Any]:
    run, summary = facts.run, result_of(facts.run)
    counts = (run.info.get("dataset") or {}).get("counts") or {}
    parts = error_parts(summary)
    return {
        "name": run.info.get("name") or run.path.name,
        "created": str(run.info.get("created") or ""),
        "headline": headline(summary, counts),
        "interval": interval_text(summary.get("test_interval")),
        "sentences": describe_accuracy(summary, counts, len(run.classes) or None),
        "remainder": describe_remainder(summary, counts),
        "failed": bool(summary.get("stopped")) and summary.get("validation_accuracy") is None,
        "next": next_step(run.findings, run),
        "parts": parts,
        "error_words": describe_error(parts, counts.get("validation")),
        "errors": [
            {
                "split": split,
                "count": counts.get(key),
                "accuracy": summary.get(f"{key}_accuracy"),
                "error": error,
                "loss": summary.get(f"{key}_loss"),
            }
            for split, key, error in (
                ("training", "train", parts.training),
                ("validation", "validation", parts.validation),
                ("test", "test", parts.test),
            )
        ],
        "findings": [_finding(finding) for finding in by_importance(list(run.findings))],
        "effort": _effort(summary),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "layer": finding.layer,
        "message": finding.message,
        "measured": measured_text(finding.measured),
        "expected": finding.expected,
        "threshold_source": finding.threshold_source,
        "evidence": [
            {"code": one.code, "message": one.message, "measured": measured_text(one.measured)}
            for one in finding.evidence
        ],
        "remedies": [
            {"text": one.text, "option": one.option, "keras": one.keras.splitlines()} for one in finding.remedies
        ],
    }


def _effort(summary: Any) -> list[tuple[str, str]]:
    rows = [
        ("parameters", number(summary.get("parameters"))),
        ("updates", number(summary.get("steps"))),
        ("epochs", number(summary.get("epochs"))),
        ("training took", seconds_text(summary.get("seconds_training"))),
        ("images a second", number(summary.get("images_per_second"))),
        ("precision", str(summary.get("precision") or number(None))),
        ("seed", str(summary.get("seed", number(None)))),
    ]
    return [row for row in rows if row[1] != number(None)]


def _pictures(facts: Facts) -> dict[str, Any]:
    from seewell.report import blocks, matrix, pictures, plots

    run, evaluation, shown = facts.run, facts.evaluation, facts.shown
    step = best_step(run)
    drawn: dict[str, Any] = {
        "bars": Markup(plots.error_bars(error_parts(run.summary))),
        "curves": [
            Markup(curve)
            for curve in (
                plots.learning_curve(run.history, "accuracy", best_step=step),
                plots.learning_curve(run.history, "loss", best_step=step),
            )
            if curve
        ],
        "layers": facts.layers,
        "blocks": Markup(blocks.blocks_svg(facts.layers, "the network") if facts.layers else ""),
        "totals": [sum(getattr(row, name) for row in facts.layers) for name in ("weights", "biases", "multiply_adds")],
        "split": facts.split,
        "evaluation": evaluation,
        "matrix": "",
        "confusions": [],
        "class_plot": "",
        "mistakes": [],
        "disputed": [],
        "mean_image": pictures.mean_image(facts.training.images) if facts.training is not None else "",
    }
    if facts.validation is not None:
        drawn["disputed"] = pictures.disputed_labels(
            facts.label_issues, facts.validation.images, run.classes, paths=facts.validation.paths
        )
    if evaluation is not None:
        drawn["matrix"] = Markup(matrix.confusion_matrix(evaluation.confusion, run.classes))
        drawn["confusions"] = matrix.frequent_confusions(evaluation.confusion, run.classes)
        drawn["class_plot"] = Markup(matrix.class_accuracies(evaluation.per_class))
        if shown is not None:
            drawn["mistakes"] = pictures.confident_mistakes(
                evaluation.labels, evaluation.probabilities, shown.images, run.classes, paths=shown.paths
            )
    return drawn


def _origin(facts: Facts) -> dict[str, Any]:
    info = facts.run.info
    told = info.get("dataset") or {}
    return {
        "command": command_of_run(info),
        "dataset": {
            "name": told.get("name", ""),
            "source": told.get("source", ""),
            "shape": "×".join(str(extent) for extent in told.get("image_shape") or ()),
            "fingerprint": told.get("fingerprint") or "",
            "notes": told.get("notes") or (),
        },
        "classes": list(facts.run.classes),
        "settings": _settings(info),
        "versions": _pairs(info.get("versions")),
        "machine": _pairs(info.get("machine")),
    }


def _settings(info: Any) -> list[tuple[str, str, str]]:
    """Each setting with its value and where it comes from; automatic choices carry their reason."""
    reasons = {
        str(choice["setting"]).replace("-", "_"): (choice.get("value"), str(choice.get("reason", "")))
        for choice in info.get("choices") or []
    }
    standard, said = TrainConfig().to_dict(), shlex.split(command_of_run(info))
    rows = []
    for name, value in {**(info.get("config") or {}), **{key: told for key, (told, _) in reasons.items()}}.items():
        if value is None or value == {}:
            continue
        option = "--network" if name == "network_arguments" else f"--{name.replace('_', '-')}"
        if name in reasons:
            origin = reasons[name][1]
        elif option in said:
            origin = "given"
        else:
            recipe_said = "--recipe" in said and standard.get(name) != value
            origin = "from the recipe" if recipe_said else "default"
        rows.append((name.replace("_", " "), _value(value), origin))
    return rows


def _pairs(values: Any) -> list[tuple[str, str]]:
    return [(str(name).replace("_", " "), _value(value)) for name, value in (values or {}).items() if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value) or "none"
    return number(value) if isinstance(value, float) else str(value)
