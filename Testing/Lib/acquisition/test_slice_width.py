"""The width of the slice profile is found from the scan alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from MedSRLib.acquisition.slice_width import WIDEST, estimate_slice_width

FWHM_PER_SIGMA = 2.3548  # of a Gaussian


def _texture(rng, size=72) -> np.ndarray:
    """Blobs that look alike along all axes, with edges."""
    fine = gaussian_filter(rng.standard_normal((size, size, size)), 1.0) * 100
    return fine + 40 * (gaussian_filter(rng.standard_normal(fine.shape), 3) > 0)


def _thick(volume, distance, width, noise, rng) -> np.ndarray:
    """Slices ``distance`` voxels apart and ``width`` voxels thick, by scipy, with noise."""
    thick = gaussian_filter1d(volume, width / FWHM_PER_SIGMA, axis=0)[distance // 2 :: distance]
    return thick + noise * rng.standard_normal(thick.shape)


@pytest.mark.parametrize("noise", [0.0, 6.0])
@pytest.mark.parametrize("relative", [0.6, 1.0, 1.4])
def test_the_width_is_recovered_within_a_fifth_with_gaps_overlaps_and_noise(rng, relative, noise):
    scan = _thick(_texture(rng), 4, relative * 4, noise, rng)
    assert estimate_slice_width(scan, (4.0, 4.0)) == pytest.approx(relative, rel=0.2)


def test_a_scan_too_small_to_tell_has_the_width_of_its_distance(rng):
    assert estimate_slice_width(rng.random((3, 40, 40)), (4.0, 4.0)) == 1.0
    assert estimate_slice_width(rng.random((20, 9, 9)), (4.0, 4.0)) == 1.0


def test_a_constant_scan_has_some_finite_width():
    assert 0 < estimate_slice_width(np.ones((20, 40, 40)), (4.0, 4.0)) <= WIDEST
