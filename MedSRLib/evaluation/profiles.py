"""Intensity along a line in millimetres, and how wide an edge on it is.

The edge width is the distance over which the intensity climbs from 10 % to 90 % of the step between the two
levels beside the edge. A step blurred by a Gaussian of standard deviation s has 2 · 1.28155 s = 2.563 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from MedSRLib.grids import Grid

STEPS_PER_VOXEL = 8
_SPLINE_MARGIN = 12
"""Voxels kept around the line: the cubic spline's memory falls by 0.27 a voxel, to 1e-7 after twelve."""

_RETREAT = 0.03
"""An edge ends where the intensity turns back by more than this part of the profile's range."""


@dataclass(frozen=True)
class Line:
    """A straight line in physical space.

    Attributes:
        start, end: mm, LPS.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]

    @property
    def length(self) -> float:
        """Length in mm."""
        return float(np.linalg.norm(np.subtract(self.end, self.start)))

    def points(self, count: int) -> np.ndarray:
        """Equally spaced points from start to end, (count, 3), mm."""
        return np.linspace(self.start, self.end, count)


@dataclass(frozen=True, eq=False)
class Profile:
    """Intensities along a line: positions in mm from its start, and the values there."""

    positions: np.ndarray
    values: np.ndarray


def sample(array: np.ndarray, grid: Grid, line: Line, *, order: int = 3) -> Profile:
    """The intensities of a volume along a line.

    Args:
        array: (k, j, i), on ``grid``.
        order: 3 for cubic B-spline interpolation, 0 for the nearest voxel.
    """
    from scipy.ndimage import map_coordinates

    count = max(2, round(line.length / min(grid.spacing) * STEPS_PER_VOXEL) + 1)
    index = grid.index(line.points(count))[:, ::-1]
    low = np.maximum(np.floor(index.min(axis=0)).astype(int) - _SPLINE_MARGIN, 0)
    high = np.maximum(np.ceil(index.max(axis=0)).astype(int) + _SPLINE_MARGIN + 1, 1)
    box = tuple(slice(a, b) for a, b in zip(np.minimum(low, np.array(array.shape) - 1), high, strict=True))
    offset = np.array([s.start for s in box])
    values = map_coordinates(np.asarray(array[box], dtype=np.float64), (index - offset).T, order=order, mode="nearest")
    return Profile(np.linspace(0.0, line.length, count), values)


@dataclass(frozen=True)
class Edge:
    """A climb of the intensity, in mm along a line.

    Attributes:
        start, end: where 10 % and 90 % of the step between the levels beside it are reached, in the order of
            the line.
    """

    start: float
    end: float

    @property
    def width(self) -> float:
        """The distance between the two, mm."""
        return self.end - self.start


def find_edge(profile: Profile, near: float | None = None, reach: float = 2.0) -> Edge | None:
    """The steepest edge of a profile; None where there is no edge.

    The step's levels are those at which the intensity, followed away from the steepest point, stops
    climbing and falling.

    Args:
        near: position in mm; the edge is sought within ``reach`` mm of it (default: on the whole line).
    """
    x, v = profile.positions, profile.values
    slope = np.abs(np.diff(v))
    if near is not None:
        slope = np.where(np.abs((x[1:] + x[:-1]) / 2 - near) <= reach, slope, 0.0)
    steepest = int(slope.argmax())
    if slope[steepest] == 0:
        return None
    rising = v if v[steepest + 1] > v[steepest] else -v
    tolerance = _RETREAT * float(np.ptp(v))
    top = steepest + 1 + _last_gain(rising[steepest + 1 :], tolerance)
    bottom = steepest - _last_gain(-rising[steepest::-1], tolerance)
    low, step = rising[bottom], rising[top] - rising[bottom]
    centre = bottom + int(np.argmax(rising[bottom : top + 1] >= low + step / 2))
    start = _crossing(x, rising, centre, -1, low + 0.1 * step)
    end = _crossing(x, rising, centre, +1, low + 0.9 * step)
    return Edge(start, end)


def edge_widths(
    profiles: Mapping[str, Profile], reference: str, *, reach: float = 3.0, blur: float = 3.0
) -> dict[str, float | None]:
    """Width in mm of one and the same edge in every profile: the reference's steepest near its middle.

    The other profiles are looked at only as far as the reference's edge reaches, and ``blur`` mm beyond:
    where a blurred edge runs into the next slope, that slope is not counted as edge.

    Args:
        reference: name of the profile that says where the edge is.
        reach: mm from the middle of the line within which the reference's edge is sought.
        blur: how much further an edge may extend in the other profiles, mm.
    """
    truth = profiles[reference]
    edge = find_edge(truth, float(truth.positions[-1]) / 2, reach)
    if edge is None:
        return dict.fromkeys(profiles)
    widths: dict[str, float | None] = {}
    for name, profile in profiles.items():
        near = (profile.positions >= edge.start - blur) & (profile.positions <= edge.end + blur)
        part = Profile(profile.positions[near], profile.values[near])
        found = edge if name == reference else find_edge(part, (edge.start + edge.end) / 2, (edge.width + blur) / 2)
        widths[name] = None if found is None else found.width
    return widths


def maximum_slope(profile: Profile) -> float:
    """The steepest change between neighbouring samples, without sign, intensity per mm; 0 if there are fewer than two.

    A step of height h blurred by a Gaussian of standard deviation s has h / (s √(2 π)).
    """
    step = np.diff(profile.positions)
    return float(np.max(np.abs(np.diff(profile.values)) / step, initial=0.0)) if len(step) else 0.0


def fwhm(profile: Profile, near: float | None = None, reach: float = 2.0) -> float | None:
    """Full width at half maximum, mm, of the ridge or trough that departs most from the profile's median.

    Half maximum is halfway between the peak and the higher (of a trough, the lower) of the lowest points on
    its two sides, so that a thin line on a slope keeps its width; crossings are interpolated linearly. A
    Gaussian ridge of standard deviation s has 2.3548 s.

    Args:
        near: position in mm; the peak is sought within ``reach`` mm of it (default: on the whole line).

    Returns:
        None for a constant profile, and where a side does not fall to half maximum within the line.
    """
    x, v = profile.positions, profile.values
    departure = v - np.median(v)
    allowed = np.ones(len(v), dtype=bool) if near is None else np.abs(x - near) <= reach
    if not np.any(departure[allowed]):
        return None
    peak = int(np.argmax(np.where(allowed, np.abs(departure), -1)))
    ridge = v if departure[peak] > 0 else -v
    base = max(float(ridge[: peak + 1].min()), float(ridge[peak:].min()))
    level = (float(ridge[peak]) + base) / 2
    before, after = np.flatnonzero(ridge[:peak] <= level), np.flatnonzero(ridge[peak:] <= level)
    if base >= ridge[peak] or not len(before) or not len(after):
        return None
    left, right = int(before[-1]), peak + int(after[0])
    start = np.interp(level, ridge[[left, left + 1]], x[[left, left + 1]])
    end = np.interp(level, ridge[[right, right - 1]], x[[right, right - 1]])
    return float(end - start)


def steepest_line(
    array: np.ndarray, mask: np.ndarray, grid: Grid, axes: Sequence[int] = (0, 1), length_mm: float = 30.0
) -> Line:
    """A line across the steepest edge of a volume inside a mask, near the middle of the mask.

    Args:
        array, mask: (k, j, i), on ``grid``.
        axes: image axes (x, y, z numbered 0, 1, 2): two for a line in their plane, one for a line along it.
        length_mm: greatest length of the line; half of the mask's extent along the axes if that is shorter.

    Returns:
        A line along the gradient in these axes, the edge in its middle unless the border is near.
    """
    from scipy.ndimage import minimum_filter

    gradients = [_gradient(array, 2 - axis, grid.spacing[axis]) for axis in axes]
    inside = minimum_filter(mask, size=5, mode="nearest")
    inside = inside if inside.any() else mask
    strength = np.sqrt(sum(np.square(g) for g in gradients)) * inside * _nearness(inside, grid)
    place = np.unravel_index(int(strength.argmax()), array.shape)
    direction = np.zeros(3)
    direction[list(axes)] = [float(g[place]) for g in gradients]
    # Along the axes' own sense: one reading direction for every report.
    extents = [np.ptp(np.flatnonzero(mask.any(axis=_others(2 - a)))) * grid.spacing[a] for a in axes]
    length_mm = min(length_mm, max(float(min(extents)) / 2, 2 * max(grid.spacing)))
    main = int(np.abs(direction).argmax())
    direction *= 1 if direction[main] >= 0 else -1
    if not direction.any():
        direction[axes[0]] = 1.0
    direction /= np.linalg.norm(direction)
    centre = np.array([float(p) for p in place[::-1]])
    return _clipped(centre, direction, grid, length_mm)


def _gradient(array: np.ndarray, array_axis: int, spacing: float) -> np.ndarray:
    """Derivative along one array axis after a Gaussian of one voxel, per mm, zero on a one-voxel axis."""
    from scipy.ndimage import gaussian_filter1d

    if array.shape[array_axis] == 1:
        return np.zeros_like(array)
    smooth = array
    for axis in range(array.ndim):
        order = 1 if axis == array_axis else 0
        smooth = gaussian_filter1d(smooth, 1.0, axis=axis, order=order, mode="nearest")
    return np.asarray(smooth / spacing)


def _nearness(inside: np.ndarray, grid: Grid) -> np.ndarray:
    """A Gaussian around the mask's centre, (k, j, i); its deviation is an eighth of the mask's extent."""
    weight = np.ones(inside.shape, dtype=np.float32)
    for axis, n in enumerate(inside.shape):
        found = np.flatnonzero(inside.any(axis=_others(axis)))
        centre, width = (found[0] + found[-1]) / 2, max((found[-1] - found[0]) / 8, 1.0)
        bell = np.exp(-0.5 * ((np.arange(n) - centre) / width) ** 2).astype(np.float32)
        weight *= bell.reshape([-1 if a == axis else 1 for a in range(3)])
    return weight


def _others(axis: int) -> tuple[int, ...]:
    return tuple(a for a in range(3) if a != axis)


def _clipped(centre: np.ndarray, direction: np.ndarray, grid: Grid, length_mm: float) -> Line:
    """The line through ``centre`` (index) along ``direction`` (unit, mm along the axes) inside the volume."""
    step = direction / np.array(grid.spacing)
    reach = []
    for sign in (-1, 1):
        limits = [length_mm / 2]
        for c, s, n in zip(centre, sign * step, grid.size, strict=True):
            if s:
                limits.append(((n - 1 if s > 0 else 0) - c) / s)
        reach.append(sign * max(0.0, min(limits)))
    ends = [grid.physical(centre + r * step) for r in reach]
    (x0, y0, z0), (x1, y1, z1) = (map(float, end) for end in ends)
    return Line((x0, y0, z0), (x1, y1, z1))


def _last_gain(values: np.ndarray, tolerance: float) -> int:
    """Index of the highest value reached before the values fall more than ``tolerance`` below it."""
    best = 0
    for i, value in enumerate(values):
        if value > values[best]:
            best = i
        elif value < values[best] - tolerance:
            break
    return best


def _crossing(x: np.ndarray, v: np.ndarray, start: int, step: int, level: float) -> float:
    """Where rising values cross ``level``, walking from index ``start``, interpolated linearly."""
    i = start
    while 0 <= i + step < len(v) and (v[i] - level) * step < 0:
        i += step
    a, b = i, i - step
    if not 0 <= b < len(v) or v[a] == v[b]:
        return float(x[i])
    fraction = float(np.clip((level - v[b]) / (v[a] - v[b]), 0, 1))
    return float(x[b] + fraction * (x[a] - x[b]))
