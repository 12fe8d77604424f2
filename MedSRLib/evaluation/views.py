"""How a volume is looked at: axial, coronal and sagittal cuts as radiologists hang them, in millimetres.

The patient's right is on the left of axial and coronal pictures, anterior on the left of sagittal ones and
at the top of axial ones, superior at the top of the others. Oblique volumes are cut along their own axes, and
the letters say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from MedSRLib import images
from MedSRLib.evaluation.reference import Reference
from MedSRLib.grids import Grid

_MARGIN_MM = 6.0
_ANISOTROPIC = 1.3
_SECOND_LETTER = 0.35
"""A direction gets a second letter when it leans by more than 20 degrees (sin 20° = 0.34) that way."""


@dataclass(frozen=True)
class View:
    """One of the three hangings of a canonical volume (axes nearest to left, posterior, superior).

    Attributes:
        name: "axial", "coronal" or "sagittal".
        normal, across, along: image axes (x, y, z are 0, 1, 2) out of, across and up or down the picture.
        upwards: whether ``along`` grows towards the top.
    """

    name: str
    normal: int
    across: int
    along: int
    upwards: bool

    def cut(self, array: np.ndarray, index: int) -> np.ndarray:
        """The picture (rows from the top, columns from the left) of a volume (k, j, i) at a slice."""
        picture = np.take(array, index, axis=2 - self.normal)
        return picture[::-1] if self.upwards else picture

    def size_mm(self, grid: Grid) -> tuple[float, float]:
        """Width and height of the picture in mm."""
        return tuple(grid.size[a] * grid.spacing[a] for a in (self.across, self.along))  # type: ignore[return-value]

    def place(self, grid: Grid, point: np.ndarray) -> tuple[float, float]:
        """Where a physical point falls on the picture: mm from its left and from its top edge."""
        index = grid.index(point)
        x = (float(index[self.across]) + 0.5) * grid.spacing[self.across]
        y = (float(index[self.along]) + 0.5) * grid.spacing[self.along]
        return x, self.size_mm(grid)[1] - y if self.upwards else y

    def letters(self, grid: Grid) -> tuple[str, str, str, str]:
        """The patient's directions at the left, right, top and bottom of the picture."""
        right, down = grid.axes[:, self.across], grid.axes[:, self.along] * (-1 if self.upwards else 1)
        return letters(-right), letters(right), letters(-down), letters(down)


AXIAL = View("axial", 2, 0, 1, upwards=False)
CORONAL = View("coronal", 1, 0, 2, upwards=True)
SAGITTAL = View("sagittal", 0, 1, 2, upwards=True)
VIEWS = (AXIAL, CORONAL, SAGITTAL)


def detail_view(grid: Grid, acquired: Grid | None) -> tuple[View, tuple[int, ...]]:
    """The view to zoom into, and the axes across which to look at an edge: where resolution was lost.

    The axial view and both its axes; but if the acquired grid is coarser along one axis than along the
    others (thick slices), the first view that shows that axis, and it alone.

    Args:
        grid: canonical grid of the reference.
        acquired: grid of the input, if there is one.
    """
    if acquired is None:
        return AXIAL, (0, 1)
    loss = np.array(images.canonical(acquired).grid(acquired).spacing) / np.array(grid.spacing)
    worst = int(loss.argmax())
    if loss[worst] < _ANISOTROPIC * np.delete(loss, worst).max():
        return AXIAL, (0, 1)
    return next(view for view in VIEWS if view.normal != worst), (worst,)


def letters(direction: np.ndarray) -> str:
    """The patient's direction (L, R, A, P, S, I) that a vector in LPS points to; two if it leans."""
    names = [("L", "R"), ("P", "A"), ("S", "I")]
    order = np.argsort(-np.abs(direction), kind="stable")
    chosen = [order[0], *(a for a in order[1:2] if abs(direction[a]) > _SECOND_LETTER)]
    return "".join(names[a][0 if direction[a] > 0 else 1] for a in chosen)


@dataclass(frozen=True, eq=False)
class Scene:
    """Volumes on one canonical grid, cut down to the patient, ready to be shown.

    Attributes:
        grid: the canonical grid.
        volumes: float32 (k, j, i) by name.
        mask: bool (k, j, i).
        base: name of the volume that says which grey window all are shown in: the reference, where there is one.
    """

    grid: Grid
    volumes: Mapping[str, np.ndarray]
    mask: np.ndarray
    base: str = "Reference"

    def slice_of(self, view: View, point: np.ndarray) -> int:
        """The slice of a view that holds a physical point (the nearest one of the volume)."""
        return int(np.clip(round(float(self.grid.index(point)[view.normal])), 0, self.grid.size[view.normal] - 1))

    def window(self) -> tuple[float, float]:
        """One grey window for all pictures: the 0.5th to 99.5th percentile of the base in the mask."""
        low, high = np.percentile(self.volumes[self.base][self.mask], (0.5, 99.5))
        return float(low), float(high if high > low else low + 1)


REFERENCE = "Reference"
INPUT = "Input"


def scene(truth: Reference, volumes: Mapping[str, np.ndarray], base: str = REFERENCE) -> Scene:
    """The reference and other volumes on its grid, relabelled to canonical axes and cropped to the mask.

    Args:
        truth: the reference, or what stands in its place.
        volumes: (k, j, i), by name.
        base: what ``truth`` is called in the pictures.
    """
    turn = images.canonical(truth.grid)
    grid = turn.grid(truth.grid)

    def turned(array: np.ndarray) -> np.ndarray:
        return images.to_array(turn.image(images.from_array(array, truth.grid)))

    mask = turned(truth.mask.astype(np.float32)) > 0
    box = _box(mask, grid)
    corner = np.array([s.start for s in box[::-1]])
    cropped = Grid(
        tuple(s.stop - s.start for s in box[::-1]),
        grid.spacing,
        tuple(float(o) for o in grid.physical(corner)),  # type: ignore[arg-type]
        grid.direction,
    )
    everything = {base: truth.array, **volumes}
    return Scene(cropped, {name: turned(a)[box].copy() for name, a in everything.items()}, mask[box], base)


def _box(mask: np.ndarray, grid: Grid) -> tuple[slice, ...]:
    """The mask's bounding box with a margin, in array order."""
    box = []
    for axis, n in enumerate(mask.shape):
        found = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = round(_MARGIN_MM / grid.spacing[2 - axis])
        box.append(slice(max(0, int(found[0]) - margin), min(n, int(found[-1]) + margin + 1)))
    return tuple(box)
