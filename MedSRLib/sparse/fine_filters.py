"""Fine filters and the mapping to them from coarse maps, by turns (S. Gu et al., ICCV 2015, equations of training).

    min_{F, W}  ½ Σ_n ‖x_n − Σ_j F_j * (Σ_k w_jk z_nk)↑‖²,   ‖F_j‖ ≤ bound,   w_j ≥ 0,  Σ_k w_jk = 1

F by `filters.updated`, W by projected gradient steps on the simplex, each as long as the data term falls. All that is
needed of the images are their products with the coarse maps (`filters.Evidence`, one target for each phase).

Departure: both start from the filters that fit the maps best without a bound, and one-hot rows of W.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.sparse import filters
from MedSRLib.sparse.csc_sr import effective
from MedSRLib.sparse.filters import Evidence

_HALVINGS = 12


def started(evidence: Evidence, count: int, support: tuple[int, ...], bound: float) -> tuple[Tensor, Tensor]:
    """Fine filters (J, P, *support) and a one-hot mapping (J, K); the maps that explain most have several filters."""
    free = evidence.right.real.new_zeros(evidence.count, evidence.targets, *support)
    free = filters.updated(free, evidence, iterations=30, bound=float("inf"))
    needs = free.flatten(1).norm(dim=1) / bound
    mapping = torch.zeros(count, evidence.count, dtype=free.dtype, device=free.device)
    given = torch.zeros_like(needs)
    for j in range(count):
        k = int(torch.argmax(needs / (given + 1e-3))) if j >= evidence.count else j
        mapping[j, k] = 1
        given[k] += 1
    return filters.shortened(mapping @ (free / given.view(-1, *[1] * (free.ndim - 1))).flatten(1), bound).view(
        count, *free.shape[1:]
    ), mapping


def improved(fine: Tensor, mapping: Tensor, evidence: Evidence, bound: float, steps: int = 3) -> tuple[Tensor, Tensor]:
    """One turn: the filters, then some steps of the mapping. The data term does not rise."""
    fine = filters.updated(fine, evidence.mapped(mapping), iterations=10, bound=bound)
    length = 1.0
    for _ in range(steps):
        mapping, length = _stepped(fine, mapping, evidence, length)
    return fine, mapping


def _stepped(fine: Tensor, mapping: Tensor, evidence: Evidence, length: float) -> tuple[Tensor, float]:
    """A projected gradient step on the simplex, halved until the data term falls; and a length for the next."""
    filters_now = effective(mapping, fine)
    before = evidence.data_term(filters_now)
    slope = torch.einsum("jp...,kp...->jk", fine, evidence.gradient(filters_now))
    slope = slope / slope.abs().max().clamp_min(1e-12)
    for _ in range(_HALVINGS):
        tried = on_simplex(mapping - length * slope)
        if evidence.data_term(effective(tried, fine)) < before:
            return tried, 2 * length
        length /= 2
    return mapping, length


def on_simplex(rows: Tensor) -> Tensor:
    """The nearest rows (J, K) that are not negative and add up to 1 (J. Duchi et al., ICML 2008)."""
    falling = rows.sort(dim=1, descending=True).values
    excess = falling.cumsum(1) - 1
    places = torch.arange(1, rows.shape[1] + 1, device=rows.device, dtype=rows.dtype)
    used = (falling * places > excess).sum(1, keepdim=True)
    return (rows - excess.gather(1, used - 1) / used).clamp_min(0)
