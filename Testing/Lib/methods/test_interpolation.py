"""The interpolation family in physical space."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.progress import Progress

GRID = Grid((13, 10, 7), (0.9, 1.0, 2.0), (-3.0, 5.0, 9.0), (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0))
SLOPE = np.array([0.31, -0.22, 0.13])  # per mm


def _points(grid: Grid) -> np.ndarray:
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    return grid.physical(np.stack([i, j, k], axis=-1))


def _upscale(kind: str, image: sitk.Image, grid: Grid) -> np.ndarray:
    method = registry.create(kind)
    return images.to_array(method.upscale(image, grid, runtime=Runtime(), progress=Progress()))


@pytest.mark.parametrize("kind", ["linear", "cubic", "bspline", "lanczos"])
@pytest.mark.parametrize("scale", [1.7, 2, (1, 1, 4), (2.5, 1.3, 3)])
def test_a_ramp_in_physical_space_stays_that_ramp(kind, scale):
    image = images.from_array(_points(GRID) @ SLOPE, GRID)
    wanted = scaled(GRID, scale)
    points = _points(wanted)
    inside = GRID.index(points)
    interior = ((inside >= 0) & (inside <= np.array(GRID.size) - 1)).all(axis=-1)
    error = np.abs(_upscale(kind, image, wanted) - points @ SLOPE)
    assert interior.sum() > 200
    assert error[interior].max() < 2e-6


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic", "bspline", "lanczos"])
def test_a_shift_by_whole_voxels_copies_them_and_the_border_is_continued(kind):
    values = np.random.default_rng(0).random(GRID.shape, np.float32)
    shifted = dataclasses.replace(GRID, origin=tuple(GRID.physical((2, -1, 0))))
    result = _upscale(kind, images.from_array(values, GRID), shifted)
    expected = values[:, np.clip(np.arange(10) - 1, 0, 9)][:, :, np.clip(np.arange(13) + 2, 0, 12)]
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_nearest_at_scale_two_doubles_every_voxel_and_makes_no_new_values():
    labels = np.random.default_rng(0).integers(0, 5, GRID.shape).astype(np.float32)
    result = _upscale("nearest", images.from_array(labels, GRID), scaled(GRID, 2))
    expected = labels.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    assert np.array_equal(result, expected)


def test_better_kernels_follow_a_wave_better():
    grid = Grid((40, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    wanted = scaled(grid, (2, 1, 1))

    def wave(g: Grid) -> np.ndarray:
        return np.sin(2 * np.pi * _points(g)[..., 0] / 5)

    error = {}
    for kind in ("nearest", "linear", "cubic", "bspline", "lanczos"):
        result = _upscale(kind, images.from_array(wave(grid), grid), wanted)
        error[kind] = np.abs(result - wave(wanted))[:, :, 20:-20].max()
    assert error["nearest"] > error["linear"] > error["cubic"] > max(error["bspline"], error["lanczos"])
    assert max(error["bspline"], error["lanczos"]) < 0.02
