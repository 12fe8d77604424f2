"""Whether an automatic segmentation of the result finds what it finds on the reference: Dice and volumes.

    Dice = 2 |A ∩ B| / (|A| + |B|)          volume error = (|B| - |A|) / |A|

with A the label's voxels in the reference and B those in the result (Dice 1945, doi:10.2307/1932409). The labels
are given by the user, or made the same way on both images: bias correction (N4, Tustison et al. 2010,
doi:10.1109/TMI.2010.2046908), then a Markov random field started from k-means (Atropos, Avants et al. 2011,
doi:10.1007/s12021-011-9109-y) with three classes, numbered by rising mean intensity: in T1-weighted brains
cerebrospinal fluid, grey matter and white matter. Nothing is registered: result and reference share a grid.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSRLib._optional import require
from MedSRLib.errors import InputError

CLASSES = 3
_SMOOTHING = "[0.1,1x1x1]"
_ITERATIONS = "[5,0]"
_PRIOR_WEIGHT, _PRIOR_BLUR_MM = 0.25, 1.5
_ONE_AT_A_TIME = threading.Lock()
"""The temporary folder is the whole process's."""


@dataclass(frozen=True)
class Overlap:
    """How well one label of the result matches that of the reference.

    Attributes:
        label: its number.
        dice: 0 to 1; NaN if neither has the label.
        reference_mm3, result_mm3: volumes.
        volume_error: relative; NaN if the reference lacks the label.
    """

    label: int
    dice: float
    reference_mm3: float
    result_mm3: float
    volume_error: float


def overlaps(reference: np.ndarray, result: np.ndarray, *, spacing: Sequence[float]) -> list[Overlap]:
    """Dice and volumes of every label above zero that either image has.

    Args:
        reference, result: whole-number labels (k, j, i) on one grid, 0 the background.
        spacing: voxel size, mm, in any order.

    Raises:
        InputError: for shapes that differ, or fractional labels.
    """
    if reference.shape != result.shape:
        raise InputError(f"The label images have different shapes: {reference.shape} and {result.shape}.")
    if any(not np.array_equal(a, np.rint(a)) for a in (reference, result)):
        raise InputError("A label image has fractional values.", "Labels are whole numbers.", "Give a label map.")
    x, y = (np.rint(a).astype(np.int64) for a in (reference, result))
    voxel = float(np.prod(spacing))
    found = []
    for label in sorted({int(n) for a in (x, y) for n in np.unique(a)} - {0}):
        a, b = x == label, y == label
        size_a, size_b = int(a.sum()), int(b.sum())
        dice = 2 * int((a & b).sum()) / (size_a + size_b)
        error = (size_b - size_a) / size_a if size_a else float("nan")
        found.append(Overlap(label, dice, size_a * voxel, size_b * voxel, error))
    return found


def tissues(array: np.ndarray, mask: np.ndarray, *, spacing: Sequence[float]) -> np.ndarray:
    """Three tissue classes of a brain image by N4 and Atropos, uint8 (k, j, i), 0 outside the mask.

    Atropos visits the voxels in a fixed order (random seed off), so that the same input gives the same labels.

    Args:
        array: intensities (k, j, i), without skull or with it outside the mask.
        mask: bool (k, j, i), the brain.
        spacing: along k, j, i, mm.

    Raises:
        MissingPackageError: without antspyx.
        InputError: for a mask that is too small for three classes.
    """
    ants = require("ants", "segmentation")
    if np.unique(array[mask]).size < CLASSES:
        raise InputError(
            f"The image has fewer than {CLASSES} intensities inside the mask.",
            "",
            "Give a brain image and a mask of the brain.",
        )
    image, brain = (_for_ants(ants, a, spacing) for a in (array, mask))
    image = ants.n4_bias_field_correction(image, mask=brain)
    made = _atropos(ants, a=image, x=brain, i=f"kmeans[{CLASSES}]")
    labels = np.rint(made.numpy().T).astype(np.uint8)
    return _by_brightness(labels, image.numpy().T, mask)


def by_priors(array: np.ndarray, labels: np.ndarray, mask: np.ndarray, *, spacing: Sequence[float]) -> np.ndarray:
    """The labels that an image shows where a label image says roughly where they are, int64 (k, j, i).

    As `tissues`, but Atropos starts from the given labels, smoothed to maps of probability that weigh a quarter (as in
    ANTs' cortical thickness). What is unlabelled inside the mask is a class of its own.

    Args:
        array: intensities (k, j, i).
        labels: whole numbers (k, j, i), 0 for none.
        mask: bool (k, j, i); labelled voxels outside it are taken in.
        spacing: along k, j, i, mm.

    Raises:
        MissingPackageError: without antspyx.
        InputError: for an image that is constant where it is to be segmented.
    """
    ants = require("ants", "segmentation")
    inside = mask | (labels > 0)
    numbers = np.unique(labels[inside])
    if np.ptp(array[inside]) == 0:
        raise InputError("The image is constant inside the mask.", "", "Give another mask, or leave out the labels.")
    if len(numbers) == 1:
        return np.where(inside, labels, 0)
    image, region = (_for_ants(ants, a, spacing) for a in (array, inside))
    image = ants.n4_bias_field_correction(image, mask=region)
    priors = [_for_ants(ants, prior, spacing) for prior in _priors(labels, numbers, spacing)]
    made = _atropos(ants, a=image, x=region, i=priors, priorweight=_PRIOR_WEIGHT)
    places = np.rint(made.numpy().T).astype(np.int64)
    return np.where(inside & (places > 0), numbers[np.maximum(places - 1, 0)], 0)


def _atropos(ants: Any, **settings: Any) -> Any:
    """The segmentation. Antspyx leaves maps of probability in the temporary folder, so it is lent one of its own."""
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        usual, tempfile.tempdir = tempfile.tempdir, folder
        try:
            return ants.atropos(m=_SMOOTHING, c=_ITERATIONS, r=0, **settings)["segmentation"]
        finally:
            tempfile.tempdir = usual


def _priors(labels: np.ndarray, numbers: np.ndarray, spacing: Sequence[float]) -> list[np.ndarray]:
    """Each label blurred by `_PRIOR_BLUR_MM`, float32 (k, j, i), sum one everywhere."""
    from scipy.ndimage import gaussian_filter

    sigma = [_PRIOR_BLUR_MM / float(h) for h in spacing]
    blurred = [gaussian_filter((labels == n).astype(np.float32), sigma) + 1e-4 for n in numbers]
    total = np.sum(blurred, axis=0)
    return [one / total for one in blurred]


def _for_ants(ants: Any, array: np.ndarray, spacing: Sequence[float]) -> Any:
    """ANTs orders axes i, j, k."""
    step = [float(s) for s in reversed(spacing)]
    return ants.from_numpy(np.ascontiguousarray(array.T, dtype=np.float32), spacing=step)


def _by_brightness(labels: np.ndarray, array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The labels renumbered by rising mean intensity, 0 outside the mask."""
    present = [n for n in range(1, CLASSES + 1) if (labels == n)[mask].any()]
    order = sorted(present, key=lambda n: float(array[mask & (labels == n)].mean()))
    table = np.zeros(256, dtype=np.uint8)
    table[order] = np.arange(1, len(order) + 1)
    return np.where(mask, table[labels], 0).astype(np.uint8)
