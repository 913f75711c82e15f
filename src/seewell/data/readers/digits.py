"""The built-in set: scikit-learn's 1,797 real handwritten digits of 8 x 8 pixels.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits",
UCI Machine Learning Repository, 1998 (the test part, as scikit-learn ships it).
"""

import numpy as np

from seewell.data.dataset import Split
from seewell.data.decode import Decoding
from seewell.data.readers.base import Contents
from seewell.data.splits import stratified_rows

__all__ = ["read_digits"]

_TEST_SHARE = 0.2
_TEST_SEED = 0  # fixed for ever: no argument may change what the test split is


def read_digits() -> Contents:
    """Read the digits; values 0 to 16 become 0 to 255 by round(v * 255 / 16).

    A fixed stratified fifth is the test split; no seed changes it.
    """
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = np.rint(raw.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = raw.target.astype(np.int64)
    train, test = stratified_rows(labels, _TEST_SHARE, seed=_TEST_SEED, purpose="digits test")
    return Contents(
        classes=tuple(str(digit) for digit in range(10)),
        train=Split(images[train], labels[train]),
        validation=None,
        test=Split(images[test], labels[test]),
        decoding=Decoding(channels=1, height=8, width=8),
    )
