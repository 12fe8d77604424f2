"""Sliding windows as matrices: smoothing along one axis is a product with a band of the kernel's weights.

    (M x)[r] = Σ_t kernel[t] x[r + t - radius],   radius = (length - 1) / 2

Dense products run near the peak speed of a processor or GPU, and one row costs what 256 multiplications cost:
for the axes of medical images that beats a convolution of one channel.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Border = Literal["valid", "reflected", "mirrored", "nearest"]
"""Beyond the border (a b c d): valid, none is needed; reflected, c b | a b c; mirrored, b a | a b c;
nearest, a a | a b c."""


def gaussian(length: int, sigma: float) -> np.ndarray:
    """Gaussian weights of odd ``length`` (samples) that sum to one, ``sigma`` in samples."""
    t = np.arange(length) - (length - 1) / 2
    weights = np.exp(-0.5 * np.square(t / sigma))
    return np.asarray(weights / weights.sum())


def band(kernel: np.ndarray, size: int, border: Border) -> np.ndarray:
    """The matrix M above for an axis of ``size`` samples, float64.

    Returns:
        Shape (size, size), or (size - length + 1, size) for "valid".
    """
    rows, start = (size - len(kernel) + 1, 0) if border == "valid" else (size, -(len(kernel) // 2))
    index = np.arange(rows)[:, None] + np.arange(len(kernel)) + start
    if border == "nearest" or size == 1:
        index = np.clip(index, 0, size - 1)
    elif border != "valid":
        period = 2 * size - 2 if border == "reflected" else 2 * size
        index = np.mod(index, period)
        index = np.minimum(index, period - index - (0 if border == "reflected" else 1))
    matrix = np.zeros((rows, size))
    np.add.at(matrix, (np.arange(rows)[:, None], index), np.broadcast_to(kernel, index.shape))
    return matrix


def bands(kernel: np.ndarray, shape: tuple[int, ...], border: Border, like: Tensor) -> list[Tensor]:
    """`band` for each axis of ``shape``, in the type and on the device of ``like``."""
    made = {n: torch.from_numpy(band(kernel, n, border)).to(like) for n in set(shape)}
    return [made[n] for n in shape]
