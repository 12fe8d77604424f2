"""Sparse codes by FISTA: min_z ½‖y - D z‖² + λ‖z‖₁ for many signals at once.

A. Beck, M. Teboulle, SIAM J. Imaging Sciences 2(1), 2009, doi:10.1137/080716542, with the restarts of B. O'Donoghue,
E. Candès, Found. Comput. Math. 15, 2015, doi:10.1007/s10208-013-9150-3: a signal's momentum is dropped when it leads
uphill.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.sparse.shrinkage import soft_threshold

_CHUNK = 1024
"""Signals at once: their codes stay in the processor's cache, which halves the time."""

_POWERS = 50
_SLACK = 1.01
"""The power iteration comes from below; a step that is too long would diverge."""


def lasso(
    dictionary: Tensor,
    signals: Tensor,
    penalty: float,
    *,
    iterations: int,
    tolerance: float = 1e-4,
    start: Tensor | None = None,
) -> Tensor:
    """Sparse codes of signals.

    Args:
        dictionary: D (d, atoms).
        signals: (n, d).
        penalty: λ.
        iterations: at most.
        tolerance: stop when no code of a thousand signals moves by more than this.
        start: codes (n, atoms) to begin with; zeros by default.

    Returns:
        (n, atoms).
    """
    gram = dictionary.T @ dictionary
    step = 1.0 / (_SLACK * _largest_eigenvalue(gram))
    chunks = signals.split(_CHUNK)
    starts = [None] * len(chunks) if start is None else start.split(_CHUNK)
    coded = [
        _coded(gram, chunk @ dictionary, penalty, step, iterations, tolerance, first)
        for chunk, first in zip(chunks, starts, strict=True)
    ]
    return torch.cat(coded)


def _coded(
    gram: Tensor, products: Tensor, penalty: float, step: float, iterations: int, tolerance: float, start: Tensor | None
) -> Tensor:
    codes = torch.zeros_like(products) if start is None else start
    ahead, pace = codes, torch.ones(len(codes), 1, dtype=codes.dtype, device=codes.device)
    for _ in range(iterations):
        new = soft_threshold(ahead + step * (products - ahead @ gram), penalty * step)
        moved = new - codes
        uphill = ((ahead - new) * moved).sum(1, keepdim=True) > 0
        faster = torch.where(uphill, torch.ones_like(pace), (1 + (1 + 4 * pace.square()).sqrt()) / 2)
        momentum = torch.where(uphill, torch.zeros_like(pace), (pace - 1) / faster)
        ahead, codes, pace = new + momentum * moved, new, faster
        if float(moved.abs().max()) <= tolerance:
            break
    return codes


def objective(dictionary: Tensor, signals: Tensor, codes: Tensor, penalty: float) -> Tensor:
    """½‖y - D z‖² + λ‖z‖₁ of every signal, (n,)."""
    return 0.5 * (signals - codes @ dictionary.T).square().sum(1) + penalty * codes.abs().sum(1)


def _largest_eigenvalue(gram: Tensor) -> float:
    vector = torch.ones(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(_POWERS):
        vector = gram @ vector
        vector = vector / vector.norm().clamp_min(1e-30)
    return float(vector @ (gram @ vector)) or 1.0
