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


def rank_biserial(better: Sequence[float], worse: Sequence[float]) -> float | None:
    """Effect size that goes with the signed-rank test: matched-pairs rank-biserial correlation, -1 to 1.

        r = (W⁺ - W⁻) / (W⁺ + W⁻)

    with W⁺ and W⁻ the rank sums of the positive and negative differences, equal pairs left out (Kerby 2014,
    doi:10.2466/11.IT.3.1): 1 if ``better`` exceeds ``worse`` in every pair, 0 if neither does. None if all pairs
    are equal or a value is not finite.

    Raises:
        InputError: for lists of different length.
    """
    difference = _differences(better, worse)
    if not np.isfinite(difference).all() or not difference.any():
        return None
    from scipy.stats import rankdata

    difference = difference[difference != 0]
    ranks = rankdata(np.abs(difference))
    return float(np.sum(np.sign(difference) * ranks) / ranks.sum())


def cohen_d(better: Sequence[float], worse: Sequence[float]) -> float | None:
    """Cohen's d of paired values (d_z): mean of the differences over their standard deviation (n - 1).

    None with fewer than two pairs, values that are not finite, or differences that are all the same.

    Raises:
        InputError: for lists of different length.
    """
    difference = _differences(better, worse)
    if len(difference) < 2 or not np.isfinite(difference).all():
        return None
    deviation = float(difference.std(ddof=1))
    return float(difference.mean()) / deviation if deviation > 0 else None


def bootstrap_interval(
    values: Sequence[float], *, seed: int, confidence: float = 0.95, resamples: int = 9999
) -> tuple[float, float] | None:
    """Confidence interval of the mean: bias-corrected and accelerated bootstrap (BCa, Efron 1987).

        (α₁, α₂) = Φ(z₀ + (z₀ ± z) / (1 - a (z₀ ± z)))    quantiles of the resampled means

    with z₀ from the share of resampled means below the mean, and the acceleration a from leaving out one value
    at a time. For paired methods, give the differences. The same seed gives the same interval.

    Returns:
        Lower and upper end; both are the value if all values are the same; None with fewer than two values or
        values that are not finite.
    """
    from scipy.stats import norm

    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2 or not np.isfinite(array).all():
        return None
    mean, n = float(array.mean()), len(array)
    if np.ptp(array) == 0:
        return mean, mean
    generator = np.random.default_rng(seed)
    means = np.array([array[generator.integers(0, n, n)].mean() for _ in range(resamples)])
    below = (np.sum(means < mean) + np.sum(means <= mean)) / (2 * resamples)
    z0 = norm.ppf(np.clip(below, 1 / resamples, 1 - 1 / resamples))
    # Leaving out value i moves the mean by (mean - value_i) / (n - 1), so that the acceleration is a skewness.
    moved = array - mean
    acceleration = np.sum(moved**3) / (6 * np.sum(moved**2) ** 1.5)
    z = z0 + norm.ppf(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    low, high = np.quantile(means, norm.cdf(z0 + z / (1 - acceleration * z)))
    return float(low), float(high)


def _differences(better: Sequence[float], worse: Sequence[float]) -> np.ndarray:
    if len(better) != len(worse):
        raise InputError(f"A paired comparison of {len(better)} and {len(worse)} values is not possible.")
    return np.asarray(better, dtype=np.float64) - np.asarray(worse, dtype=np.float64)
