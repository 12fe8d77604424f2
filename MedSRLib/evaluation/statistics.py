"""Whether one method beats another over the same subjects: paired tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from MedSRLib.errors import InputError

MIN_SUBJECTS = 6
"""With fewer pairs the smallest possible p, 2⁻ⁿ, is above 0.03 before any correction: none is stated."""


def wilcoxon_greater(better: Sequence[float], worse: Sequence[float]) -> float | None:
    """One-sided p of the Wilcoxon signed-rank test (1945) that ``better`` exceeds ``worse``, pair by pair.

    Returns:
        p, or None with fewer than six pairs or non-finite values; 1 when all pairs are equal.

    Raises:
        InputError: for lists of different length.
    """
    if len(better) != len(worse):
        raise InputError(f"A paired test of {len(better)} and {len(worse)} values is not possible.")
    difference = np.asarray(better, dtype=np.float64) - np.asarray(worse, dtype=np.float64)
    if len(difference) < MIN_SUBJECTS or not np.isfinite(difference).all():
        return None
    if not difference.any():
        return 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(difference, alternative="greater").pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction (1979) of a family of p-values; None stays None and is not counted.

    Sorted ascending, the i-th of m (from zero) becomes the largest so far of min(1, (m - i) p_i).
    """
    given = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(given):
        largest = max(largest, min(1.0, (len(given) - rank) * p))
        corrected[i] = largest
    return corrected


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); the latter is None for a single value."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None
