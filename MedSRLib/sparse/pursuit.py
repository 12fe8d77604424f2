"""Orthogonal matching pursuit for many signals at once.

Y. Pati, R. Rezaiifar, P. Krishnaprasad, Asilomar 1993, doi:10.1109/ACSSC.1993.342465; as in Batch-OMP (R. Rubinstein,
M. Zibulevsky, M. Elad, Technion CS-2008-08) the inner products of atoms, G = DᵀD, and of atoms and signals, Dᵀf, are
taken once. For the atoms I chosen so far:

    choose argmax |Dᵀr|,   γ = G_II⁻¹ (Dᵀf)_I,   r = f - D_I γ

Departures from Batch-OMP: Dᵀr is one matrix product of all signals, which for signals shorter than the dictionary costs
less than the rows of G; the small systems are solved anew in every round instead of by a growing Cholesky factor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.sparse.codes import Codes

_CHUNK = 8192


def batch_omp(dictionary: Tensor, signals: Tensor, sparsity: int) -> Codes:
    """The codes of signals by ``sparsity`` rounds of orthogonal matching pursuit.

    Args:
        dictionary: (d, atoms), columns of length 1.
        signals: (n, d).
        sparsity: atoms a signal, in the order they are chosen.
    """
    gram = dictionary.T @ dictionary
    parts = [_pursue(dictionary, gram, part, sparsity) for part in signals.split(_CHUNK)]
    return Codes(torch.cat([part.atoms for part in parts]), torch.cat([part.values for part in parts]))


def _pursue(dictionary: Tensor, gram: Tensor, signals: Tensor, sparsity: int) -> Codes:
    products = signals @ dictionary
    left = products.abs()
    codes = Codes(left.argmax(1, keepdim=True), products[:, :0])
    while True:
        codes = Codes(codes.atoms, _solved(gram, products, codes.atoms))
        if codes.atoms.shape[1] == sparsity:
            return codes
        torch.mm(signals - codes.combined(dictionary), dictionary, out=left).abs_().scatter_(1, codes.atoms, -1.0)
        codes = Codes(torch.cat([codes.atoms, left.argmax(1, keepdim=True)], 1), codes.values)


def _solved(gram: Tensor, products: Tensor, chosen: Tensor) -> Tensor:
    """Coefficients of the chosen atoms by least squares; atoms that are alike share theirs."""
    system = gram[chosen[:, :, None], chosen[:, None, :]]
    system.diagonal(dim1=1, dim2=2).add_(10 * torch.finfo(gram.dtype).eps)
    found: Tensor = torch.linalg.solve(system, products.gather(1, chosen))
    return found
