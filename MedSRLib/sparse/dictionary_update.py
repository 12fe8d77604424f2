"""The best dictionary for given codes: min_D ½ Σ‖s - D z‖² with columns of length at most 1.

Block coordinate descent, J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization and sparse
coding", JMLR 11, 2010, Algorithm 2. With A = Σ z zᵀ and B = Σ s zᵀ, for every column in turn

    u = d_j + (b_j - D a_j) / A_jj,   d_j ← u / max(‖u‖, 1)

Each step solves its column exactly, so the sum never grows.
"""

from __future__ import annotations

from torch import Tensor


def update_dictionary(dictionary: Tensor, samples: Tensor, codes: Tensor) -> Tensor:
    """One pass over all columns.

    Args:
        dictionary: D (d, atoms); left as it is.
        samples: (n, d).
        codes: (n, atoms).

    Returns:
        (d, atoms); columns that no code uses are as they were.
    """
    moments, products = codes.T @ codes, codes.T @ samples
    rows = dictionary.T.clone()
    weights = moments.diagonal().tolist()
    for number, weight in enumerate(weights):
        if weight > 0:
            row = rows[number] + (products[number] - moments[number] @ rows) / weight
            rows[number] = row / row.norm().clamp_min(1.0)
    return rows.T.contiguous()
