"""Sparse codes: for every signal a few atoms and their coefficients."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Codes:
    """Sparse codes: the atoms (n, sparsity) of every sample, and their coefficients (n, sparsity)."""

    atoms: Tensor
    values: Tensor

    def combined(self, dictionary: Tensor) -> Tensor:
        """What the codes make of a dictionary (d, atoms): (n, d)."""
        rows = dictionary.T.contiguous()
        return functional.embedding_bag(self.atoms, rows, mode="sum", per_sample_weights=self.values)
