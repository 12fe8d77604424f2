"""What self-training knows of thick slices: which axis they lie across, how thick they are, and what they measured."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import SimpleITK as sitk

from MedSRLib import acquisition, images
from MedSRLib.acquisition.slice_width import estimate_slice_width
from MedSRLib.errors import InputError
from MedSRLib.grids import ANISOTROPIC, Grid, coarse_axis, relate
from MedSRLib.training.scan import learnable

if TYPE_CHECKING:
    import torch

    from MedSRLib.progress import Progress

_NARROW = 1e-6


@dataclass(frozen=True)
class SliceProfile:
    """The point spread function across the slices.

    Attributes:
        kind: "gaussian" or "box".
        thickness: full width at half maximum, or of the box, mm.
    """

    kind: Literal["gaussian", "box"]
    thickness: float


def axis_of_slices(grid: Grid) -> int:
    """The coarse axis: x, y, z are 0, 1, 2.

    Raises:
        InputError: if no axis is clearly the coarsest, or if there is too little to learn from within the slices.
    """
    axis = coarse_axis(grid.spacing)
    shape = " × ".join(f"{h:.3g}" for h in grid.spacing)
    if axis is None:
        raise InputError(
            f"The image has voxels of {shape} mm, without thick slices.",
            f"Self-training learns from axes that are fine; one must be {ANISOTROPIC:g} times as coarse as the others.",
            "Use a method with a trained model, or back-projection.",
        )
    fine = [a for a in range(3) if a != axis]
    if not any(learnable(grid.size[a], grid.spacing[axis] / grid.spacing[a]) for a in fine):
        raise InputError(
            f"The slices have {' × '.join(str(grid.size[a]) for a in fine)} voxels, hardly more than their distance.",
            "Self-training learns from what is seen within the slices.",
            "Give the whole image, or use back-projection.",
        )
    return axis


def slice_profile(
    image: sitk.Image, axis: int, wanted: str, thickness_mm: float | None, progress: Progress
) -> SliceProfile:
    """The slice profile as it is asked for; a warning where it is a guess.

    Args:
        image: the scan.
        axis: that its slices lie across.
        wanted: "gaussian", "box", or "estimate".
        thickness_mm: as the user gives it, if so.
        progress: told where the thickness comes from.
    """
    distance = image.GetSpacing()[axis]
    if wanted == "estimate":
        k, j, i = _slices_first(axis)
        fine = [distance / image.GetSpacing()[2 - a] for a in (j, i)]
        width = estimate_slice_width(images.to_array(image).transpose(k, j, i), (fine[0], fine[1])) * distance
        progress.log(
            f"The slices were found to be {width:.3g} mm thick (Gaussian, half maximum), {distance:.3g} mm apart."
        )
        return SliceProfile("gaussian", width)
    kind: Literal["gaussian", "box"] = "box" if wanted == "box" else "gaussian"
    told = thickness_mm or images.slice_thickness(image)
    if told is None:
        progress.warn(
            f"The slice thickness is not known; it is taken to be the distance of the slices, {distance:.3g} mm. "
            "Give the option thickness_mm where there are gaps or overlaps, or profile=estimate."
        )
    return SliceProfile(kind, told or distance)


def agreeing(
    result: torch.Tensor, scan: torch.Tensor, grid: Grid, acquired: Grid, profile: SliceProfile, trust: float
) -> torch.Tensor:
    """``argmin_x trust · ‖A x - scan‖² + ‖x - result‖²`` over the scan's voxels whose centres the grid holds.

    Args:
        result: (k', j', i') on ``grid``.
        scan: (k, j, i) on ``acquired``.
        grid: the wanted grid.
        acquired: the scan's.
        profile: of the slices, which is A.
        trust: variance of the result's error over that of the scan's noise.
    """
    along = relate(acquired, grid)
    assert along is not None  # the result was made along the scan's axes
    inside = [
        np.flatnonzero((where >= -0.5 - _NARROW) & (where <= size - 0.5 + _NARROW))
        for where, size in zip(along.positions(acquired), grid.shape, strict=True)
    ]
    if any(len(places) == 0 for places in inside):
        return result
    k, j, i = (slice(int(places[0]), int(places[-1]) + 1) for places in inside)
    x, y, z = (float(mm) for mm in acquired.physical((i.start, j.start, k.start)))
    part = dataclasses.replace(
        acquired,
        size=(len(inside[2]), len(inside[1]), len(inside[0])),
        origin=(x, y, z),
    )
    forward = acquisition.build("slice-profile", grid, part, thickness=_widths(profile, part), profile=profile.kind)
    return forward.prox_l2(result, scan[k, j, i].contiguous(), trust)


def _widths(profile: SliceProfile, grid: Grid) -> list[float]:
    """Thickness across the slices, and the voxels' own width within them, mm, x, y, z."""
    widths = list(grid.spacing)
    axis = coarse_axis(grid.spacing)
    assert axis is not None
    widths[axis] = profile.thickness
    return widths


def _slices_first(axis: int) -> tuple[int, int, int]:
    """The array axes, the one across the slices first."""
    coarse = 2 - axis
    j, i = (a for a in range(3) if a != coarse)
    return coarse, j, i
