"""Filters that make an image of given maps, by ridge regression over all voxels: the exact least squares.

    min_G  Σ_n ‖y_n − Σ_k g_k * z_nk‖² + ε ‖G‖²,    g_k = 0 outside its support

The normal equations hold the correlation of every two maps at every difference of two places of the support, and those
come from products of spectra: [(k, p), (l, q)] ↦ Σ_n Σ_r z_nk(r) z_nl(r + p − q). Unlike `filters.updated` there is no
bound on the norm and no iteration; unlike there K · |support| unknowns are solved at once, so K is at most about 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from MedSRLib.sparse import spectra


class Normals:
    """The normal equations, image by image.

    Args:
        count: K.
        support: of the filters.
        size: of the periodic grid of all images.
    """

    def __init__(self, count: int, support: Sequence[int], size: Sequence[int]) -> None:
        self._count, self._support, self._size = count, tuple(support), tuple(size)
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

    def filters(self, ridge: float) -> Tensor:
        """G, (K, *support); ``ridge`` ε counts in voxels of maps of mean square 1."""
        places = prod(self._support)
        left = torch.empty(self._count, places, self._count, places)
        lags = self._lags()
        for k in range(self._count):
            rows = self._gram[:, k].T.reshape(self._count, *self._half)
            correlated = spectra.inverse(rows, self._size).flatten(1)
            left[k] = correlated[:, lags].permute(1, 0, 2)
        right = spectra.cropped(spectra.inverse(self._right, self._size), self._support).flatten()
        matrix = left.view(len(right), len(right))
        weight = ridge * float(matrix.diagonal().mean()) / prod(self._size)
        matrix.diagonal().add_(max(weight, 1e-12))
        found = torch.linalg.solve(matrix.double(), right.double()).float()
        return found.view(self._count, *self._support)

    def _lags(self) -> Tensor:
        """Where, on the flat grid, the correlation for places p and q of the support stands, (p, q)."""
        corners = torch.cartesian_prod(*(torch.arange(s) for s in self._support)).view(-1, len(self._support))
        apart = corners[:, None] - corners[None]
        flat = torch.zeros(apart.shape[:2], dtype=torch.long)
        for axis, n in enumerate(self._size):
            flat = flat * n + apart[..., axis] % n
        return flat
