"""Volumes turned in the plane of their slices, and turned back.

Quarter turns move voxels and invent nothing. By other angles, the slices are first continued by reflection so that
no corner is lost, then resampled by cubic splines (`scipy.ndimage`); the error of turning there and back is then
part of every method's score. Directions of the grid stay: it is the patient that turns, counter-clockwise from the
first towards the second array axis of the plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from MedSRLib.grids import Grid


@dataclass(frozen=True)
class Turn:
    """A rotation of volumes on one grid.

    Attributes:
        grid: of the volume as it is.
        axis: image axis, 0 to 2 for x to z, that is turned about.
        degrees: 0 <= angle < 360.
    """

    grid: Grid
    axis: int
    degrees: float

    @property
    def turned_grid(self) -> Grid:
        """Where the turned volume lies."""
        size, spacing = list(self.grid.size), list(self.grid.spacing)
        first, second = sorted(set(range(3)) - {self.axis})
        if not self._is_quarter:
            for image_axis, pad in zip((second, first), self._padding, strict=True):
                size[image_axis] += 2 * pad
        elif self.degrees % 180:
            size[first], size[second] = size[second], size[first]
            spacing[first], spacing[second] = spacing[second], spacing[first]
        return Grid((size[0], size[1], size[2]), (spacing[0], spacing[1], spacing[2]), self.grid.origin,
                    self.grid.direction)  # fmt: skip

    def apply(self, array: np.ndarray) -> np.ndarray:
        """The volume (k, j, i), turned."""
        if self._is_quarter:
            return np.ascontiguousarray(np.rot90(array, round(self.degrees / 90), axes=self._plane))
        pads = [(0, 0)] * 3
        for axis, pad in zip(self._plane, self._padding, strict=True):
            pads[axis] = (pad, pad)
        return self._resampled(np.pad(array, pads, mode="symmetric"), self.degrees)

    def undo(self, array: np.ndarray) -> np.ndarray:
        """A volume on `turned_grid`, turned back, on `grid`."""
        if self._is_quarter:
            return np.ascontiguousarray(np.rot90(array, -round(self.degrees / 90), axes=self._plane))
        back = self._resampled(array, -self.degrees)
        box = [slice(None)] * 3
        for axis, pad in zip(self._plane, self._padding, strict=True):
            box[axis] = slice(pad, back.shape[axis] - pad)
        return np.ascontiguousarray(back[tuple(box)])

    @property
    def _is_quarter(self) -> bool:
        return self.degrees % 90 == 0

    @property
    def _plane(self) -> tuple[int, int]:
        """The array axes of the plane."""
        first, second = sorted({0, 1, 2} - {2 - self.axis})
        return first, second

    @property
    def _spacing(self) -> np.ndarray:
        """In the plane, mm, in array order."""
        return np.array([self.grid.spacing[2 - axis] for axis in self._plane])

    @property
    def _padding(self) -> tuple[int, int]:
        """Voxels added at either side of the plane's axes: the diagonal fits in any direction."""
        extent = self._spacing * [self.grid.shape[axis] for axis in self._plane]
        first, second = np.ceil((math.hypot(*extent) - extent) / 2 / self._spacing).astype(int)
        return int(first), int(second)

    def _resampled(self, array: np.ndarray, degrees: float) -> np.ndarray:
        from scipy.ndimage import affine_transform

        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        matrix = np.diag(1 / self._spacing) @ np.array([[cos, sin], [-sin, cos]]) @ np.diag(self._spacing)
        centre = (np.array([array.shape[axis] for axis in self._plane]) - 1) / 2
        slices = np.moveaxis(array, 2 - self.axis, 0)
        turned = [
            affine_transform(part, matrix, offset=centre - matrix @ centre, order=3, mode="reflect") for part in slices
        ]
        return np.moveaxis(np.stack(turned), 0, 2 - self.axis).astype(np.float32)
