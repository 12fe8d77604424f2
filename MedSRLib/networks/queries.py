"""Where a network is asked for intensities: the product of three vectors of positions.

Positions are continuous voxel indices of the input along its axes (k, j, i): 0 is the centre of the first voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from MedSRLib.inference.sampling import interpolation_matrix


@dataclass(frozen=True)
class Queries:
    """Where the network is asked: the product of three position vectors.

    Attributes:
        positions: continuous input indices of the query planes along k, j and i.
        step: distance of neighbouring queries along k, j and i in input voxels (one over the scale).
    """

    positions: tuple[np.ndarray, np.ndarray, np.ndarray]
    step: tuple[float, float, float]

    def rows(self, start: int, stop: int) -> Queries:
        """Only the query planes ``start`` to ``stop`` along k."""
        k, j, i = self.positions
        return Queries((k[start:stop], j, i), self.step)


def axis_matrices(
    kind: str, shape: tuple[int, ...], queries: Queries, padding: str = "border"
) -> tuple[Tensor, Tensor, Tensor]:
    """Interpolation matrices from the input's k, j, i to the queries', float32."""
    mk, mj, mi = (
        interpolation_matrix(kind, size, where, padding=padding)  # type: ignore[arg-type]
        for size, where in zip(shape, queries.positions, strict=True)
    )
    return mk, mj, mi
