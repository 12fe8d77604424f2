"""Linear maps from features to patches, one for all, or one an atom, and their fast application.

R. Timofte, V. De Smet, L. Van Gool: "Anchored neighborhood regression for fast example-based super-resolution", ICCV
2013, doi:10.1109/ICCV.2013.241; "A+: adjusted anchored neighborhood regression", ACCV 2014,
doi:10.1007/978-3-319-16817-3_8.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.sparse.codes import Codes


def coupled_dictionary(codes: Codes, targets: Tensor, atoms: int) -> Tensor:
    """The fine dictionary that the coarse codes describe best: P Γᵀ (Γ Γᵀ)⁻¹, (patch, atoms).

    Args:
        codes: of the coarse samples.
        targets: fine patches of the same samples, (n, patch).
        atoms: of the dictionary; those that no code uses become zero.
    """
    product = targets.new_zeros(atoms, targets.shape[1])
    for number in range(codes.atoms.shape[1]):
        product.index_add_(0, codes.atoms[:, number], targets * codes.values[:, number, None])
    moments = torch.zeros(atoms * atoms, dtype=torch.float64, device=targets.device)
    for one in range(codes.atoms.shape[1]):
        for other in range(codes.atoms.shape[1]):
            places = codes.atoms[:, one] * atoms + codes.atoms[:, other]
            moments.index_add_(0, places, (codes.values[:, one] * codes.values[:, other]).double())
    moments = moments.reshape(atoms, atoms)
    moments.diagonal().add_(1e-9 * moments.diagonal().mean().clamp_min(1e-30))
    found: Tensor = torch.linalg.solve(moments, product.double())
    return found.T.to(targets.dtype).contiguous()


def ridge_regressor(low: Tensor, high: Tensor, penalty: float) -> Tensor:
    """``H (LᵀL + λI)⁻¹ Lᵀ``: columns of ``low`` (..., d, n) to those of ``high`` (..., p, n); (..., p, d).

    Solved in the smaller of both forms; the other is ``H Lᵀ (L Lᵀ + λI)⁻¹``.
    """
    d, n = low.shape[-2:]
    system = low @ low.mT if d <= n else low.mT @ low
    system.diagonal(dim1=-2, dim2=-1).add_(penalty)
    if d <= n:
        return torch.linalg.solve(system, low @ high.mT).mT
    return high @ torch.linalg.solve(system, low.mT)


def global_penalty(atoms: int) -> float:
    """λ of global regression for a dictionary of so many atoms, as the authors' program has it."""
    return next((penalty for most, penalty in ((1024, 0.01), (2048, 0.1), (8192, 1.0)) if atoms < most), 5.0)


def anchored_regressors(low: Tensor, high: Tensor, neighbours: int, penalty: float) -> Tensor:
    """For every atom the ridge regressor of the atoms most correlated with it, times 1 + λ.

    Args:
        low: (d, atoms), columns of length 1.
        high: (p, atoms).
        neighbours: atoms of a neighbourhood.
        penalty: λ.

    Returns:
        (atoms, p, d).
    """
    near = (low.T @ low).abs().topk(min(neighbours, low.shape[1]), dim=1).indices
    lows, highs = low.T[near].mT, high.T[near].mT
    return (1 + penalty) * ridge_regressor(lows, highs, penalty)


def adjusted_regressors(atoms: Tensor, low: Tensor, high: Tensor, neighbours: int, penalty: float) -> Tensor:
    """For every atom the ridge regressor of the training samples nearest to it.

    Args:
        atoms: (d, atoms), columns of length 1.
        low: features (n, d) of the samples.
        high: patches (n, p) of the samples.
        neighbours: samples of a neighbourhood.
        penalty: λ.

    Returns:
        (atoms, p, d).
    """
    squares = low.square().sum(1)
    found = []
    for atom in atoms.T:
        near = torch.topk(squares - 2 * (low @ atom), min(neighbours, len(low)), largest=False).indices
        found.append(ridge_regressor(low[near].T, high[near].T, penalty))
    return torch.stack(found)


def apply_by_atom(features: Tensor, atoms: Tensor, regressors: Tensor) -> Tensor:
    """Every feature through the regressor of its atom, one matrix product an atom.

    Args:
        features: (n, d).
        atoms: the atom of each, (n,).
        regressors: (atoms, p, d).

    Returns:
        (n, p).
    """
    order = torch.argsort(atoms)
    counts = torch.bincount(atoms, minlength=len(regressors)).tolist()
    out = features.new_empty(len(features), regressors.shape[1])
    sorted_features = features[order]
    start = 0
    made = torch.empty_like(out)
    for number, count in enumerate(counts):
        if count:
            torch.mm(sorted_features[start : start + count], regressors[number].T, out=made[start : start + count])
            start += count
    out[order] = made
    return out
