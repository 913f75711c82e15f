"""The accuracies that `fit` reports, epoch by epoch, and how many images they rest on at least."""

from collections.abc import Sequence
from typing import Any

import keras

from seewell.doctor.course_statistics import ReportFacts
from seewell.doctor.probes.curve import Record
from seewell.doctor.statistics import Structure

__all__ = ["fewest_images", "report_facts"]

_ROUNDING = 1e-6
"""Float32 shares of the same images differ by less."""
_MOST = 2000
_WARM = 0.1
"""BatchNorm's momentum ** updates above which its averages still hold their start (design.md, section 7)."""


def report_facts(record: Record, model: Any, structure: Structure, known: int | None = None) -> ReportFacts | None:
    """The accuracies of the epochs, or None where fit reports none.

    Where some epochs were validated, they alone are kept. Epochs whose BatchNorm averages were still warming up are
    left out.

    Args:
        record: What was reported.
        model: The network under training.
        structure: What it is.
        known: Validation images, where they were counted; believed only where the shares agree with it.
    """
    pairs = [(updates, train, held) for updates, train, held in record.results if train is not None]
    if any(held is not None for _, _, held in pairs):
        pairs = [one for one in pairs if one[2] is not None]
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    slowest = max((float(layer.momentum) for layer in norms), default=0.0)
    kept = [(train, held) for updates, train, held in pairs if slowest >= 1 or slowest**updates <= _WARM]
    if not kept:
        return None
    validation = tuple(held for _, held in kept)
    shares = [held for held in validation if held is not None]
    fewest = fewest_images(shares)
    agrees = known is not None and all(
        abs(share * known - round(share * known)) < _ROUNDING * known for share in shares
    )
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return ReportFacts(
        accuracies=tuple(train for train, _ in kept),
        validation=validation,
        train_count=max(fewest_images([train for train, _ in kept]), len(record.losses) // max(1, record.epochs)),
        validation_count=0 if not shares else known if known is not None and agrees else fewest,
        plain=not structure.dropouts and not _is_random(model),
        layer=norms[0].name if norms else None,
        averaged=bool(getattr(optimizer, "use_ema", False)),
    )


def fewest_images(shares: Sequence[float]) -> int:
    """The smallest number of images of which all of these can be shares; the true number is no smaller.

    Example:
        >>> fewest_images([355 / 360, 340 / 360 + 1e-8]), fewest_images([0.5]), fewest_images([])
        (72, 2, 1)
    """
    for count in range(1, _MOST):
        if _fits(shares, count):
            return count
    return _MOST


def _fits(shares: Sequence[float], count: int) -> bool:
    return all(abs(share * count - round(share * count)) < _ROUNDING * count for share in shares)


def _is_random(model: Any) -> bool:
    """Whether the network augments its images or adds noise."""
    names = (type(layer).__name__ for layer in model._flatten_layers(include_self=False))
    return any(name.startswith(("Random", "Gaussian", "Mix", "Cut", "Aug")) or name == "AutoContrast" for name in names)
