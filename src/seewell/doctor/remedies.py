"""From a finding's code to what to do, in order of expected gain, fitted to what the training already has."""

from collections.abc import Callable, Mapping
from typing import Any

from seewell.doctor.remedy_table import TABLE
from seewell.findings import Remedy

__all__ = ["remedies_for"]

Settings = Mapping[str, Any]


def remedies_for(code: str, settings: Settings) -> tuple[Remedy, ...]:
    """The remedies of a finding.

    Args:
        code: A finding's code.
        settings: The training's settings by name, as far as they are known; may be empty.

    Returns:
        Remedies in order; empty for a code that has none.
    """
    make = _REMEDIES.get(code)
    return make(settings) if make else TABLE.get(code, ())


def _against_bias(settings: Settings) -> tuple[Remedy, ...]:
    network = settings.get("network")
    larger = {"fully-connected": "fully-connected:widths=1000-1000", "convnet": "vgg-small"}.get(str(network), "")
    another = {"resnet20": "resnet18", "resnet18": ""}.get(str(network), "resnet20")
    return (
        Remedy(
            "Train longer: the network should be able to learn its own training images.", "epochs=…", _longer(settings)
        ),
        Remedy(
            "Take a larger network: more filters or more layers can fit more.",
            "keras.layers.Conv2D(2 * filters, 3, …)",
            f"--network {larger}" if larger else "",
        ),
        Remedy("Try another architecture, such as a residual network.", "", f"--network {another}" if another else ""),
    )


def _against_variance(settings: Settings) -> tuple[Remedy, ...]:
    augment = settings.get("augment") or ()
    colour = settings.get("channels") != 1
    usual = ("flip", "shift") if colour else ("shift", "rotate")
    more = [*augment, *(one for one in (*usual, "cutout") if one not in {str(a).split("=")[0] for a in augment})]
    dropout = float(settings.get("dropout") or 0.0)
    l2 = float(settings.get("l2") or 0.0)
    first = "Augment the training images: each epoch then shows them a little changed."
    if augment:
        first = "Augment the training images more."
    grown = Remedy(
        first,
        'keras.Sequential([keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.1)])',
        f"--augment {','.join(more)}" if len(more) > len(augment) else "",
    )
    drop = (
        Remedy("Regularize with dropout before the last layers.", "keras.layers.Dropout(0.5)", "--dropout 0.5")
        if dropout < 0.5
        else Remedy("Dropout is high already; less may do as well.")
    )
    penalize = Remedy(
        "Penalize large weights (L2).",
        "kernel_regularizer=keras.regularizers.L2(5e-4)",
        f"--l2 {_number(max(5e-4, 2 * l2))}",
    )
    missing = bool(augment) and not dropout and not l2  # what was not tried at all comes before more of the same
    first_three = (drop, penalize, grown) if missing else (grown, drop, penalize)
    return (
        *first_three,
        Remedy("Gather more training images: nothing else helps against variance as surely."),
        Remedy("Try another architecture.", "", "--network resnet20" if settings.get("network") != "resnet20" else ""),
    )


def _against_early_end(settings: Settings) -> tuple[Remedy, ...]:
    return (
        Remedy("Train longer: the cost was still falling.", "model.fit(…, epochs=2 * epochs)", _longer(settings)),
        Remedy(
            "A higher learning rate may come as far in the same time.",
            "",
            f"--learning-rate {_number(2 * settings['learning_rate'])}" if settings.get("learning_rate") else "",
        ),
    )


def _longer(settings: Settings) -> str:
    epochs, steps = settings.get("epochs"), settings.get("steps")
    return f"--steps {2 * steps}" if steps else f"--epochs {_number(2 * epochs)}" if epochs else ""


def _number(value: float) -> str:
    return f"{value:g}"


_REMEDIES: Mapping[str, Callable[[Settings], tuple[Remedy, ...]]] = {
    "high-bias": _against_bias,
    "high-variance": _against_variance,
    "undertrained": _against_early_end,
}
