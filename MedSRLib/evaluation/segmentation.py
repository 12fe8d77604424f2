"""Whether an automatic segmentation of the result finds what it finds on the reference: Dice and volumes.

    Dice = 2 |A ∩ B| / (|A| + |B|)          volume error = (|B| - |A|) / |A|

with A the label's voxels in the reference and B those in the result (Dice 1945, doi:10.2307/1932409). The labels
are given by the user, or made the same way on both images: bias correction (N4, Tustison et al. 2010,
doi:10.1109/TMI.2010.2046908), then a Markov random field started from k-means (Atropos, Avants et al. 2011,
doi:10.1007/s12021-011-9109-y) with three classes, numbered by rising mean intensity: in T1-weighted brains
cerebrospinal fluid, grey matter and white matter. Nothing is registered: result and reference share a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSRLib._optional import require
from MedSRLib.errors import InputError

CLASSES = 3
_SMOOTHING = "[0.1,1x1x1]"
_ITERATIONS = "[5,0]"


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
    # ANTs orders axes i, j, k.
    step = [float(s) for s in reversed(spacing)]
    image = ants.from_numpy(np.ascontiguousarray(array.T, dtype=np.float32), spacing=step)
    brain = ants.from_numpy(np.ascontiguousarray(mask.T, dtype=np.float32), spacing=step)
    image = ants.n4_bias_field_correction(image, mask=brain)
    made = ants.atropos(a=image, x=brain, i=f"kmeans[{CLASSES}]", m=_SMOOTHING, c=_ITERATIONS, r=0)["segmentation"]
    labels = np.rint(made.numpy().T).astype(np.uint8)
    return _by_brightness(labels, image.numpy().T, mask)


def _by_brightness(labels: np.ndarray, array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The labels renumbered by rising mean intensity, 0 outside the mask."""
    present = [n for n in range(1, CLASSES + 1) if (labels == n)[mask].any()]
    order = sorted(present, key=lambda n: float(array[mask & (labels == n)].mean()))
    table = np.zeros(256, dtype=np.uint8)
    table[order] = np.arange(1, len(order) + 1)
    return np.where(mask, table[labels], 0).astype(np.uint8)
