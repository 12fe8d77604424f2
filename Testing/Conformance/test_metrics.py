"""Metrics against scikit-image 0.26.0 (releases from 0.22 on agree), called in the test itself."""

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity

from MedSRLib.evaluation.metrics import nrmse, psnr, ssim, ssim_window

# shape (k, j, i), offset of the intensities
CASES = [((7, 10, 13), 0.0), ((16, 9, 11), 1000.0), ((24, 20, 22), -500.0)]


def pair(shape, offset):
    rng = np.random.default_rng(3)
    z, y, x = np.indices(shape)
    reference = 100 * np.sin(x / 3) * np.cos(y / 4) + 40 * (z > shape[0] // 2) + offset
    return reference.astype(np.float32), (0.9 * reference + 5 * rng.normal(size=shape)).astype(np.float32)


@pytest.mark.parametrize(("shape", "offset"), CASES)
def test_psnr_and_nrmse_agree_with_scikit_image(shape, offset):
    reference, image = pair(shape, offset)
    data_range = float(np.ptp(reference))
    expected = peak_signal_noise_ratio(reference, image, data_range=data_range)
    assert psnr(reference, image, data_range=data_range) == pytest.approx(expected, abs=1e-5)
    expected = normalized_root_mse(reference, image, normalization="min-max")
    assert nrmse(reference, image, data_range=data_range) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("shape", "offset"), CASES)
def test_ssim_agrees_with_scikit_image_in_double_precision(shape, offset):
    reference, image = pair(shape, offset)
    data_range = float(np.ptp(reference))
    expected, _ = structural_similarity(
        reference.astype(np.float64), image.astype(np.float64), data_range=data_range, full=True
    )
    assert ssim(reference, image, data_range=data_range) == pytest.approx(expected, abs=2e-6)


def test_masked_ssim_is_the_mean_of_scikit_images_map_inside_the_mask():
    reference, image = pair((24, 20, 22), 200.0)
    data_range = float(np.ptp(reference))
    _, values = structural_similarity(
        reference.astype(np.float64), image.astype(np.float64), data_range=data_range, full=True
    )
    mask = np.zeros(reference.shape, dtype=bool)
    mask[5:12, 6:15, 4:17] = True
    assert ssim(reference, image, data_range=data_range, mask=mask) == pytest.approx(values[mask].mean(), abs=2e-6)


def test_thin_volumes_use_the_largest_odd_window_that_fits():
    assert ssim_window((1, 2, 4)) == (1, 1, 3)
    assert ssim_window((7, 6, 50)) == (7, 5, 7)
    reference, image = pair((5, 5, 5), 0.0)
    data_range = float(np.ptp(reference))
    expected = structural_similarity(
        reference.astype(np.float64), image.astype(np.float64), data_range=data_range, win_size=5
    )
    assert ssim(reference, image, data_range=data_range) == pytest.approx(expected, abs=2e-6)


def test_one_slice_is_compared_as_a_picture():
    reference, image = pair((1, 18, 21), 0.0)
    data_range = float(np.ptp(reference))
    expected = structural_similarity(
        reference[0].astype(np.float64), image[0].astype(np.float64), data_range=data_range
    )
    assert ssim(reference, image, data_range=data_range) == pytest.approx(expected, abs=2e-6)
