"""What became of each lesion: errors inside every connected part of a given mask, and its contrast.

    bias     = mean(result - reference)             in the lesion
    contrast = mean(lesion) - mean(surroundings)    the surroundings: `RIM_MM` around it, outside every lesion
    kept     = contrast in the result / contrast in the reference      1 is right, 0: the lesion is gone

A lesion fills few voxels, so that no measure over the whole volume tells whether it was smoothed away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.grids import Grid

RIM_MM = 3.0


@dataclass(frozen=True)
class Lesion:
    """One connected part of the mask and how it came out.

    Attributes:
        label: 1, 2, ... by falling volume.
        volume_mm3: of the part.
        centre: mm, LPS.
        mae, rmse, bias: of the result against the reference inside the part, in the unit of the image.
        contrast: of the lesion in the reference; NaN where nothing surrounds it.
        kept: the part of the contrast that the result shows; NaN where the reference shows none.
    """

    label: int
    volume_mm3: float
    centre: tuple[float, float, float]
    mae: float
    rmse: float
    bias: float
    contrast: float
    kept: float


def lesions(
    reference: sitk.Image, image: sitk.Image, mask: sitk.Image, *, smallest_mm3: float = 0.0, rim_mm: float = RIM_MM
) -> list[Lesion]:
    """The lesions of a mask, largest first; parts that touch by a corner are one.

    Args:
        reference, image, mask: on one grid (`Reference.array_of` puts a result there).
        smallest_mm3: smaller parts are left out.
        rim_mm: how far the surroundings reach.

    Raises:
        InputError: if the grids differ or the mask is empty.
    """
    for other in (image, mask):
        if not Grid.of(other).equals(Grid.of(reference)):
            raise InputError("Reference, result and lesion mask lie on different grids.", "", "Resample them first.")
    inside = sitk.Cast(mask > 0, sitk.sitkUInt8)
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(inside, True))
    labels = sitk.GetArrayFromImage(parts)
    if not labels.any():
        raise InputError("The lesion mask is empty.", "", "Give a mask with at least one voxel above zero.")
    values = [sitk.GetArrayFromImage(sitk.Cast(i, sitk.sitkFloat64)) for i in (reference, image)]
    voxel = float(np.prod(reference.GetSpacing()))
    found = []
    for label in range(1, int(labels.max()) + 1):
        count = int((labels == label).sum())
        if count * voxel >= smallest_mm3:
            found.append(_measured(label, labels, values, reference, rim_mm))
    return found


def _measured(label: int, labels: np.ndarray, values: list[np.ndarray], grid: sitk.Image, rim_mm: float) -> Lesion:
    places = np.argwhere(labels == label)
    reach = np.ceil(rim_mm / np.array(grid.GetSpacing()[::-1])).astype(int)
    low = np.maximum(places.min(axis=0) - reach, 0)
    box = tuple(slice(a, b) for a, b in zip(low, places.max(axis=0) + reach + 1, strict=True))
    lesion = labels[box] == label
    rim = (_distance_mm(lesion, grid.GetSpacing()) <= rim_mm) & (labels[box] == 0)
    truth, result = (v[box] for v in values)
    error = (result - truth)[lesion]
    contrast, seen = (_mean(v[lesion]) - _mean(v[rim]) for v in (truth, result))
    x, y, z = grid.TransformContinuousIndexToPhysicalPoint(places.mean(axis=0)[::-1].tolist())
    return Lesion(
        label=label,
        volume_mm3=len(places) * float(np.prod(grid.GetSpacing())),
        centre=(x, y, z),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt(np.square(error).mean())),
        bias=float(error.mean()),
        contrast=contrast,
        kept=seen / contrast if contrast else float("nan"),
    )


def _distance_mm(inside: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distance of each voxel centre to the nearest voxel centre inside, mm."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~inside, sampling=spacing[::-1]))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
