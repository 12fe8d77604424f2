"""Registration of a guide: a known motion is found across contrasts, nothing is resampled, and worse is refused."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.errors import Cancelled
from MedSRLib.grids import Grid
from MedSRLib.inference import registration
from MedSRLib.inference.registration import moved, register
from MedSRLib.progress import Progress

GRID = Grid((30, 34, 26), (2, 2, 2), (-30, -34, -26), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def head(grid: Grid, bright: tuple[float, float, float]) -> sitk.Image:
    """Three nested bodies in space, each with its intensity."""
    k, j, i = np.indices(grid.shape)
    x, y, z = np.moveaxis(grid.physical(np.stack([i, j, k], axis=-1)), -1, 0)
    values = np.zeros(grid.shape)
    for value, (a, b, c), (u, v, w) in zip(
        bright, ((22, 26, 20), (14, 18, 12), (5, 6, 8)), ((0, 0, 0), (2, 3, 1), (6, -8, 3)), strict=True
    ):
        inside = ((x - u) / a) ** 2 + ((y - v) / b) ** 2 + ((z - w) / c) ** 2
        values = np.where(inside < 1, value, values)
    values += np.random.default_rng(0).normal(0, 0.01, grid.shape)
    return sitk.SmoothingRecursiveGaussian(images.from_array(values.astype(np.float32), grid), 1.0)


def rigid(shift: tuple[float, float, float], degrees: float) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.0, 0.0, np.radians(degrees))
    transform.SetTranslation(shift)
    return transform


def test_a_moved_guide_of_another_contrast_is_brought_back() -> None:
    image, guide = head(GRID, (1.0, 0.4, 0.8)), head(GRID, (0.5, 1.0, 0.1))
    away = moved(guide, rigid((3.0, -2.0, 1.0), 4.0))
    assert np.abs(Grid.of(away).corners() - GRID.corners()).max() > 3
    found = register(away, image, seed=0, progress=Progress())
    assert found.moved
    assert found.after > found.before
    off = np.linalg.norm(Grid.of(found.guide).corners() - GRID.corners(), axis=1)
    assert off.max() < 1.2  # of voxels of 2 mm
    assert found.angle_degrees == pytest.approx(4.0, abs=1.5)
    np.testing.assert_array_equal(images.to_array(found.guide), images.to_array(guide))


def test_a_rigid_motion_is_told_in_space() -> None:
    """A point of the guide at T x is seen at x."""
    guide = head(GRID, (1.0, 0.4, 0.8))
    transform = rigid((1.0, 2.0, 3.0), 30.0)
    placed = moved(guide, transform)
    index = (3, 5, 7)
    there = transform.TransformPoint(placed.TransformIndexToPhysicalPoint(index))
    np.testing.assert_allclose(there, guide.TransformIndexToPhysicalPoint(index), atol=1e-9)


def test_a_guide_that_would_fit_worse_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    image, guide = head(GRID, (1.0, 0.4, 0.8)), head(GRID, (0.5, 1.0, 0.1))
    shared = iter((0.5, 0.4))
    monkeypatch.setattr(registration, "_shared", lambda *_: next(shared))
    found = register(guide, image, seed=0, progress=Progress())
    assert not found.moved
    assert found.worse
    assert found.guide is guide
    assert "left where it was" in found.told


def test_it_repeats() -> None:
    image, guide = head(GRID, (1.0, 0.4, 0.8)), moved(head(GRID, (0.5, 1.0, 0.1)), rigid((2.0, 0, 0), 0))
    one, other = (register(guide, image, seed=3, progress=Progress()) for _ in range(2))
    assert Grid.of(one.guide) == Grid.of(other.guide)


def test_a_cancel_stops_it() -> None:
    image = head(GRID, (1.0, 0.4, 0.8))
    with pytest.raises(Cancelled):
        register(image, image, seed=0, progress=Progress(cancelled=lambda: True))


def test_a_guide_that_shows_nothing_stays_with_a_warning() -> None:
    flat = images.from_array(np.zeros(GRID.shape, np.float32), GRID)
    events: list = []
    found = register(flat, head(GRID, (1.0, 0.4, 0.8)), seed=0, progress=Progress(events.append))
    assert not found.moved
    assert Grid.of(found.guide) == GRID
