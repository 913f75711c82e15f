"""Do the last activation, the loss and the labels fit each other?"""

from dataclasses import replace

from seewell.doctor.statistics import OutputFacts, Structure
from seewell.findings import Finding, Severity

__all__ = ["judge_output"]

_SOURCE = "definition: cross-entropy is computed from probabilities, or from logits with from_logits=True"
_SQUASHING = ("softmax", "sigmoid", "log_softmax", "logsoftmax", "hard_sigmoid")
_MANY = 8
"""Outputs that are no logits if all lie in [0, 1]: each logit has either sign, so chance gives 1 / 2 ** 8."""
_MARGINS = ("hinge", "squaredhinge")
_CROSS_ENTROPIES = ("sparse", "categorical", "binary")


def judge_output(structure: Structure, form: str | None, answers: OutputFacts | None) -> list[Finding]:
    """The end of the network against the loss and the labels.

    Args:
        structure: The compiled model.
        form: How labels are written; None where there are none to see.
        answers: The network's answers on a batch; they tell what an unreadable last layer does.
    """
    last = _last(structure, answers)
    structure = structure if last is None else replace(structure, last_activation=last)
    found = _loss(structure, form)
    if structure.softmax_axis_wrong:
        found.append(
            _finding(
                structure,
                "output-activation-wrong",
                "critical",
                "The last softmax runs over the images of a batch, not over the classes of an image.",
                "softmax(axis=-1)",
            )
        )
    elif structure.doubled:
        found.append(
            _finding(
                structure,
                "output-activation-doubled",
                "critical",
                "Two squashing activations stand one after the other at the end: the answers are nearly flat "
                "and the gradient nearly gone.",
                "one softmax, or none with from_logits=True",
            )
        )
    elif structure.loss in _CROSS_ENTROPIES and last is not None:
        found += _activation(structure, last)
    return found


def _last(structure: Structure, answers: OutputFacts | None) -> str | None:
    """The last activation, from the answers where it cannot be read; None where that does not tell."""
    if structure.last_activation != "unknown":
        return structure.last_activation
    if answers is None or not answers.finite:
        return None
    if answers.probabilities and structure.outputs > 1:
        return "softmax"
    if not answers.unit_range:
        return "linear"
    # Logits may all lie in [0, 1] by chance where they are few, and where they start at zero.
    few = structure.outputs < (_MANY if structure.from_logits else 2)
    return None if few or answers.depends == 0.0 else "sigmoid"


def _activation(structure: Structure, last: str) -> list[Finding]:
    one, squashed = structure.outputs == 1, last in _SQUASHING
    if one and last == "softmax":
        message = "A softmax over one output always gives 1, whatever the image."
        return [_finding(structure, "output-activation-wrong", "critical", message, "sigmoid for one output")]
    if structure.from_logits and squashed:
        message = f"The network ends in {last}, and the loss applies it again (from_logits=True)."
        # Keras takes the softmax back where it can see it, with a warning; behind a cast it cannot.
        expected = f"from_logits=False, or no {last}"
        return [_finding(structure, "output-activation-doubled", "warning", message, expected)]
    if last == "linear":
        if structure.from_logits:
            return []
        wanted = "sigmoid" if structure.loss == "binary" else "softmax"
        message = f"The network ends without {wanted}, but the loss takes its numbers for probabilities."
        expected = wanted if structure.from_logits is None else f"{wanted}, or from_logits=True"
        return [_finding(structure, "output-activation-missing", "critical", message, expected)]
    if not squashed:
        message = f"The network ends in {last.replace('+', ' and then ')}, which cannot express every probability."
        severity: Severity = "warning" if structure.from_logits or last == "tanh+softmax" else "critical"
        return [_finding(structure, "output-activation-wrong", severity, message, "softmax, or nothing")]
    if last in ("sigmoid", "hard_sigmoid") and structure.loss != "binary" and not one:
        message = f"{last} judges each class by itself; with one class an image the answers should sum to 1."
        return [_finding(structure, "output-activation-wrong", "warning", message, "softmax")]
    return []


def _loss(structure: Structure, form: str | None) -> list[Finding]:
    kind, one = structure.loss, structure.outputs == 1
    name = structure.loss_name
    if kind in ("sparse", "categorical") and one:
        message = f"{name} with a single output is always zero: there is nothing to learn from."
        return [_finding(structure, "loss-unsuitable", "critical", message, "binary_crossentropy, or two outputs")]
    if form is not None and kind in ("categorical", "binary", "regression", "hinge") and form == "sparse" and not one:
        message = f"{name} wants a row of {structure.outputs} numbers an image, but the labels are class numbers."
        return [
            _finding(
                structure, "loss-unsuitable", "critical", message, "sparse_categorical_crossentropy, or one-hot labels"
            )
        ]
    if form in ("one-hot", "soft") and kind == "sparse":
        message = f"{name} wants class numbers, but the labels are rows."
        return [_finding(structure, "loss-unsuitable", "critical", message, "categorical_crossentropy")]
    if kind == "regression":
        message = (
            f"{name} is a loss for numbers, not for classes: its slope vanishes where the network is surely wrong."
        )
        return [_finding(structure, "loss-unsuitable", "warning", message, "a cross-entropy")]
    if kind == "hinge" and name.replace("_", "").lower() in _MARGINS:
        return _margin(structure)
    if kind == "binary" and not one and structure.outputs > 2:
        severity: Severity = "warning" if structure.last_activation == "softmax" else "info"
        message = f"{name} asks one yes-or-no question a class; these {structure.outputs} classes exclude each other."
        return [_finding(structure, "loss-unsuitable", severity, message, "categorical_crossentropy with softmax")]
    return []


def _margin(structure: Structure) -> list[Finding]:
    """Hinge losses want one number of either sign for each yes-or-no question, beyond -1 and 1."""
    one, squashed, name = structure.outputs == 1, structure.last_activation in _SQUASHING, structure.loss_name
    expected = "binary_crossentropy" if one else "categorical_crossentropy"
    if squashed:
        message = (
            f"{name} wants answers below -1 and above 1, but {structure.last_activation} gives none below 0: "
            "the cost stays large even where the network is right."
        )
        return [_finding(structure, "loss-unsuitable", "warning", message, expected)]
    if one:
        return []
    message = f"{name} asks one yes-or-no question a class; these {structure.outputs} classes exclude each other."
    # One linear answer a class is a known design: Tang 2013, linear support vector machines.
    severity: Severity = "info" if structure.last_activation in ("linear", "tanh", "unknown") else "warning"
    return [_finding(structure, "loss-unsuitable", severity, message, f"{expected}, or categorical_hinge")]


def _finding(structure: Structure, code: str, severity: Severity, message: str, expected: str) -> Finding:
    logits = {True: ", from_logits=True", False: ", from_logits=False", None: ""}[structure.from_logits]
    measured = f"{structure.last_activation} with {structure.loss_name}{logits}"
    return Finding(code, severity, structure.last_layer, message, measured, expected, _SOURCE)
