"""The patient without the surrounding air, found automatically.

    x    = the intensities above their lowest (0.1 percentile), v its 3 × 3 × 3 mean
    t    = 0.2 · median of v where v >= t    (fixed point, from the mean down; AFNI's 3dClipLevel takes 0.5)
    mask = x >= t and v >= t, specks removed, gaps closed, all that is enclosed filled

The patient's own median sets the threshold, so that a crop without air keeps nearly everything, noisy air
around a head falls below it, and a skull-stripped brain keeps its dark rim.
"""

from __future__ import annotations

import numpy as np

_FRACTION = 0.2
_LOWEST_PERCENT = 0.1
_ITERATIONS = 50
_SAMPLES = 1_000_000
"""Enough voxels to know a percentile or a median by."""

_SMALLEST_SHARE = 0.02
"""Of the largest connected part: smaller parts are specks of noise, larger ones may be a limb."""

_CLOSING_VOXELS = 3
"""Half the width of the gaps that are closed."""


def foreground(array: np.ndarray) -> np.ndarray:
    """The voxels of the patient, bool (k, j, i); all voxels of a constant volume.

    Args:
        array: finite intensities (k, j, i), higher in tissue than in air.
    """
    from scipy.ndimage import uniform_filter

    low = np.percentile(_sample(array), _LOWEST_PERCENT)
    above = np.maximum(array.astype(np.float32) - np.float32(low), 0)
    smooth = uniform_filter(above, 3, mode="nearest")
    threshold = _threshold(_sample(smooth))
    if threshold <= 0:
        return np.ones(array.shape, dtype=bool)
    return _filled(_closed(_large_parts((above >= threshold) & (smooth >= threshold))))


def _sample(array: np.ndarray) -> np.ndarray:
    """About a million voxels on a regular lattice; all of a smaller volume."""
    step = max(1, round((array.size / _SAMPLES) ** (1 / 3)))
    return array[tuple(slice(None, None, min(step, n)) for n in array.shape)]


def _threshold(values: np.ndarray) -> float:
    """The fixed point of t = fraction · median(values >= t), 0 for a constant volume."""
    if not (values > 0).any():
        return 0.0
    threshold = float(values[values > 0].mean())
    for _ in range(_ITERATIONS):
        lower = _FRACTION * float(np.median(values[values >= threshold]))
        if abs(lower - threshold) <= 1e-3 * threshold:
            break
        threshold = lower
    return threshold


def _large_parts(mask: np.ndarray) -> np.ndarray:
    """What is thicker than 3 voxels and hangs together in a large part; the mask itself if nothing is."""
    from scipy.ndimage import label

    opened = _grown(_shrunk(mask, 1), 1)
    labels, count = label(opened)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (sizes >= _SMALLEST_SHARE * sizes.max())[labels]


def _closed(mask: np.ndarray) -> np.ndarray:
    return _shrunk(_grown(mask, _CLOSING_VOXELS), _CLOSING_VOXELS)


def _filled(mask: np.ndarray) -> np.ndarray:
    """The mask and all that it encloses, in the volume or in a slice along any axis (a neck is open below)."""
    planes = [_enclosed(mask, axes) for axes in ((0, 1, 2), (1, 2), (0, 2), (0, 1))]
    return np.logical_or.reduce([mask, *planes])


def _enclosed(mask: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The voxels outside the mask from which no path along ``axes`` leads out of the volume."""
    from scipy.ndimage import label

    steps = np.zeros((3, 3, 3), dtype=bool)
    steps[1, 1, 1] = True
    for axis in axes:
        steps[tuple(slice(None) if a == axis else 1 for a in range(3))] = True
    labels, count = label(~mask, steps)
    closed = np.ones(count + 1, dtype=bool)
    closed[0] = False
    for axis in axes:
        for end in (0, -1):
            closed[np.take(labels, end, axis)] = False
    return closed[labels]


def _grown(mask: np.ndarray, voxels: int) -> np.ndarray:
    """Dilated by a cube; nothing grows in from outside the volume."""
    from scipy.ndimage import maximum_filter

    return maximum_filter(mask.view(np.uint8), 2 * voxels + 1, mode="constant", cval=0).view(bool)


def _shrunk(mask: np.ndarray, voxels: int) -> np.ndarray:
    """Eroded by a cube; what touches the border of the volume is taken to go on outside."""
    from scipy.ndimage import minimum_filter

    return minimum_filter(mask.view(np.uint8), 2 * voxels + 1, mode="constant", cval=1).view(bool)
