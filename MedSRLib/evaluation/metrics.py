"""How far a result is from the reference: PSNR, SSIM, MAE, NRMSE, NCC, on whole volumes and inside a mask.

    RMSE  = sqrt(mean (x - y)²)          PSNR  = 20 log10(R / RMSE)  dB
    MAE   = mean |x - y|                 NRMSE = RMSE / R
    NCC   = mean of (x - μx)(y - μy) / (σx σy), Pearson's correlation over all voxels
    SSIM  = mean of (2 μx μy + c1)(2 σxy + c2) / ((μx² + μy² + c1)(σx² + σy² + c2))

with R the data range, max - min of the reference as in ArSSR (Wu et al. 2022, doi:10.1109/JBHI.2022.3223106);
SSIM after Wang et al. 2004 (doi:10.1109/TIP.2003.819861): uniform window of 7 × 7 × 7 voxels, sample
covariance, c1 = (0.01 R)², c2 = (0.03 R)², which is `skimage.metrics.structural_similarity(x, y,
data_range=R)`. A zero background raises PSNR by 10 log10(N / N_mask): read the masked numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.errors import InputError
from MedSRLib.evaluation import box_similarity
from MedSRLib.evaluation.reference import Reference

if TYPE_CHECKING:
    import SimpleITK as sitk

SSIM_WINDOW = 7
METRICS = ("psnr", "ssim", "mae", "nrmse", "ncc")
LARGER_IS_BETTER = ("psnr", "ssim", "ncc")


def psnr(reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB; infinite for identical images.

    Args:
        reference, image: (k, j, i), same shape and intensity unit.
        data_range: R, in the same unit, > 0.
        mask: bool (k, j, i); voxels outside it are not counted.

    Raises:
        InputError: for shapes that differ, an empty mask or a data range that is not positive.
    """
    error = _rmse(reference, image, data_range, mask)
    return float("inf") if error == 0 else float(20 * np.log10(data_range / error))


def nrmse(reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None) -> float:
    """Root mean squared error as a fraction of the data range; arguments and errors as `psnr`."""
    return _rmse(reference, image, data_range, mask) / float(data_range)


def mae(reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None) -> float:
    """Mean absolute error in the unit of the image; arguments and errors as `psnr`."""
    _check(reference, image, data_range, mask)
    return float(np.abs(_difference(reference, image, mask)).mean(dtype=np.float64))


def ncc(reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None) -> float:
    """Normalised cross-correlation in [-1, 1], 0 where one of both is constant; arguments and errors as `psnr`."""
    _check(reference, image, data_range, mask)
    x, y = (np.asarray(a if mask is None else a[mask], dtype=np.float64).ravel() for a in (reference, image))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt(np.dot(x, x) * np.dot(y, y)))
    return float(np.dot(x, y)) / size if size > 0 else 0.0


def ssim(reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None) -> float:
    """Structural similarity, at most 1; arguments and errors as `psnr`.

    Without a mask: the mean over all voxels whose window lies inside the volume (as scikit-image).
    With one: the mean of the same map over those voxels inside the mask.
    """
    _check(reference, image, data_range, mask)
    window = ssim_window(reference.shape)
    if mask is None:
        return box_similarity.box_mean(reference, image, data_range=data_range, window=window)
    counted = _counted(reference.shape, window, mask)
    box = _bounding_box(counted, window)
    values = _ssim_map(reference[box], image[box], float(data_range), window)
    return float(values[counted[box]].mean(dtype=np.float64))


def ssim_window(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The SSIM window along each axis: 7 voxels, or the largest odd number that fits a thin volume."""
    return tuple(min(SSIM_WINDOW, n if n % 2 else n - 1) if n > 1 else 1 for n in shape)


def measure(reference: sitk.Image | Reference, image: sitk.Image, mask: sitk.Image | None = None) -> dict[str, Any]:
    """All metrics of one result, with everything needed to read them.

    Args:
        reference: the true image, or a `Reference` made once for many results.
        image: the result; put on the reference's grid first if it lies on another.
        mask: where the masked numbers are taken; default: the patient without the surrounding air.

    Returns:
        ``{"psnr" | "ssim" | "mae" | "nrmse" | "ncc": {"whole": x, "mask": y}, "data_range": R,
        "data_range_rule": ..., "mask": how the mask was made, "ssim_window": [k, j, i], "border": 0,
        "notes": [what was done to the result to compare it]}``.

    Raises:
        InputError: if the images cannot be compared.
    """
    truth = reference if isinstance(reference, Reference) else Reference.of(reference, mask)
    array, notes = truth.array_of(image)
    return measure_arrays(truth, array) | {"notes": notes}


def measure_arrays(truth: Reference, array: np.ndarray) -> dict[str, Any]:
    """As `measure`, for a result already on the reference's grid, shape (k, j, i)."""
    window = ssim_window(array.shape)
    _check(truth.array, array, truth.data_range, truth.mask)
    # The map of the whole volume serves both means; it is the dearest part.
    similarity = _ssim_map(truth.array, array, truth.data_range, window)
    values: dict[str, Any] = {name: {} for name in METRICS}
    for where, mask in (("whole", None), ("mask", truth.mask)):
        for name, function in (("psnr", psnr), ("mae", mae), ("nrmse", nrmse), ("ncc", ncc)):
            values[name][where] = function(truth.array, array, data_range=truth.data_range, mask=mask)
        counted = _counted(array.shape, window, mask)
        values["ssim"][where] = float(similarity[counted].mean(dtype=np.float64))
    return values | truth.settings() | {"ssim_window": list(window)}


def json_ready(value: Any) -> Any:
    """The same structure with None for infinite and undefined numbers, which JSON does not know."""
    if isinstance(value, Mapping):
        return {key: json_ready(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rmse(reference: np.ndarray, image: np.ndarray, data_range: float, mask: np.ndarray | None) -> float:
    _check(reference, image, data_range, mask)
    return float(np.sqrt(np.square(_difference(reference, image, mask)).mean(dtype=np.float64)))


def _difference(reference: np.ndarray, image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    difference = np.subtract(image, reference, dtype=np.float32)
    return difference if mask is None else difference[mask]


def _check(reference: np.ndarray, image: np.ndarray, data_range: float, mask: np.ndarray | None) -> None:
    shapes = {reference.shape, image.shape} | (set() if mask is None else {mask.shape})
    if len(shapes) > 1:
        raise InputError(f"Reference, image and mask have different shapes: {sorted(shapes)}.")
    if not data_range > 0:
        raise InputError(
            f"The data range is {data_range:g}.",
            "The metrics divide by it.",
            "Use a reference that is not constant.",
        )
    if mask is not None and not mask.any():
        raise InputError("The mask is empty.", "", "Give a mask with at least one voxel above zero.")


def _counted(shape: tuple[int, ...], window: tuple[int, ...], mask: np.ndarray | None) -> np.ndarray:
    """The voxels whose SSIM counts: those whose window lies inside the volume, and in the mask."""
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(slice(w // 2, n - w // 2) for w, n in zip(window, shape, strict=True))] = True
    if mask is None:
        return inside
    # A mask wholly in the outermost voxels has no full window: there the mirrored border counts.
    return inside & mask if (inside & mask).any() else mask


def _bounding_box(inside: np.ndarray, window: tuple[int, ...]) -> tuple[slice, ...]:
    """The box around the True voxels, widened by half a window so that the map inside it stays exact."""
    box = []
    for axis, w in enumerate(window):
        others = tuple(a for a in range(inside.ndim) if a != axis)
        found = np.flatnonzero(inside.any(axis=others))
        box.append(slice(max(0, int(found[0]) - w // 2), int(found[-1]) + w // 2 + 1))
    return tuple(box)


def _ssim_map(x: np.ndarray, y: np.ndarray, data_range: float, window: tuple[int, ...]) -> np.ndarray:
    """The SSIM of the window around every voxel, float32, borders mirrored."""
    return box_similarity.box_map(x, y, data_range=data_range, window=window)
