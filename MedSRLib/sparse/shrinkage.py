"""Soft thresholding, the proximal operator of the absolute value: argmin_z ½(z - u)² + t|z|."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def soft_threshold(u: Tensor, threshold: float | Tensor) -> Tensor:
    """``sign(u) max(|u| - t, 0)``, same shape.

    Args:
        u: any shape.
        threshold: t >= 0; a number, or a tensor that broadcasts with u.
    """
    if isinstance(threshold, Tensor):
        return u - u.clamp(-threshold, threshold)
    return functional.softshrink(u, threshold)
