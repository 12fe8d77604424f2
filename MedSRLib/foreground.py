"""The patient without the surrounding air, found automatically.

    v  = 3 × 3 × 3 mean of the intensities above their lowest (0.1 percentile)
    t  = 0.2 · median of v where v >= t     (fixed point, from the mean down; AFNI's 3dClipLevel asks for 0.5)
    mask = v >= t; specks and thin bridges removed, small gaps closed, everything enclosed filled

The patient's own median sets the threshold, so that a crop without air keeps nearly everything, noisy air
around a head falls below it, and a skull-stripped brain keeps its dark rim.
"""

from __future__ import annotations

import numpy as np

_FRACTION = 0.2
_LOWEST_PERCENT = 0.1
_ITERATIONS = 50
_SMALLEST_SHARE = 0.02
"""Of the largest connected part: smaller parts are specks of noise, larger ones may be a leg."""

_CLOSING_VOXELS = 3


def foreground(array: np.ndarray) -> np.ndarray:
    """The voxels of the patient, bool (k, j, i); all voxels of a constant volume.

    Args:
        array: finite intensities (k, j, i), higher than the air's wherever there is tissue.
    """
    from scipy import ndimage

    low = np.percentile(array, _LOWEST_PERCENT)
    above = np.maximum(array.astype(np.float32) - np.float32(low), 0)
    above = ndimage.uniform_filter(above, 3, mode="nearest")
    threshold = _threshold(above)
    if threshold <= 0:
        return np.ones(array.shape, dtype=bool)
    mask = _large_parts(above >= threshold)
    return _filled(mask)


def _threshold(values: np.ndarray) -> float:
    """The fixed point of t = fraction · median(values >= t), 0 for a constant volume."""
    positive = values[values > 0]
    threshold = float(positive.mean()) if positive.size else 0.0
    for _ in range(_ITERATIONS):
        lower = _FRACTION * float(np.median(positive[positive >= threshold])) if positive.size else 0.0
        if abs(lower - threshold) <= 1e-3 * threshold:
            break
        threshold = lower
    return threshold


def _large_parts(mask: np.ndarray) -> np.ndarray:
    """The mask without specks: opened, then only what hangs together in a large part, given back its rim."""
    from scipy import ndimage

    opened = ndimage.binary_dilation(ndimage.binary_erosion(mask, border_value=1)) & mask
    labels, count = ndimage.label(opened)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (sizes >= _SMALLEST_SHARE * sizes.max())[labels]


def _filled(mask: np.ndarray) -> np.ndarray:
    """The mask with small gaps closed, and holes filled in the volume and in every slice along each axis."""
    from scipy import ndimage

    closed = ndimage.binary_dilation(mask, iterations=_CLOSING_VOXELS)
    closed = ndimage.binary_erosion(closed, iterations=_CLOSING_VOXELS, border_value=1) | mask
    filled = ndimage.binary_fill_holes(closed)
    for axis in range(3):
        if min(n for a, n in enumerate(mask.shape) if a != axis) > 1:
            for plane in np.moveaxis(filled, axis, 0):
                plane |= ndimage.binary_fill_holes(plane)
    return filled
