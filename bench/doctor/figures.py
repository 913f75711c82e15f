"""From the records of a trial to its figures: sensitivity, correct cause, false alarms, each with a 95 % interval."""

import math
import statistics

from faults import FAULTS
from scipy.stats import binomtest

from seewell.intervals import difference_interval

HURTS = 0.05  # of true accuracy lost against the twin, or of what validation says in error
GAP = 0.10  # between training and true accuracy: design.md calls more than that high variance
BORDER = "at the border of high variance"


def alarms(findings):
    """What counts: findings of severity warning or critical, in their order."""
    return [one for one in findings if one["severity"] != "info"]


def state(record):
    """ "healthy", "poor" or BORDER: what a training without a fault is, judged without the doctor.

    At the border neither can be said: the gap between training and true accuracy is below GAP, and its 95 % interval
    is not. Such trainings are counted by themselves, as those of an unsettled reference are (Bossuyt et al. 2015, STARD).
    """
    if not is_sane(record):
        return "poor"
    seen, true = record["seen_accuracy"], record["true_accuracy"]
    _, high = difference_interval(1 - true, record["true_count"], 1 - seen, record["seen_count"])
    return "poor" if seen - true >= GAP else BORDER if high >= GAP else "healthy"


def is_sane(record):
    """Whether a training without a fault learned something, and enough unless it was still learning."""
    history = record["history"]
    if record["crashed"] or not history:
        return False
    losses, accuracies = history["loss"], history["accuracy"]
    classes = 2 if record["setup"].get("balance") == "two" else 10
    learned = record["true_accuracy"] > 2.5 / classes if classes == 10 else record["true_accuracy"] > 0.7
    falling = len(losses) < 2 or losses[-1] < 0.97 * losses[-2]
    enough = accuracies[-1] > 0.5 * (1 + 1 / classes) or falling
    return all(map(math.isfinite, losses)) and learned and enough


def hurts(record, twin):
    """Whether a fault did harm: a crash, a poorer network, or a validation figure that is not true."""
    if record["crashed"]:
        return True
    if twin["true_accuracy"] - record["true_accuracy"] >= HURTS:
        return True
    told = record["history"].get("val_accuracy", [None])[-1]
    return told is None or not math.isfinite(told) or abs(told - record["true_accuracy"]) >= 0.1


def noticed(record):
    """Whether the doctor said that something is wrong."""
    return bool(alarms(record["findings"]) or record["refused"])


def named(record, findings=None, first=3):
    """Whether one of the first three alarms is a cause that names the fault rightly."""
    wanted = FAULTS[record["fault"]].codes
    found = alarms(record["findings"] if findings is None else findings)[:first]
    return any(one["code"] in wanted for one in found)


def share(right, count):
    """A share as text, with its exact 95 % interval (Clopper and Pearson 1934)."""
    if not count:
        return "none"
    interval = binomtest(right, count).proportion_ci(method="exact")
    return f"{right}/{count} = {right / count:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def sort_out(records):
    """Faulty trainings that hurt, those that do not, and those without a fault by their `state`."""
    by_key = {record["key"]: record for record in records}
    faulty = [r for r in records if r["fault"] and r["twin"] in by_key]
    hurting = [r for r in faulty if hurts(r, by_key[r["twin"]]) and is_sound(by_key[r["twin"]])]
    harmless = [r for r in faulty if r not in hurting]
    plain = {"healthy": [], BORDER: [], "poor": []}
    for record in records:
        if not record["fault"]:
            plain[state(record)].append(record)
    return hurting, harmless, plain


def is_sound(twin):
    """Whether a twin learned anything, so that harm can be seen."""
    return not twin["crashed"] and twin["true_accuracy"] > 0.25


def tell(records):
    """The figures as lines of text and as plain values."""
    hurting, harmless, plain = sort_out(records)
    fine, border = plain["healthy"], plain[BORDER]
    seen, right = [r for r in hurting if noticed(r)], [r for r in hurting if named(r)]
    early = [r for r in hurting if named(r, r["before"])]
    false = [r for r in fine if alarms(r["findings"])]
    early_false = [r for r in fine if alarms(r["before"])]
    share_of_time = [r["doctor_seconds"] / r["fit_seconds"] for r in fine if r["fit_seconds"] > 0]
    lines = [
        f"trainings: {len(hurting)} faulty of {len({r['fault'] for r in hurting})} kinds that hurt ({len(harmless)} more did not), "
        f"{len(fine)} healthy ({len(plain['poor'])} more turned out not to be, {len(border)} are {BORDER})",
        f"sensitivity:                      {share(len(seen), len(hurting))}",
        f"correct cause, first three:       {share(len(right), len(hurting))}",
        f"correct cause before training:    {share(len(early), len(hurting))}",
        f"false alarms:                     {share(len(false), len(fine))}",
        f"false alarms before training:     {share(len(early_false), len(fine))}",
        f"alarms {BORDER}: {sum(bool(alarms(r['findings'])) for r in border)}/{len(border)}",
    ]
    if share_of_time:
        lines.append(
            f"doctor's seconds / fit's (short trainings, {statistics.median(r['fit_seconds'] for r in fine):.1f} s in the median): "
            f"median {statistics.median(share_of_time):.3f}; examine, median {statistics.median(r['examine_seconds'] for r in fine):.1f} s"
        )
    values = {
        "faulty": len(hurting), "kinds": len({r["fault"] for r in hurting}), "harmless": len(harmless), "healthy": len(fine),
        "noticed": len(seen), "named": len(right), "named_before": len(early), "false": len(false),
    }  # fmt: skip
    return lines, values


def brief(record):
    """The codes of the alarms, critical ones marked."""
    codes = [one["code"] + ("!" if one["severity"] == "critical" else "") for one in alarms(record["findings"])]
    return ", ".join(codes) or "nothing"


def mistakes(records):
    """A line for each miss, wrong cause and false alarm."""
    hurting, harmless, plain = sort_out(records)
    for r in hurting:
        if not noticed(r):
            yield f"missed       {r['key']}: true {r['true_accuracy']:.2f}"
        elif not named(r):
            yield f"other cause  {r['key']}: {brief(r)} {r['refused'][:120]!r}"
    for r in plain["healthy"]:
        if alarms(r["findings"]):
            first = alarms(r["findings"])[0]
            yield f"false alarm  {r['key']}: {brief(r)} [{first['measured']}] {r['setup']}"
    for r in plain[BORDER]:
        yield f"border       {r['key']}: {r['seen_accuracy']:.3f} to {r['true_accuracy']:.3f}; {brief(r)}"
    for r in harmless:
        yield f"harmless     {r['key']}: true {r['true_accuracy']:.2f}; {brief(r)}"
    for r in plain["poor"]:
        losses = r["history"].get("loss", [0.0])
        yield f"not healthy  {r['key']}: true {r['true_accuracy']:.2f}, loss {losses[0]:.2f} to {losses[-1]:.2f}; {brief(r)} {r['crashed']}"
