"""HFEN against the dense filter, and Fourier shell correlation in closed form."""

import math

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from MedSRLib.evaluation.frequency import hfen, shell_correlation


def dense_laplacian_of_gaussian(axes):
    """MATLAB's fspecial('log', 15, 1.5), in as many dimensions: no use of its separability."""
    t = np.stack(np.meshgrid(*[np.arange(15) - 7.0] * axes, indexing="ij"))
    squares = (t**2).sum(axis=0)
    weights = np.exp(-squares / (2 * 1.5**2))
    weights /= weights.sum()
    kernel = weights * (squares - axes * 1.5**2) / 1.5**4
    return kernel - kernel.mean()


@pytest.mark.parametrize("shape", [(17, 20, 16), (1, 25, 31)])
def test_hfen_is_that_of_the_dense_filter(shape):
    rng = np.random.default_rng(0)
    x = gaussian_filter(rng.normal(size=shape), 1) + 50
    y = x + 0.1 * rng.normal(size=shape)
    kernel = dense_laplacian_of_gaussian(3 if shape[0] > 1 else 2)
    kernel = kernel.reshape(kernel.shape if shape[0] > 1 else (1, *kernel.shape))
    filtered = [convolve(a, kernel, mode="nearest") for a in (x, y)]
    expected = np.linalg.norm(filtered[1] - filtered[0]) / np.linalg.norm(filtered[0])
    assert hfen(x, y) == pytest.approx(expected, rel=1e-6)


def test_hfen_is_zero_for_identical_one_for_empty_and_undefined_for_constant_references():
    x = np.random.default_rng(1).normal(size=(9, 10, 11))
    assert hfen(x, x) == 0
    assert hfen(x, np.full_like(x, 3.0)) == pytest.approx(1)
    assert math.isnan(hfen(np.full_like(x, 1000.1), x))
    mask = np.zeros(x.shape, dtype=bool)
    mask[2:5] = True
    assert hfen(x, np.where(np.indices(x.shape)[0] < 8, x, 0), mask=mask) < hfen(
        x, np.where(np.indices(x.shape)[0] < 8, x, 0)
    )


def test_noise_as_strong_as_the_signal_correlates_with_one_over_root_two():
    """FSC = √(S / (S + N)) for a signal and the same with independent noise."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(32, 32, 32))
    found = shell_correlation(x, x + rng.normal(size=x.shape), spacing=(1, 1, 1))
    many = found.counts > 500
    assert found.correlations[many] == pytest.approx(math.sqrt(0.5), abs=0.1)
    assert found.correlations[many].mean() == pytest.approx(math.sqrt(0.5), abs=0.02)


def test_what_was_cut_off_above_a_frequency_is_the_resolution():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(48, 40, 44))
    spacing = (1.0, 1.5, 1.2)
    frequency = np.sqrt(
        sum(
            np.square(np.fft.fftfreq(n, d)).reshape([-1 if a == axis else 1 for a in range(3)])
            for axis, (n, d) in enumerate(zip(x.shape, spacing, strict=True))
        )
    )
    noise = np.fft.fftn(rng.normal(size=x.shape))
    y = np.fft.ifftn(np.where(frequency < 0.2, np.fft.fftn(x), noise)).real
    found = shell_correlation(x, y, spacing=spacing)
    assert found.resolution_mm(0.5) == pytest.approx(1 / 0.2, rel=0.08)
    assert np.nanmax(found.frequencies) <= 0.5 / 1.5 + 0.02
    assert shell_correlation(x, 2 * x + 7, spacing=spacing).correlations == pytest.approx(1)


def test_constants_have_no_correlation_and_a_slice_has_rings():
    x = np.random.default_rng(5).normal(size=(1, 24, 20))
    found = shell_correlation(x, x, spacing=(3, 1, 1))
    assert len(found.correlations) == 12 and found.correlations == pytest.approx(1)
    empty = shell_correlation(x, np.zeros_like(x), spacing=(3, 1, 1))
    assert np.isnan(empty.correlations).all() and empty.resolution_mm(0.5) == math.inf
