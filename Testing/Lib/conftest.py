"""Images that every test may use: odd sizes, anisotropic voxels, oblique and left-handed directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.grids import Grid

MakeImage = Callable[..., sitk.Image]

# The frame is turned by 37° about z, then by 20° about x; columns are the directions of i, j, k.
_TURN_Z = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
_TURN_X = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, np.cos(np.radians(20)), -np.sin(np.radians(20))],
        [0.0, np.sin(np.radians(20)), np.cos(np.radians(20))],
    ]
)
DIRECTIONS = {
    "identity": np.eye(3),
    "oblique": _TURN_X @ _TURN_Z,
    "left-handed": _TURN_X @ _TURN_Z @ np.diag([1.0, 1.0, -1.0]),
    "sagittal": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
}
RAMP = np.array([1.3, -0.7, 0.4])
"""Slope of the "ramp" images per mm along physical x, y, z; they are 50 at the physical origin."""


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def make_image() -> MakeImage:
    """A factory of small float32 images: "ramp" (linear in physical space), "blobs" or "noise"."""
    return _make_image


def _make_image(
    size: tuple[int, int, int] = (13, 10, 7),
    spacing: tuple[float, float, float] = (0.9, 1.1, 2.5),
    direction: str = "oblique",
    kind: str = "ramp",
    origin: tuple[float, float, float] = (-12.5, 30.0, 7.25),
) -> sitk.Image:
    grid = Grid(size, spacing, origin, tuple(DIRECTIONS[direction].ravel()))
    image = sitk.GetImageFromArray(_values(grid, kind).astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(grid.direction)
    return image


def _values(grid: Grid, kind: str) -> np.ndarray:
    """Intensities (k, j, i)."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    points = grid.physical(np.stack([i, j, k], axis=-1))
    if kind == "ramp":
        return 50 + points @ RAMP
    if kind == "noise":
        return np.random.default_rng(7).uniform(10, 100, grid.shape)
    if kind != "blobs":
        raise ValueError(f"There is no kind '{kind}' of test image.")
    extent = np.array(grid.size) * grid.spacing
    values = np.full(grid.shape, 20.0)
    for place, height in (((0.3, 0.4, 0.5), 80.0), ((0.7, 0.6, 0.4), 50.0), ((0.5, 0.7, 0.7), -15.0)):
        centre = grid.physical(np.array(place) * grid.size - 0.5)
        values += height * np.exp(-((points - centre) ** 2).sum(-1) / (2 * (extent.min() / 5) ** 2))
    return values
