"""Whitening of small patches: the covariance of a network's inputs, and the filters that make it the identity."""

import numpy as np
import numpy.typing as npt

__all__ = ["patch_basis", "patch_covariance", "whitening_filters"]

_EPSILON = 5e-4


def patch_covariance(images: npt.NDArray[np.floating], size: int) -> npt.NDArray[np.float64]:
    """Second moments of all patches of ``size`` x ``size`` pixels, about zero.

    Args:
        images: float (N, H, W, C), as a convolution sees them.
        size: Height and width of a patch.

    Returns:
        float64 (D, D) with D = size x size x C; a patch is flattened as a convolution's kernel is (row, column,
        channel).

    Example:
        >>> patch_covariance(np.ones((2, 3, 3, 1)), 2)[0]
        array([1., 1., 1., 1.])
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size * size * images.shape[3])
    # Summed in chunks: float32 within one, float64 over all.
    total = np.zeros((patches.shape[1],) * 2)
    for start in range(0, len(patches), 2**16):
        chunk = patches[start : start + 2**16].astype(np.float32)
        total += chunk.T @ chunk
    return total / len(patches)


def whitening_filters(covariance: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Filters whose responses to the patches are uncorrelated and of variance 1, each with both signs.

    They are the eigenvectors of the covariance divided by the roots of their
    eigenvalues plus 5e-4 (Jordan 2024, arXiv:2404.00498, section 3.2), the
    strongest first: D of them, then the same negated, so that no response is
    lost to a ReLU.

    Args:
        covariance: float64 (D, D), as `patch_covariance` gives it.

    Returns:
        float32 (D, 2 D): a column a filter. The sign of each eigenvector is such that its largest entry is positive.

    Example:
        >>> whitening_filters(np.diag([3.9995, 0.9995])).round(3).tolist()
        [[0.5, 0.0, -0.5, 0.0], [0.0, 1.0, 0.0, -1.0]]
    """
    values, vectors = np.linalg.eigh(covariance)
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(len(values))])
    scaled = vectors[:, ::-1] / np.sqrt(np.maximum(values[::-1], 0) + _EPSILON)
    return np.concatenate([scaled, -scaled], axis=1).astype(np.float32) + 0.0


def patch_basis(size: int, channels: int) -> npt.NDArray[np.float32]:
    """An orthonormal basis of patches, with both signs: near the eigenvectors of photographs, without any images.

    Returns:
        float32 (D, 2 D) with D = size x size x channels: products of discrete cosines, flattened as a kernel is.

    Example:
        >>> patch_basis(1, 2).astype(float).round(2).tolist()
        [[0.71, 0.71, -0.71, -0.71], [0.71, -0.71, -0.71, 0.71]]
    """
    from scipy.fft import dct

    across, depth = dct(np.eye(size), norm="ortho", axis=0).T, dct(np.eye(channels), norm="ortho", axis=0).T
    basis = np.kron(np.kron(across, across), depth)
    return np.concatenate([basis, -basis], axis=1).astype(np.float32)
