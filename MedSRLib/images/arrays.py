"""Images and arrays: float32 values in array order (k, j, i), pixel types, the frames of 4D images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from MedSRLib.grids import Grid


def to_array(image: sitk.Image) -> np.ndarray:
    """The values of an image as a new float32 array, (k, j, i) for a 3D image."""
    return sitk.GetArrayFromImage(image).astype(np.float32, copy=False)


def from_array(array: np.ndarray, grid: Grid) -> sitk.Image:
    """A float32 image exactly on ``grid``, of values (k, j, i).

    Raises:
        ValueError: if the array has another shape than the grid.
    """
    if array.shape != grid.shape:
        raise ValueError(f"An array of shape {array.shape} does not fit a grid of shape {grid.shape}.")
    image = sitk.GetImageFromArray(np.ascontiguousarray(array, dtype=np.float32))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


def frames(image: sitk.Image) -> list[sitk.Image]:
    """The 3D volumes of a 4D image, in order; a 3D image is its only frame."""
    if image.GetDimension() == 3:
        return [image]
    size = image.GetSize()
    submatrix = sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
    return [sitk.Extract(image, (*size[:3], 0), (0, 0, 0, t), submatrix) for t in range(size[3])]


def join(frames: Sequence[sitk.Image], like: sitk.Image) -> sitk.Image:
    """One 4D image of 3D volumes on one grid, with the fourth spacing and origin of the 4D image ``like``."""
    return sitk.JoinSeries(list(frames), like.GetOrigin()[3], like.GetSpacing()[3])


def restored_type(image: sitk.Image, like: sitk.Image) -> sitk.Image:
    """The finite image in the pixel type of ``like``: rounded (half to even) and clipped to its range."""
    kind = sitk.GetArrayViewFromImage(like).dtype
    if kind == np.float32:
        return image
    values = sitk.GetArrayFromImage(image)
    if np.issubdtype(kind, np.integer):
        lowest, highest = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
        if int(highest) > np.iinfo(kind).max:  # float64 rounds the limits of 64-bit types outwards
            highest = float(np.nextafter(highest, 0))
        values = np.clip(np.rint(values.astype(np.float64)), lowest, highest)
    restored = sitk.GetImageFromArray(values.astype(kind))
    restored.CopyInformation(image)
    return restored
