"""Whitening: covariances by their definition, and filters that make them the identity."""

import numpy as np
import pytest

from seewell.networks.whitening import patch_basis, patch_covariance, whitening_filters


def photographs(count=40, side=16, channels=3, seed=0):
    """Images whose neighbouring pixels and channels are alike."""
    noise = np.random.default_rng(seed).normal(size=(count, side, side, channels))
    smooth = noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)
    return (smooth + 2 * smooth.mean(axis=3, keepdims=True)).astype(np.float32)


def patches_of(images, size=2):
    count, height, width, _ = images.shape
    found = [
        images[n, y : y + size, x : x + size].ravel()
        for n in range(count)
        for y in range(height - size + 1)
        for x in range(width - size + 1)
    ]
    return np.array(found, np.float64)


@pytest.mark.parametrize(("channels", "size"), [(1, 2), (3, 2), (2, 3)])
def test_the_covariance_is_the_mean_of_the_patches_products(channels, size):
    images = photographs(count=3, side=6, channels=channels) + 0.5
    patches = patches_of(images, size)
    np.testing.assert_allclose(patch_covariance(images, size), patches.T @ patches / len(patches), rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_responses_to_the_patches_are_uncorrelated_and_of_variance_1(channels):
    images = photographs(channels=channels)
    filters = whitening_filters(patch_covariance(images, 2))
    half = filters.shape[1] // 2
    assert filters.shape == (4 * channels, 8 * channels)
    assert filters.dtype == np.float32
    np.testing.assert_array_equal(filters[:, half:], -filters[:, :half])
    responses = patches_of(images) @ filters[:, :half]
    np.testing.assert_allclose(responses.T @ responses / len(responses), np.eye(half), atol=0.02)


def test_a_direction_without_variance_is_not_blown_up_without_end():
    filters = whitening_filters(np.diag([1.0, 0.0]))
    assert np.abs(filters).max() == pytest.approx(5e-4**-0.5)


def test_the_strongest_come_first_and_signs_do_not_depend_on_the_solver():
    filters = whitening_filters(np.diag([0.25, 4.0]))
    np.testing.assert_allclose(filters[:, :2], [[0, 2], [0.5, 0]], atol=2e-3)


@pytest.mark.parametrize(("size", "channels"), [(2, 1), (2, 3), (3, 2)])
def test_the_basis_without_images_is_orthonormal_with_both_signs(size, channels):
    basis = patch_basis(size, channels)
    half = size * size * channels
    np.testing.assert_allclose(basis[:, :half].T @ basis[:, :half], np.eye(half), atol=1e-6)
    np.testing.assert_array_equal(basis[:, half:], -basis[:, :half])
