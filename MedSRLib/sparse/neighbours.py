"""Neighbour embedding: a feature as the mean of its nearest atoms, locally linear (LLE).

H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004,
doi:10.1109/CVPR.2004.1315043; weights of S. Roweis, L. Saul, Science 290, 2000, doi:10.1126/science.290.5500.2323:

    min ‖f - Σ u_j d_j‖²,  Σ u_j = 1:    Z = D_N - f 1ᵀ,  (ZᵀZ + ε tr(ZᵀZ) I) u = 1,  u ← u / Σu
"""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-4


def lle_weights(features: Tensor, candidates: Tensor, ridge: float = RIDGE) -> Tensor:
    """Weights that sum to 1 and come nearest to each feature.

    Args:
        features: (n, d).
        candidates: (n, neighbours, d).
        ridge: ε.

    Returns:
        (n, neighbours).
    """
    shifted = candidates - features[:, None]
    system = shifted @ shifted.mT
    diagonal = system.diagonal(dim1=1, dim2=2)
    diagonal += ridge * diagonal.sum(1, keepdim=True).clamp_min(torch.finfo(system.dtype).tiny)
    weights: Tensor = torch.linalg.solve(system, system.new_ones(system.shape[:2]))
    return weights / weights.sum(1, keepdim=True)
