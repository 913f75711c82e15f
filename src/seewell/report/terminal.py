"""What the terminal says at the end of a training; prints to a given console and does nothing else."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seewell.findings import Finding, by_importance
from seewell.report.checkpoints import checkpoints_in_a_line, print_checkpoints
from seewell.report.words import (
    ErrorParts,
    describe_accuracy,
    describe_error,
    error_parts,
    headline,
    interval_text,
    is_negligible,
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
    from seewell.runs.run import Run

__all__ = ["print_command", "print_diagnosis", "print_findings", "print_result", "print_run"]

_COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_PART_STYLES = (("accuracy", "bright_black"), ("variance", "yellow"), ("bias", "magenta"), ("target error", "white"))
_BAR = 60
_MOST_SYMPTOMS, _MOST_REMEDIES = 4, 2


def print_result(console: Console, run: "Run", *, defaults: Mapping[str, Any] | None = None) -> None:
    """Everything that a training says when it ends.

    Test accuracy with its interval, the errors as bias and variance, the
    findings, the one next thing to try with its command, and where everything
    lies. A run that stopped early is told as far as it came.

    Args:
        console: Where to print; made for 80 columns and more.
        run: The run.
        defaults: Settings that the next command need not say, such as its recipe's.
    """
    console.print()
    console.print(_summary(run))
    console.print()
    print_findings(console, run.findings)
    step = next_step(run.findings, run, defaults=defaults)
    console.print(Text("Try next", style="bold"))
    console.print(Padding(Text(step.sentence), (0, 0, 0, 2)))
    if step.command:
        print_command(console, step.command)
    console.print()
    _print_places(console, run)


def print_run(console: Console, run: "Run") -> None:
    """A kept run for ``runs show``: what it is, how good it is, what was found, where it lies."""
    info, summary = run.info, result_of(run)
    data = info.get("dataset") or {}
    rows = [
        ("run", printable(info.get("name") or run.path.name)),
        ("made", printable(str(info.get("created") or "")[:16].replace("T", " "))),
        ("data", f"{printable(data.get('name', ''))}, {len(run.classes)} classes"),
        ("network", printable(summary.get("network") or (info.get("config") or {}).get("network") or "")),
        ("parameters", number(summary.get("parameters"))),
        ("updates", f"{number(summary.get('steps'))} ({number(summary.get('epochs'))} epochs)"),
        ("training took", seconds_text(summary.get("seconds_training"))),
        ("precision", printable(summary.get("precision") or "")),
    ]
    console.print(_pairs([row for row in rows if row[1] and not row[1].startswith("–")]))
    console.print()
    console.print(_summary(run))
    console.print()
    _print_settings(console, info)
    for note in data.get("notes") or []:
        console.print(Text(f"note: {printable(note)}", style="yellow"))
    print_checkpoints(console, run)
    print_findings(console, run.findings)
    _print_places(console, run)


def _print_settings(console: Console, info: Mapping[str, Any]) -> None:
    """Every setting that has a value, with the reason where seewell chose it."""
    reasons = {choice["setting"]: choice["reason"] for choice in info.get("choices") or []}
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for heading in ("setting", "value", "why"):
        table.add_column(heading, header_style="dim", overflow="fold")
    for name, value in (info.get("config") or {}).items():
        if value not in (None, {}):
            shown = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
            shown = ", ".join(map(str, shown)) or "none" if isinstance(shown, list) else shown
            table.add_row(name, Text(printable(shown)), Text(printable(reasons.get(name, "")), style="dim"))
    console.print(Text("Settings", style="bold"))
    console.print(Padding(table, (0, 0, 1, 2)))


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Findings in order of importance; prints nothing where there are none.

    Each with code, severity, layer, sentence, what was measured against what
    was expected, the symptoms that it explains and the first remedies; of what
    is only worth knowing, the sentence and one remedy.
    """
    if not findings:
        return
    console.print(Text("Findings", style="bold"))
    for finding in by_importance(list(findings)):
        console.print(Padding(_finding(finding), (0, 0, 1, 2)))


def print_diagnosis(console: Console, findings: Sequence[Finding], limits: Sequence[str]) -> None:
    """Findings without a result around them, and what could not be judged.

    Args:
        console: Where to print.
        findings: What was found.
        limits: A sentence for each thing that was not judged.
    """
    if not any(finding.severity != "info" for finding in findings):
        console.print(Text("Nothing was found that asks for a change."))
    print_findings(console, findings)
    for limit in limits:
        console.print(Text(f"not judged: {printable(limit)}", style="dim"))


def print_command(console: Console, command: str) -> None:
    """A command on a line of its own, never broken by us, so that it can be copied."""
    console.print(Text(f"  {printable(command)}", style="bold cyan"), soft_wrap=True, highlight=False)


def _summary(run: "Run") -> Group:
    summary = result_of(run)
    counts = (run.info.get("dataset") or {}).get("counts") or {}
    parts = error_parts(summary)
    first = Text(headline(summary, counts), style="bold")
    lines: list[RenderableType] = [first]
    interval = interval_text(summary.get("test_interval"))
    if interval:
        lines.append(Text(interval, style="dim"))
    if summary.get("stopped"):
        told = describe_accuracy({"stopped": summary["stopped"]}, {}, None)
        lines += [Text(sentence, style="yellow") for sentence in told]
    if any(error is not None for error in (parts.training, parts.validation, parts.test)):
        lines += [
            Text(),
            _error_table(parts),
            *_bar(parts),
            Text(),
            Text(describe_error(parts, counts.get("validation"))),
        ]
    return Group(*lines)


def _error_table(parts: ErrorParts) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("accuracy", justify="right")
    table.add_column("error", justify="right")
    table.add_column("")
    rows = (
        ("training", parts.training, f"bias {points(parts.bias)} over the target of {percent(parts.target)}"),
        ("validation", parts.validation, _variance_words(parts)),
        ("test", parts.test, ""),
    )
    for split, error, words in rows:
        if error is None:
            table.add_row(split, "–", "–", Text("not measured", style="dim"))
        else:
            table.add_row(split, percent(1 - error), percent(error), words if "–" not in words else "")
    return table


def _variance_words(parts: ErrorParts) -> str:
    better = parts.variance is not None and parts.variance < 0
    return f"variance {points(parts.variance)} {'(better than training)' if better else 'over training'}"


def _bar(parts: ErrorParts) -> list[RenderableType]:
    """The error's parts as one bar (LTFN 12); nothing where there is no error to divide."""
    stacked = parts.stacked()
    if stacked is None or stacked[0] >= 1:
        return []
    error = 1 - stacked[0]
    bar, legend = Text(), Text()
    for (name, style), share in list(zip(_PART_STYLES, stacked, strict=True))[1:]:
        cells = round(share / error * _BAR)
        bar.append("█" * cells, style=style)
        if share > 0:
            legend.append("█ ", style=style)
            legend.append(f"{name} {percent(share)}   ")
    return [Text(), Text(f"The validation error of {percent(error)} is made of", style="dim"), bar, legend]


def _finding(finding: Finding) -> Group:
    lines = [_title(finding), Text(printable(finding.message))]
    if finding.severity == "info" and not finding.evidence:
        return _indented([*lines, *_remedies(finding, most=0 if is_negligible(finding) else 1)])
    measured = f"measured {measured_text(finding.measured)}"
    lines.append(
        Text(measured + (f", expected {printable(finding.expected)}" if finding.expected else ""), style="dim")
    )
    for symptom in finding.evidence[:_MOST_SYMPTOMS]:
        told = Text("└ ", style="dim")
        told.append(printable(symptom.code), style="bold")
        told.append(f"  {printable(symptom.message)}", style="dim")
        lines.append(told)
    hidden = len(finding.evidence) - _MOST_SYMPTOMS
    if hidden > 0:
        lines.append(Text(f"└ and {hidden} more", style="dim"))
    return _indented([*lines, *_remedies(finding, most=_MOST_REMEDIES)])


def _title(finding: Finding) -> Text:
    title = Text("● ", style=_COLOURS[finding.severity])
    title.append(printable(finding.code), style="bold")
    title.append(f"  {finding.severity}", style=_COLOURS[finding.severity])
    if finding.layer:
        title.append(f"  in {printable(finding.layer)}")
    return title


def _remedies(finding: Finding, *, most: int) -> list[Text]:
    lines = []
    for place, remedy in enumerate(finding.remedies[:most]):
        told = Text("first remedy: " if place == 0 else "or: ", style="dim")
        told.append(printable(remedy.text), style="none")
        lines.append(told)
        if remedy.option:
            lines.append(Text(printable(remedy.option), style="cyan"))
    return lines


def _indented(lines: Sequence[Text]) -> Group:
    return Group(*(Padding(line, (0, 0, 0, 0 if place == 0 else 2)) for place, line in enumerate(lines)))


def _print_places(console: Console, run: "Run") -> None:
    path = printable(run.path)
    commands = (
        (f"seewell report {shlex.quote(path)}", "the same as a page, with pictures"),
        (f"seewell predict {shlex.quote(path)} IMAGE", "use it on an image"),
    )
    width = max(len(command) for command, _ in commands)
    console.print(Text("Everything lies in", style="bold"))
    console.print(Text(f"  {path}"), soft_wrap=True, highlight=False)
    kept = checkpoints_in_a_line(run.path)
    if kept:
        console.print(Text(f"  {kept}", style="dim"), soft_wrap=True)
    for command, words in commands:
        line = Text(f"  {command.ljust(width)}", style="cyan")
        line.append(f"   {words}", style="dim")
        console.print(line, soft_wrap=True, highlight=False)


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    return table
