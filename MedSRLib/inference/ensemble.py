"""Self-ensemble: a method on turned copies of one image; the mean is the result, the spread shows what it is unsure of.

    x = 1/n Σ_t t⁻¹ m(t y),   s² = 1/n Σ_t (t⁻¹ m(t y) - x)²

m is the method, y the image, t one of n turns that only relabel voxels: each copy is the same image at the same
place in the patient, stored in another order, so geometry is exact and a guide needs no turning. A method that knew
the truth would give the same everywhere; where the copies disagree, it guesses. Agreement proves nothing: a method
can be wrong in all copies alike, and an interpolation, which turns do not change, has no spread at all.

Reference: R. Timofte, R. Rothe, L. Van Gool: Seven ways to improve example-based single image super resolution.
CVPR 2016, doi:10.1109/CVPR.2016.206.

Departures. The paper averages the eight flips and quarter turns of a slice. "flips" here are those of the three axes
of a volume (eight); "flips-and-rotations" adds the quarter turn in the first plane, of xy, xz and yz, whose two
spacings agree in the image and in the wanted grid (sixteen). Axes of a single voxel are not flipped. The spread
is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib import images
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.images import Reorientation

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.progress import Progress

FLIPS, ROTATIONS = "flips", "flips-and-rotations"
KINDS = (FLIPS, ROTATIONS)

Apply = Callable[["sitk.Image", Grid, "Progress"], "sitk.Image"]
"""A method with all it needs: a prepared image and the wanted grid to the image on that grid."""

_SAME_SPACING = 1e-3
_ROUNDING = 1e-4
"""Spread, as a part of the result's range, that differing orders of summation explain."""


@dataclass(frozen=True)
class Averaged:
    """The mean of the copies, and their standard deviation in the same unit, both float32 on the wanted grid."""

    mean: sitk.Image
    spread: sitk.Image


def check(kind: str) -> None:
    """Raise `OptionError` for a kind that is none of `KINDS`."""
    if kind not in KINDS:
        raise OptionError(f"There is no ensemble '{kind}'.", "", f"Use one of: {', '.join(KINDS)}.")


def turns(kind: str, source: Grid, wanted: Grid) -> list[Reorientation]:
    """The turns of an ensemble; the first leaves the image as it is.

    Args:
        kind: one of `KINDS`.
        source: grid of the image.
        wanted: grid of the result, with the image's directions.

    Raises:
        OptionError: for another kind.
    """
    check(kind)
    orders = [(0, 1, 2)]
    if kind == ROTATIONS:
        orders += _quarter_turn(source, wanted)
    flips = [(False, True) if n > 1 else (False,) for n in source.size]
    return [
        Reorientation(order, (x, y, z))
        for order in orders
        for z, y, x in product(*(flips[axis] for axis in reversed(order)))
    ]


def _quarter_turn(source: Grid, wanted: Grid) -> list[tuple[int, int, int]]:
    """The order that swaps the first two axes with like spacings, if there are two; with the flips it is the turn."""
    for a, b, order in ((0, 1, (1, 0, 2)), (0, 2, (2, 1, 0)), (1, 2, (0, 2, 1))):
        if all(abs(grid.spacing[a] / grid.spacing[b] - 1) < _SAME_SPACING for grid in (source, wanted)):
            return [order]
    return []


def average(
    apply: Apply, image: sitk.Image, wanted: Grid, members: Sequence[Reorientation], progress: Progress
) -> Averaged:
    """The method's results on all copies, averaged; two volumes are kept, however many members there are.

    Args:
        apply: the method; called once a member.
        image: 3D, float32, finite.
        wanted: grid of the result, with the image's directions.
        members: of `turns`.
    """
    mean = np.zeros(wanted.shape, dtype=np.float32)
    squares = np.zeros(wanted.shape, dtype=np.float32)
    for number, turn in enumerate(members, start=1):
        part = progress.part((number - 1) / len(members), number / len(members))
        result = apply(turn.image(image), turn.grid(wanted), part)
        step = images.to_array(turn.undo_image(result)) - mean
        mean += step / number
        squares += np.square(step) * np.float32((number - 1) / number)  # Welford's update of Σ (x - mean)²
    spread = np.sqrt(squares / len(members), out=squares)
    if spread.max() <= _ROUNDING * np.ptp(mean):
        progress.warn(
            "The turned copies gave the same result, so the ensemble changed nothing and its uncertainty map is "
            "empty. Interpolation does not depend on how an image is turned; that does not make it right."
        )
    return Averaged(images.from_array(mean, wanted), images.from_array(spread, wanted))
