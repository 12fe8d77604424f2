"""Agreement of a result with the reference, voxel by voxel: Bland and Altman's plot.

J. Bland, D. Altman, "Statistical methods for assessing agreement between two methods of clinical measurement", Lancet
327, 1986: the difference of two measurements over their mean, with the bias and the limits of agreement

    bias ± 1.96 s,   s the sample standard deviation of the differences.

Voxels of an image are not independent, so no confidence is stated for the limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHOWN_POINTS = 4000


@dataclass(frozen=True, eq=False)
class Agreement:
    """Bias and limits over all voxels of the mask, and some of the points to draw.

    Attributes:
        bias: mean of result - reference.
        low, high: limits of agreement.
        means, differences: of at most `SHOWN_POINTS` voxels.
    """

    bias: float
    low: float
    high: float
    means: np.ndarray
    differences: np.ndarray


def bland_altman(reference: np.ndarray, difference: np.ndarray, mask: np.ndarray, *, seed: int = 0) -> Agreement:
    """The agreement inside a mask.

    Args:
        reference: (k, j, i).
        difference: result - reference, same shape and unit.
        mask: bool, with at least one voxel.
        seed: of the choice of the points that are kept.
    """
    d = np.asarray(difference[mask], dtype=np.float64)
    bias = float(d.mean())
    reach = 1.96 * float(d.std(ddof=1)) if len(d) > 1 else 0.0
    chosen = np.arange(len(d))
    if len(d) > SHOWN_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(d), SHOWN_POINTS, replace=False))
    means = reference[mask][chosen] + d[chosen] / 2
    return Agreement(bias, bias - reach, bias + reach, means, d[chosen])
