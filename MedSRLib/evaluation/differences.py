"""Where and by how much a result differs from the reference: signed maps and their histogram.

The difference is result - reference, in the unit of the image: positive where the result is too bright.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_BINS = 121
_SHOWN_PERCENTILE = 99.5


def signed(reference: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Result - reference, float32 (k, j, i)."""
    return np.asarray(image, dtype=np.float32) - np.asarray(reference, dtype=np.float32)


def symmetric_limit(differences: Iterable[np.ndarray], mask: np.ndarray) -> float:
    """One limit L for the maps of all results: the colours run from -L to L, and zero is white.

    L is the largest 99.5th percentile of the absolute differences inside the mask, rounded up to one of
    1, 1.5, 2, 3, 5, 7 times a power of ten; 1 if there is no difference.
    """
    largest = max(float(np.percentile(np.abs(d[mask]), _SHOWN_PERCENTILE)) for d in differences)
    if largest == 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(m * power for m in (1, 1.5, 2, 3, 5, 7, 10) if m * power >= largest * (1 - 1e-9)))


def histogram(difference: np.ndarray, mask: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the differences inside the mask in equal bins from -limit to limit, one centred on zero.

    Differences beyond the limits are counted in the outermost bins.

    Returns:
        Edges (n + 1) and counts (n).
    """
    values = np.clip(difference[mask], -limit, limit)
    counts, edges = np.histogram(values, bins=_BINS, range=(-limit, limit))
    return edges, counts
