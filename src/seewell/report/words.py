"""What a run's numbers say, as sentences; pure functions that the terminal and the page share."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seewell.data import names
from seewell.findings import Finding, by_importance
from seewell.report.command_line import command_of_run

__all__ = [
    "ErrorParts",
    "NextStep",
    "describe_accuracy",
    "describe_error",
    "describe_remainder",
    "error_parts",
    "headline",
    "interval_text",
    "is_negligible",
    "measured_text",
    "next_step",
    "number",
    "percent",
    "points",
    "printable",
    "result_of",
    "seconds_text",
    "shortened",
]

NOTHING = "–"
_CLOSE = 0.005
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte of a file name


@dataclass(frozen=True)
class ErrorParts:
    """The errors of a run and what they divide into (LTFN 12); each a fraction in [0, 1], or None where unknown.

    Attributes:
        training: Error on the training split, in inference mode.
        validation: Error on the validation split.
        test: Error on the test split.
        target: The error that could be reached at best.
    """

    training: float | None
    validation: float | None
    test: float | None
    target: float = 0.0

    @property
    def bias(self) -> float | None:
        """Training error − target error; negative where training beats the target."""
        return None if self.training is None else self.training - self.target

    @property
    def variance(self) -> float | None:
        """Validation error − training error; negative where validation is the better one."""
        return None if self.training is None or self.validation is None else self.validation - self.training

    def stacked(self) -> tuple[float, float, float, float] | None:
        """Accuracy, variance, bias and target error of the validation split, none negative, together 1.

        A negative part cannot be drawn; it counts as 0 and its neighbour becomes
        smaller by as much.

        Example:
            >>> [round(part, 2) for part in ErrorParts(0.16, 0.28, None).stacked()]
            [0.72, 0.12, 0.16, 0.0]
        """
        if self.training is None or self.validation is None:
            return None
        target = min(self.target, self.validation)
        bias = min(max(self.training - target, 0.0), self.validation - target)
        return 1 - self.validation, self.validation - target - bias, bias, target


@dataclass(frozen=True)
class NextStep:
    """The one next thing to try.

    Attributes:
        sentence: What to try, and why.
        command: The command for it; may be empty.
    """

    sentence: str
    command: str = ""


def printable(text: object) -> str:
    r"""A text from outside on one line: control characters and broken Unicode become escapes.

    Example:
        >>> printable("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    return names.printable(_LONE.sub("\ufffd", str(text)))


def shortened(name: object, most: int = 14) -> str:
    """A name from outside made printable and cut in its middle to at most ``most`` letters.

    Example:
        >>> shortened("a_very_long_class_name", 11)
        'a_ver…_name'
    """
    plain = printable(name)
    if len(plain) <= most:
        return plain
    front = most // 2
    return f"{plain[:front]}…{plain[len(plain) - (most - front - 1) :]}"


def number(value: float | None, digits: int = 4) -> str:
    """A number for people: thousands grouped, a few significant digits.

    Example:
        >>> number(979579.2), number(0.094512), number(1e-7), number(None)
        ('979,579', '0.09451', '1e-07', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}" if math.isfinite(value) else "infinite"
    return f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal; more where one would claim an exact 0 or 100.

    Example:
        >>> percent(0.986), percent(1.0), percent(0.9999), percent(None)
        ('98.6 %', '100 %', '99.99 %', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if value in (0.0, 1.0):
        return f"{value:.0%}".replace("%", " %")
    for digits in (1, 2, 3):
        text = f"{value * 100:.{digits}f}"
        if float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "> 99.999 %" if value > 0.5 else "< 0.001 %"


def points(value: float | None) -> str:
    """A difference of two fractions in percentage points.

    Example:
        >>> points(0.123), points(-0.004)
        ('12.3 points', '−0.4 points')
    """
    if value is None or math.isnan(value):
        return NOTHING
    rounded = round(value * 100, 1) + 0.0
    return f"{'−' if rounded < 0 else ''}{abs(rounded):.1f} points"


def interval_text(interval: Sequence[float] | None) -> str:
    """A 95 % interval in words, or an empty text.

    Example:
        >>> interval_text([0.968, 0.994])
        '95 % interval 96.8 to 99.4 %'
    """
    if not interval:
        return ""
    low, high = (percent(bound).removesuffix(" %") for bound in interval)
    return f"95 % interval {low} to {high} %"


def seconds_text(seconds: float | None) -> str:
    """A duration for people.

    Example:
        >>> seconds_text(8.25), seconds_text(75), seconds_text(7300)
        ('8.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def measured_text(measured: float | str | None) -> str:
    """A finding's measurement as a text."""
    return printable(measured) if isinstance(measured, str) else number(measured)


def result_of(run: Any) -> dict[str, Any]:
    """A run's summary, with "stopped" where its training ended before its time.

    Args:
        run: A `seewell.runs.run.Run`; only its ``summary`` and ``info`` are read.
    """
    summary = dict(run.summary)
    if run.info.get("stopped"):
        summary.setdefault("stopped", run.info["stopped"])
    return summary


def error_parts(summary: Mapping[str, Any]) -> ErrorParts:
    """The errors in a run's summary; entries that are missing become None."""

    def error(split: str) -> float | None:
        accuracy = summary.get(f"{split}_accuracy")
        return None if accuracy is None else 1 - accuracy

    return ErrorParts(error("train"), error("validation"), error("test"), summary.get("target_error") or 0.0)


def headline(summary: Mapping[str, Any], counts: Mapping[str, int | None]) -> str:
    """The result in one sentence: the test split's where there is one, else the validation split's.

    Args:
        summary: A run's summary; may be empty or hold only some entries.
        counts: Images in "train", "validation" and "test".

    Example:
        >>> headline({"test_accuracy": 0.986}, {"test": 360})
        '98.6 % of the 360 test images are classified correctly.'
    """
    for split in ("test", "validation"):
        accuracy = summary.get(f"{split}_accuracy")
        if accuracy is not None:
            count = counts.get(split)
            return (
                f"{percent(accuracy)} of the {f'{count:,} ' if count else ''}{split} images are classified correctly."
            )
    return "Training stopped before its result was measured." if summary.get("stopped") else "Nothing was measured yet."


def describe_accuracy(
    summary: Mapping[str, Any], counts: Mapping[str, int | None], num_classes: int | None
) -> list[str]:
    """What happened, in a few sentences below the headline."""
    sentences = []
    if summary.get("stopped"):
        sentences.append(f"Training ended early: {printable(summary['stopped'])}")
    interval = summary.get("test_interval")
    if interval:
        count = counts.get("test")
        sentences.append(
            f"Another {f'{count:,} ' if count else 'such set of '}test images would likely give a figure within that "
            f"interval: a change of less than about {points((interval[1] - interval[0]) / 2)} may be chance."
        )
    elif summary.get("test_accuracy") is None and summary.get("validation_accuracy") is not None:
        sentences.append(
            "There is no test split. The validation images helped to choose the kept network, "
            "so new images will likely do a little worse."
        )
    accuracy = summary.get("test_accuracy", summary.get("validation_accuracy"))
    if accuracy is not None and num_classes and accuracy < 1.5 / num_classes:
        sentences.append(f"Guessing among {num_classes} classes would give {percent(1 / num_classes)}.")
    return sentences


def describe_error(parts: ErrorParts, validation_count: int | None = None) -> str:
    """Bias and variance in words: which of the two the error is made of.

    Args:
        parts: The errors of a run.
        validation_count: Images in the validation split, for what chance alone gives.
    """
    bias, variance = parts.bias, parts.variance
    if bias is None or variance is None or parts.validation is None:
        return "Bias and variance are unknown: training and validation error were not both measured."
    numbers = (
        f"Bias is {points(bias)} (training error {percent(parts.training)}, target {percent(parts.target)}); "
        f"variance is {points(variance)} (validation error {percent(parts.validation)})."
    )
    if max(bias, variance) < _CLOSE:
        verdict = "Both are small: the network does nearly as well as it could on these images."
    elif bias >= 2 * variance:
        verdict = "Bias is the larger part: the network does not yet fit its own training images (underfitting)."
    elif variance >= 2 * bias:
        verdict = (
            "Variance is the larger part: the network knows its training images better than new ones (overfitting)."
        )
    else:
        verdict = "Both weigh about the same."
    chance = _chance(parts.validation, validation_count)
    if 0 < variance < chance and variance >= bias:
        verdict += f" With {validation_count:,} validation images, up to {points(chance)} can be chance."
    return f"{numbers} {verdict}"


def _chance(error: float, count: int | None) -> float:
    """Half the width of the 95 % interval of an error, by the normal approximation; 0 where the count is unknown."""
    return 1.96 * math.sqrt(max(error * (1 - error), 0.0) / count) if count else 0.0


def describe_remainder(summary: Mapping[str, Any], counts: Mapping[str, int | None]) -> str:
    """What remains: how many of the images are still wrong, or an empty text where nothing was measured.

    Example:
        >>> describe_remainder({"test_accuracy": 0.986}, {"test": 360})
        'What remains: 5 of 360 test images are classified wrongly, about 1 in 71.'
    """
    for split in ("test", "validation"):
        accuracy, count = summary.get(f"{split}_accuracy"), counts.get(split)
        if accuracy is None or not count:
            continue
        wrong = round((1 - accuracy) * count)
        if wrong == 0:
            return f"What remains: none of the {count:,} {split} images is classified wrongly."
        often = f", about 1 in {1 / (1 - accuracy):.0f}" if accuracy >= 0.5 else ""
        is_are = "is" if wrong == 1 else "are"
        return f"What remains: {wrong:,} of {count:,} {split} images {is_are} classified wrongly{often}."
    return ""


def next_step(findings: Sequence[Finding], run: Any, *, defaults: Mapping[str, Any] | None = None) -> NextStep:
    """The one next thing to try: the first remedy of the most important finding that asks for a change.

    Args:
        findings: What was found, in any order.
        run: A `seewell.runs.run.Run`; only its numbers are read.
        defaults: Settings that the command need not say (a recipe's, for example).

    Returns:
        A sentence and its command. Without remedies: after a cost that was not finite a tenth
        of the learning rate, after an interruption the way to go on, otherwise the same training
        with another seed, which shows how much of the result is luck.
    """
    for finding in by_importance(list(findings)):
        if finding.remedies and not is_negligible(finding):
            remedy = finding.remedies[0]
            command = command_of_run(run.info, option=remedy.option, defaults=defaults) if remedy.option else ""
            return NextStep(printable(remedy.text), command)
    summary = result_of(run)
    if summary.get("stopped") and summary.get("validation_accuracy") is None:
        return _after_stop(run, defaults)
    seed = int((run.info.get("config") or {}).get("seed") or 0) + 1
    return NextStep(
        "No finding asks for a change. Train again with another seed to see how much of the result is luck.",
        command_of_run(run.info, option=f"--seed {seed}", defaults=defaults),
    )


def is_negligible(finding: Finding) -> bool:
    """Whether a finding only gives a number that asks for no change: half a point of error or less."""
    return finding.severity == "info" and isinstance(finding.measured, float) and finding.measured < _CLOSE


def _after_stop(run: Any, defaults: Mapping[str, Any] | None) -> NextStep:
    if "finite" not in str(result_of(run)["stopped"]):
        return NextStep(
            "Go on from the last checkpoint.", command_of_run(run.info, option=f"--resume {shlex.quote(str(run.path))}")
        )
    rate = (run.info.get("config") or {}).get("learning_rate")
    if rate is None:
        return NextStep("Train again with a lower learning rate.")
    lower = f"{rate / 10:.3g}"
    return NextStep(
        f"Train again with a tenth of the learning rate ({lower}).",
        command_of_run(run.info, option=f"--learning-rate {lower}", defaults=defaults),
    )
