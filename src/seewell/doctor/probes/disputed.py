"""Which labels look wrong? Confident learning (Northcutt et al. 2021) on images that were not trained on."""

import numpy as np

from seewell.doctor.outcome import Disputed
from seewell.doctor.probes.result import Answers, surest_first

__all__ = ["disputed_labels"]

_SURE = 2
"""Only the surest one image in so many is worth a person's look."""
_MOST = 1000


def disputed_labels(answers: Answers) -> tuple[Disputed, ...]:
    """Labels that the network confidently contradicts, the surest first; at most 1,000.

    An image counts when confident learning puts it into another class than its
    label's, and the network is among the surer half of its answers: where it
    doubts, a mistake is more likely the network's own.

    Args:
        answers: Probabilities and labels of images that were not trained on.
    """
    shares, labels = answers
    present = np.unique(labels)
    if len(present) < 2 or not np.isfinite(shares).all():
        return ()
    from cleanlab.filter import find_label_issues

    # Confident learning needs an image of each class to know how sure the network is of it.
    known = np.maximum(shares[:, present].astype(np.float64), 1e-12)
    flags = find_label_issues(
        labels=np.searchsorted(present, labels),
        pred_probs=known / known.sum(axis=1, keepdims=True),
        filter_by="confident_learning",
        n_jobs=1,
    )
    order = surest_first(shares)
    suggested = shares.argmax(axis=1)
    rows = [int(row) for row in order[: max(1, len(order) // _SURE)] if flags[row] and suggested[row] != labels[row]]
    return tuple(
        Disputed(row, int(labels[row]), int(suggested[row]), float(shares[row, suggested[row]])) for row in rows[:_MOST]
    )
