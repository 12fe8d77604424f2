"""Filters that make an image of given maps, by ridge regression over all voxels: the exact least squares.

    min_G  Σ_n ‖y_n − Σ_k g_k * z_nk‖² + ε ‖G‖²,    g_k = 0 outside its support

The normal equations hold the correlation of every two maps at every difference of two places of their supports, and
those come from products of spectra: [(k, p), (l, q)] ↦ Σ_n Σ_r z_nk(r) z_nl(r + p − q). Unlike `filters.updated` it has
no bound on the norm and no iteration; unlike there all Σ_k |support_k| unknowns, 10 000 at most, are found at once.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from MedSRLib.sparse import spectra


class Normals:
    """The normal equations, image by image.

    Args:
        supports: of the filter of each map, K of them; they may differ.
        size: of the periodic grid of all images.
    """

    def __init__(self, supports: Sequence[Sequence[int]], size: Sequence[int]) -> None:
        self._supports, self._size = [tuple(support) for support in supports], tuple(size)
        count = len(self._supports)
        half = (*self._size[:-1], self._size[-1] // 2 + 1)
        self._gram = torch.zeros(prod(half), count, count, dtype=torch.complex64)
        self._right = torch.zeros(count, *half, dtype=torch.complex64)
        self._half = half

    def add(self, maps: Tensor, images: Tensor) -> None:
        """Some more images (n, *size) with their maps (n, K, *size)."""
        for z, y in zip(maps, images, strict=True):
            of_maps = spectra.forward(z, len(self._size))
            self._right += of_maps.conj() * spectra.forward(y, len(self._size))
            flat = of_maps.flatten(1).T
            self._gram.baddbmm_(flat.conj().unsqueeze(2), flat.unsqueeze(1))

    def filters(self, ridge: float) -> list[Tensor]:
        """G, each filter of its own support; ``ridge`` ε counts in voxels of maps of the filters' mean energy."""
        matrix, right = self._matrix(), self._wanted()
        weight = ridge * float(matrix.diagonal().mean()) / prod(self._size)
        matrix.diagonal().add_(max(weight, 1e-12))
        found = torch.linalg.solve(matrix, right).float().split([prod(support) for support in self._supports])
        return [part.view(support) for part, support in zip(found, self._supports, strict=True)]

    def _matrix(self) -> Tensor:
        """The correlations of all maps at all places of their filters, float64."""
        ends = torch.tensor([0, *(prod(support) for support in self._supports)]).cumsum(0).tolist()
        left = torch.empty(ends[-1], ends[-1], dtype=torch.float64)
        lags = functools.cache(self._lags)
        for k, first in enumerate(self._supports):
            rows = self._gram[:, k].T.reshape(len(self._supports), *self._half)
            correlated = spectra.inverse(rows, self._size).flatten(1)
            for m, second in enumerate(self._supports):
                left[ends[k] : ends[k + 1], ends[m] : ends[m + 1]] = correlated[m, lags(first, second)]
        return left

    def _wanted(self) -> Tensor:
        """The correlation of every map with the images at the places of its filter, float64."""
        grids = spectra.inverse(self._right, self._size)
        parts = [
            spectra.cropped(grid[None], support).flatten() for grid, support in zip(grids, self._supports, strict=True)
        ]
        return torch.cat(parts).double()

    def _lags(self, first: tuple[int, ...], second: tuple[int, ...]) -> Tensor:
        """Where, on the flat grid, the correlation for places p and q of two supports stands, (p, q)."""
        apart = _places(first)[:, None] - _places(second)[None]
        flat = torch.zeros(apart.shape[:2], dtype=torch.long)
        for axis, n in enumerate(self._size):
            flat = flat * n + apart[..., axis] % n
        return flat


def _places(support: tuple[int, ...]) -> Tensor:
    """The places of a support, from its middle."""
    return torch.cartesian_prod(*(torch.arange(s) - s // 2 for s in support)).view(-1, len(support))
