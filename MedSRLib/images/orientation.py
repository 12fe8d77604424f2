"""The order and the signs of an image's axes: pure relabelling of voxels, nothing moves in the patient.

New axis a is old axis ``permutation[a]``, walked backwards where ``flips[a]``:

    direction'[:, a] = ± direction[:, permutation[a]]
    origin'          = origin + Σ over flipped a:  direction[:, p(a)] · spacing[p(a)] · (size[p(a)] - 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import SimpleITK as sitk

from MedSRLib.grids import Grid

_LPS_TIE = 1e-9
"""Assignments this close are equal; the first wins, so that rounding decides nothing."""


@dataclass(frozen=True)
class Reorientation:
    """A new order of the axes x, y, z, and which of the new axes run backwards.

    Attributes:
        permutation: old axis of each new axis.
        flips: whether each new axis runs against its old one.
    """

    permutation: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def image(self, image: sitk.Image) -> sitk.Image:
        """A 3D image with its voxels relabelled."""
        return _flipped(sitk.PermuteAxes(image, self.permutation), self.flips)

    def undo_image(self, image: sitk.Image) -> sitk.Image:
        """A 3D image in the new order (of any size) back in the old one."""
        inverse = [self.permutation.index(axis) for axis in range(3)]
        return sitk.PermuteAxes(_flipped(image, self.flips), inverse)

    def grid(self, grid: Grid) -> Grid:
        """The grid with its voxels relabelled; `image` gives images of such grids."""
        size = tuple(grid.size[p] for p in self.permutation)
        spacing = tuple(grid.spacing[p] for p in self.permutation)
        axes = grid.axes[:, self.permutation]
        last = np.array([(n - 1) * h * flip for n, h, flip in zip(size, spacing, self.flips, strict=True)])
        origin = tuple(float(x) for x in np.array(grid.origin) + axes @ last)
        signed = axes * np.where(self.flips, -1.0, 1.0)
        return Grid(
            (size[0], size[1], size[2]),
            (spacing[0], spacing[1], spacing[2]),
            (origin[0], origin[1], origin[2]),
            tuple(float(x) for x in signed.ravel()),
        )


def canonical(grid: Grid) -> Reorientation:
    """The order and signs of the axes nearest to left, posterior, superior (ITK's identity direction).

    Of the six orders, the one with the largest sum of |cosines| between axes and LPS.
    """
    cosines = np.abs(grid.axes)
    best = max(
        permutations(range(3)),
        key=lambda order: round(sum(cosines[a, order[a]] for a in range(3)) / _LPS_TIE),
    )
    flips = tuple(bool(grid.axes[a, best[a]] < 0) for a in range(3))
    return Reorientation((best[0], best[1], best[2]), (flips[0], flips[1], flips[2]))


def _flipped(image: sitk.Image, flips: tuple[bool, bool, bool]) -> sitk.Image:
    return sitk.Flip(image, flips, flipAboutOrigin=False) if any(flips) else image
