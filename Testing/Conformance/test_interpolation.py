"""Interpolation and acquisition against independent programs.

Oracles: SimpleITK (resampling in physical space), scipy.ndimage (zoom, gaussian_filter) and numpy.fft, in the
installed versions; the expected values are computed here, not stored.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import SimpleITK as sitk
import torch

from MedSRLib.acquisition import acquired_grid, axis_matrix, build
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference.sampling import interpolate

GRID = Grid((30, 27, 25), (0.9, 1.0, 2.0), (-3.0, 5.0, 9.0), (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0))
VALUES = np.random.default_rng(0).random(GRID.shape)
# How far the rules at the borders are felt: natural spline here, mirrored in ITK.
MARGIN = {"nearest": 0, "linear": 0, "bspline": 9}
ORACLE = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline}


@pytest.mark.parametrize("kind", ORACLE)
@pytest.mark.parametrize("scale", [1.7, (1, 1, 4), (2.5, 1.3, 1)])
def test_simpleitk_agrees(kind, scale):
    wanted = scaled(GRID, scale)
    image = sitk.GetImageFromArray(VALUES)
    image.SetSpacing(GRID.spacing)
    image.SetOrigin(GRID.origin)
    image.SetDirection(GRID.direction)
    resampled = sitk.Resample(
        image, wanted.size, sitk.Transform(), ORACLE[kind], wanted.origin, wanted.spacing, wanted.direction
    )
    ours = interpolate(torch.from_numpy(VALUES).double(), GRID, wanted, kind).numpy()
    inside = []
    for size, fine in zip(GRID.shape, wanted.shape, strict=True):
        positions = (np.arange(fine) + 0.5) * size / fine - 0.5
        half_way = np.abs(positions % 1 - 0.5) < 1e-6  # where "nearest" is a matter of taste
        inner = (positions >= MARGIN[kind]) & (positions <= size - 1 - MARGIN[kind])
        inside.append(inner & ~half_way if kind == "nearest" else inner)
    interior = np.ix_(*inside)
    assert ours[interior].size > 1000
    tolerance = 1e-4 if kind == "bspline" else 1e-6
    np.testing.assert_allclose(ours[interior], sitk.GetArrayFromImage(resampled)[interior], atol=tolerance)


@pytest.mark.parametrize("scale", [1.3, 2, 2.5, 4])
def test_the_papers_degradation_is_scipy_zoom(scale):
    wanted = Grid((20, 17, 13), GRID.spacing, GRID.origin, GRID.direction)
    x = VALUES[:13, :17, :20]
    for kind, before in (("spline", x), ("gaussian-spline", scipy.ndimage.gaussian_filter(x, 1.0))):
        expected = scipy.ndimage.zoom(before, 1 / scale, order=3)
        model = build(kind, wanted, acquired_grid(kind, wanted, scale))
        np.testing.assert_allclose(model.A(torch.from_numpy(x.copy())).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("size", "kept"), [(16, 8), (15, 9), (12, 8), (13, 5)])
def test_the_kspace_crop_is_that_of_numpy(size, kept):
    x = np.random.default_rng(1).random(size)
    frequencies = np.fft.fftfreq(size, 1 / size)
    spectrum = np.fft.fft(x) / size
    wave = np.exp(2j * np.pi * np.outer((np.arange(kept) + 0.5) * size / kept - 0.5, frequencies) / size)
    inside = (frequencies >= -(kept // 2)) & (frequencies < (kept + 1) // 2)
    expected = (wave[:, inside] @ spectrum[inside]).real
    np.testing.assert_allclose(axis_matrix("kspace", size, kept) @ x, expected, atol=1e-12)


@pytest.mark.parametrize("width", [2.0, 3.0, 5.0])
def test_the_physical_blur_is_scipys_gaussian_at_whole_positions(width):
    x = np.random.default_rng(2).random(63)
    blurred = scipy.ndimage.gaussian_filter1d(x, width / 2.354820045, mode="nearest", truncate=8)
    ours = axis_matrix("physical", 63, 21, width=width) @ x
    np.testing.assert_allclose(ours, blurred[1::3], atol=2e-3)
