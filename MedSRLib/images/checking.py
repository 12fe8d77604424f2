"""What an image must be to be worked on, and the repair of single broken voxels."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from MedSRLib.errors import InputError
from MedSRLib.progress import Progress

_COMPLEX = (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64)

_DIRECTION_TOLERANCE = 1e-3
"""Of the length of the axes, and the least volume that three unit axes may span."""


def check(image: sitk.Image, name: str = "image") -> None:
    """Refuse what is not a scalar 3D image, or a 4D series of them, with a place in space and a finite value.

    Args:
        image: any image.
        name: what the messages call it.

    Raises:
        InputError: for 1D, 2D and 5D images, colour, vector and complex images, no voxels, an impossible
            spacing, origin or direction, and for values that are all NaN or infinite.
    """
    _check_kind(image, name)
    _check_geometry(image, name)
    if not _has_finite_value(image):
        raise InputError(
            f"The {name} has no finite value.",
            "Every voxel is NaN or infinite.",
            "Export it again from where it was made.",
        )


def check_volume(image: sitk.Image, name: str = "image") -> sitk.Image:
    """The image itself, if it is one volume that `check` passes.

    Raises:
        InputError: for any other.
    """
    check(image, name)
    if image.GetDimension() != 3:
        raise InputError(
            f"The {name} has {image.GetDimension()} dimensions.",
            "",
            "Give one 3D volume (a single frame of a series).",
        )
    return image


def prepared(image: sitk.Image, progress: Progress) -> sitk.Image:
    """The checked image in float32, each NaN or infinite voxel replaced by the nearest finite one (in mm).

    The image itself is left as it is; a warning counts the voxels that were replaced.

    Args:
        image: 3D, of any scalar type.
        progress: is told the warning.

    Raises:
        InputError: for an image that cannot be used, see `check`.
    """
    check(image)
    single = sitk.Cast(image, sitk.sitkFloat32)
    broken = ~np.isfinite(sitk.GetArrayViewFromImage(single))
    count = int(broken.sum())
    if count == 0:
        return single
    if count == broken.size:  # finite in float64, but beyond float32
        raise InputError("The image has no value that fits into 32 bits.", "", "Rescale its intensities.")
    progress.warn(
        f"{count} of the {broken.size} voxels ({_percent(count / broken.size)}) are NaN, infinite or too "
        "large; each was replaced by the nearest finite voxel."
    )
    values = sitk.GetArrayFromImage(single)
    values[broken] = _nearest(values, broken, image.GetSpacing())[broken]
    repaired = sitk.GetImageFromArray(values)
    repaired.CopyInformation(single)
    return repaired


def _check_kind(image: sitk.Image, name: str) -> None:
    if image.GetNumberOfComponentsPerPixel() > 1 or image.GetPixelID() in _COMPLEX:
        raise InputError(
            f"The {name} has {image.GetPixelIDTypeAsString()} voxels.",
            "MedSR works on one number a voxel; this is a colour, vector or complex image.",
            "Convert it to grey values, or save its components as separate files.",
        )
    if image.GetDimension() not in (3, 4):
        raise InputError(
            f"The {name} has {image.GetDimension()} dimensions.",
            "MedSR works on 3D volumes, and on 4D series of them.",
            "Give a whole volume, for example the folder of the DICOM series or a NIfTI file.",
        )
    if 0 in image.GetSize():
        raise InputError(f"The {name} has a size of {_listed(image.GetSize())} voxels.", "It is empty.")


def _check_geometry(image: sitk.Image, name: str) -> None:
    if not all(math.isfinite(h) and h > 0 for h in image.GetSpacing()):
        raise InputError(
            f"The {name} has a spacing of {_listed(image.GetSpacing())} mm.",
            "The distance between voxels must be positive.",
            "Correct the spacing where the image was made.",
        )
    if not all(math.isfinite(x) for x in image.GetOrigin()):
        raise InputError(f"The {name} has its origin at {_listed(image.GetOrigin())} mm.", "", "Correct its header.")
    n = image.GetDimension()
    axes = np.array(image.GetDirection()).reshape(n, n)[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    uneven = np.abs(lengths - 1).max() > _DIRECTION_TOLERANCE
    if not np.isfinite(axes).all() or uneven or abs(np.linalg.det(axes)) < _DIRECTION_TOLERANCE:
        raise InputError(
            f"The {name} has axes that are not three independent unit vectors.",
            f"Its direction cosines are {_listed(axes.ravel())}.",
            "Correct its header.",
        )


def _has_finite_value(image: sitk.Image) -> bool:
    values = sitk.GetArrayViewFromImage(image)
    return np.issubdtype(values.dtype, np.integer) or any(np.isfinite(part).any() for part in values)


def _nearest(values: np.ndarray, broken: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """The value (k, j, i) of the nearest voxel that is not broken."""
    from scipy.ndimage import distance_transform_edt

    where = distance_transform_edt(broken, spacing[::-1], return_distances=False, return_indices=True)
    return values[tuple(where)]


def _percent(share: float) -> str:
    return "under 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def _listed(values: tuple[float, ...] | np.ndarray) -> str:
    return " × ".join(f"{value:g}" for value in values)
