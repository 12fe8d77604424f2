"""The learned map of intensities at several scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from MedSRLib.sparse import contrast


def _image(seed: int = 0) -> torch.Tensor:
    noise = np.random.default_rng(seed).standard_normal((20, 18, 16))
    smooth = gaussian_filter(noise, 1.5)
    return torch.from_numpy((smooth - smooth.min()) / np.ptp(smooth)).float()


def test_smoothing_is_the_usual_gaussian() -> None:
    image = _image()
    expected = gaussian_filter(image.numpy().astype(np.float64), 2.0, mode="nearest", truncate=3.0)
    assert np.allclose(contrast.smoothed(image, 2.0).numpy(), expected, atol=1e-6)
    assert contrast.smoothed(image, 0) is image
    assert contrast.reach((0, 2, 5)) == 15


def test_one_scale_is_the_regression_of_the_joint_histogram() -> None:
    """A curve that is linear between the entries is found again."""
    image = _image()
    curve = np.array([0.0, 1.0, 0.2, 0.8, 0.5])
    wanted = torch.from_numpy(np.interp(image.numpy() * 4, np.arange(5), curve)).float()
    limits = torch.tensor([[0.0, 1.0]])
    fit = contrast.TableFit(5, (0.0,), limits)
    fit.add(image, wanted, torch.ones_like(image, dtype=torch.bool))
    table = fit.table(1e-6)
    assert table.tolist() == pytest.approx(curve.tolist(), abs=1e-3)
    assert torch.allclose(contrast.looked_up(table, limits, (0.0,), image), wanted, atol=1e-3)


def test_two_scales_tell_apart_what_one_cannot() -> None:
    image = _image()
    wanted = (image - contrast.smoothed(image, 2.0)).abs()
    mask = torch.ones_like(image, dtype=torch.bool)
    errors = []
    for scales in ((0.0,), (0.0, 2.0)):
        limits = contrast.limits_of(image, mask, scales)
        fit = contrast.TableFit(8, scales, limits)
        fit.add(image, wanted, mask)
        found = contrast.looked_up(fit.table(1.0), limits, scales, image)
        errors.append(float((found - wanted).square().mean()))
    assert errors[1] < 0.3 * errors[0]


def test_entries_without_voxels_are_as_their_neighbours() -> None:
    image = 0.5 * _image()  # nothing above the middle of the table
    fit = contrast.TableFit(9, (0.0,), torch.tensor([[0.0, 1.0]]))
    fit.add(image, torch.full_like(image, 3.0), torch.ones_like(image, dtype=torch.bool))
    assert fit.table(1.0).tolist() == pytest.approx([3.0] * 9, abs=1e-2)


def test_what_lies_outside_the_mask_is_not_learned() -> None:
    image = _image()
    mask = image > 0.5
    wanted = torch.where(mask, 1.0, 100.0)
    limits = contrast.limits_of(image, mask, (0.0,))
    assert float(limits[0, 0]) > 0.5
    fit = contrast.TableFit(4, (0.0,), limits)
    fit.add(image, wanted, mask)
    assert fit.table(1.0).tolist() == pytest.approx([1.0] * 4, abs=1e-3)
