"""Which voxels are wanted: grids in physical space, and the arithmetic between them.

The field of view is preserved: voxel *edges* stay put, voxel centres move. With factor f along an axis

    index_old = (index_new + 0.5) / f - 0.5
    origin_new = origin_old + direction · (spacing_new - spacing_old) / 2

If ``size · f`` is not whole, the new size is rounded and the spacing adjusted so that the extent is exact.
Everything here is in ITK's terms: x, y, z order, millimetres, LPS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib.errors import GridError

if TYPE_CHECKING:
    import SimpleITK as sitk

Triple = tuple[float, float, float]

MAX_VOXELS = 4_000_000_000
"""A larger output is taken for a mistake (16 GB in float32)."""

ANISOTROPIC = 1.5
"""How much coarser than the others an axis must be for its slices to count as thick."""

_DIRECTION_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Grid:
    """A rectangular lattice of voxels in physical space.

    Attributes:
        size: voxels along x, y, z.
        spacing: mm along x, y, z.
        origin: physical position of the centre of voxel (0, 0, 0), mm, LPS.
        direction: 3 × 3 direction cosines, row by row.
    """

    size: tuple[int, int, int]
    spacing: Triple
    origin: Triple
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> Grid:
        """The grid of a 3D SimpleITK image."""
        return cls(tuple(image.GetSize()), tuple(image.GetSpacing()), tuple(image.GetOrigin()), image.GetDirection())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size in array order (k, j, i)."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return math.prod(self.size)

    @property
    def axes(self) -> np.ndarray:
        """Direction cosines, shape (3, 3); column a is the direction of axis a."""
        return np.array(self.direction, dtype=np.float64).reshape(3, 3)

    def physical(self, index: np.ndarray | Sequence[float]) -> np.ndarray:
        """Physical points (..., 3) in mm of continuous indices (..., 3) in x, y, z order."""
        scaled_axes = self.axes * np.array(self.spacing)
        return np.asarray(index, dtype=np.float64) @ scaled_axes.T + np.array(self.origin)

    def index(self, points: np.ndarray | Sequence[float]) -> np.ndarray:
        """Continuous indices (..., 3) in x, y, z order of physical points (..., 3) in mm."""
        scaled_axes = self.axes * np.array(self.spacing)
        return (np.asarray(points, dtype=np.float64) - self.origin) @ np.linalg.inv(scaled_axes).T

    def corners(self) -> np.ndarray:
        """The eight corners of the field of view (voxel edges), shape (8, 3), mm."""
        edges = [(-0.5, n - 0.5) for n in self.size]
        return self.physical(np.array([(x, y, z) for z in edges[2] for y in edges[1] for x in edges[0]]))

    def equals(self, other: Grid, tolerance_mm: float = 1e-4) -> bool:
        """Whether both grids have the same voxels, corner by corner within the tolerance."""
        return self.size == other.size and bool(np.abs(self.corners() - other.corners()).max() <= tolerance_mm)


@dataclass(frozen=True)
class AxisMap:
    """Where the voxels of one grid lie in the index space of another with the same directions.

    ``index_in_source = start + step · index_in_target``, per axis, x, y, z order.
    """

    start: Triple
    step: Triple

    def positions(self, target: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Source positions of every target voxel along each axis, in array order (k, j, i), float64."""
        x, y, z = (self.start[a] + self.step[a] * np.arange(target.size[a], dtype=np.float64) for a in range(3))
        return z, y, x


def as_triple(value: float | Sequence[float], what: str) -> Triple:
    """One number, or three in x, y, z order, as three floats.

    Raises:
        GridError: for another count, or what is not a finite number.
    """
    values = tuple(float(v) for v in value) if isinstance(value, Sequence) else (float(value),) * 3
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise GridError(f"The {what} {value!r} has {len(values)} numbers.", "", "Give one number, or three: x,y,z.")
    if not all(math.isfinite(v) for v in values):
        raise GridError(f"The {what} {value!r} is not a finite number.", "", f"Give a {what} such as 2 or 1,1,4.")
    return values[0], values[1], values[2]


def scaled(grid: Grid, scale: float | Sequence[float]) -> Grid:
    """The grid with ``scale`` times as many voxels along x, y, z over the same field of view.

    Args:
        grid: the grid we have.
        scale: one factor or three, each a real number >= 1.

    Raises:
        GridError: for a factor below 1, not finite, or one that asks for too many voxels.
    """
    factors = as_triple(scale, "scale")
    if min(factors) < 1:
        raise GridError(
            f"The scale {_listed(factors)} is below 1.",
            "MedSR increases the resolution.",
            "Use a scale of 1 or more along every axis; `medsr degrade` makes a coarser image.",
        )
    return _resized(grid, tuple(n * f for n, f in zip(grid.size, factors, strict=True)))


def coarsened(grid: Grid, scale: float | Sequence[float]) -> Grid:
    """The grid with ``scale`` times fewer voxels along x, y, z over the same field of view.

    Raises:
        GridError: for a factor below 1 or not finite.
    """
    factors = as_triple(scale, "scale")
    if min(factors) < 1:
        raise GridError(f"The scale {_listed(factors)} is below 1.", "", "Use a scale of 1 or more.")
    return _resized(grid, tuple(n / f for n, f in zip(grid.size, factors, strict=True)))


def with_spacing(grid: Grid, spacing: float | Sequence[float]) -> Grid:
    """The grid over the same field of view whose spacing is nearest to ``spacing`` (mm, x, y, z).

    Raises:
        GridError: for a spacing that is not positive, or one that asks for too many voxels.
    """
    wanted = as_triple(spacing, "spacing")
    if min(wanted) <= 0:
        raise GridError(f"The spacing {_listed(wanted)} mm is not positive.", "", "Use a spacing such as 1 or 1,1,3.")
    return _resized(grid, tuple(n * h / w for n, h, w in zip(grid.size, grid.spacing, wanted, strict=True)))


def isotropic(grid: Grid) -> Grid:
    """The grid over the same field of view with the finest spacing of the three along every axis."""
    return with_spacing(grid, min(grid.spacing))


def relate(target: Grid, source: Grid) -> AxisMap | None:
    """Where the target's voxels lie along the source's axes; None if the axes point elsewhere."""
    if np.abs(target.axes - source.axes).max() > _DIRECTION_TOLERANCE:
        return None
    start = source.index(target.physical((0.0, 0.0, 0.0)))
    x, y, z = (t / s for t, s in zip(target.spacing, source.spacing, strict=True))
    return AxisMap((float(start[0]), float(start[1]), float(start[2])), (x, y, z))


def scale_between(wanted: Grid, acquired: Grid) -> Triple:
    """How many wanted voxels lie along one acquired voxel, per axis x, y, z."""
    factors = tuple(a / w for a, w in zip(acquired.spacing, wanted.spacing, strict=True))
    return factors[0], factors[1], factors[2]


def coarse_axis(spacing: Sequence[float], ratio: float = ANISOTROPIC) -> int | None:
    """The axis of ``spacing`` that is at least ``ratio`` times as coarse as each of the others; None if there is none.

    Thick slices lie across it.
    """
    axis = max(range(len(spacing)), key=lambda a: spacing[a])
    others = [h for a, h in enumerate(spacing) if a != axis]
    return axis if spacing[axis] >= ratio * max(others) else None


def _resized(grid: Grid, real_size: Sequence[float]) -> Grid:
    """The grid of the same field of view with the nearest whole size (round half up, at least 1)."""
    if math.prod(real_size) > MAX_VOXELS:
        raise GridError(
            f"The result would have {_listed(tuple(round(n) for n in real_size))} voxels.",
            f"The limit is {MAX_VOXELS:.0e} voxels.",
            "Use a smaller scale or a coarser spacing.",
        )
    size = tuple(max(1, math.floor(n + 0.5)) for n in real_size)
    spacing = tuple(h * n / m for h, n, m in zip(grid.spacing, grid.size, size, strict=True))
    shift = grid.axes @ ((np.array(spacing) - np.array(grid.spacing)) / 2)
    origin = tuple(float(o) for o in np.array(grid.origin) + shift)
    return Grid(
        (size[0], size[1], size[2]),
        (spacing[0], spacing[1], spacing[2]),
        (origin[0], origin[1], origin[2]),
        grid.direction,
    )


def _listed(values: Sequence[float]) -> str:
    return " × ".join(f"{v:g}" for v in values)
