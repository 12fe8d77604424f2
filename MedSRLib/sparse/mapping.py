"""The mapping W between the maps of two modalities, by ridge regression over all voxels of all images.

    W = argmin (β/2) Σ ‖zʸ − W zˣ‖² + (γ/2) ‖W‖²  =  Zʸ Zˣᵀ (Zˣ Zˣᵀ + (γ/β) I)⁻¹                 full, K × K
    w_k = ⟨zʸ_k, zˣ_k⟩ / (‖zˣ_k‖² + γ/β)                                                          diagonal, K

Y. Huang, L. Shao, A. F. Frangi, "Simultaneous super-resolution and cross-modality synthesis of 3D medical images using
weakly-supervised joint convolutional sparse coding", CVPR 2017, the third of the alternating steps. W acts across the
maps at each voxel, as a convolution with filters of one voxel. Images are streamed: two K × K matrices are kept.

Departure, an option: ``centre`` c has (γ/2) ‖W − c I‖² in place of (γ/2) ‖W‖².
"""

from __future__ import annotations

import torch
from torch import Tensor

KINDS = ("full", "diagonal")


class Grams:
    """Zˣ Zˣᵀ and Zʸ Zˣᵀ, added up in float64.

    Args:
        count: K.
    """

    def __init__(self, count: int) -> None:
        self.source = torch.zeros(count, count, dtype=torch.float64)
        self.cross = torch.zeros(count, count, dtype=torch.float64)

    def add(self, source: Tensor, target: Tensor) -> None:
        """Maps (n, K, *size) of some images in both modalities."""
        for x, y in zip(source.flatten(2), target.flatten(2), strict=True):
            self.source += (x @ x.T).double().cpu()
            self.cross += (y @ x.T).double().cpu()

    def full(self, ridge: float, centre: float = 0.0) -> Tensor:
        """W, (K, K), float64.

        Args:
            ridge: γ/β.
            centre: the ridge draws W to this times the identity.
        """
        one = ridge * torch.eye(len(self.source), dtype=torch.float64)
        return torch.linalg.solve(self.source + one, (self.cross + centre * one).T).T

    def diagonal(self, ridge: float, centre: float = 0.0) -> Tensor:
        """w, (K,), float64."""
        return (self.cross.diagonal() + centre * ridge) / (self.source.diagonal() + ridge)

    def solved(self, kind: str, ridge: float, centre: float = 0.0) -> Tensor:
        """One of `KINDS`."""
        return self.full(ridge, centre) if kind == "full" else self.diagonal(ridge, centre)


def mapped(mapping: Tensor, maps: Tensor) -> Tensor:
    """W z for maps (n, K, *size), real or complex, and W of (K, K) or its diagonal (K,)."""
    if mapping.ndim == 1:
        return maps * mapping.view(-1, *[1] * (maps.ndim - 2))
    if maps.is_complex():
        real = torch.view_as_real(maps).flatten(2)
        return torch.view_as_complex((mapping @ real).view(*maps.shape, 2))
    return (mapping @ maps.flatten(2)).view(maps.shape)


def transposed(mapping: Tensor) -> Tensor:
    """Wᵀ."""
    return mapping if mapping.ndim == 1 else mapping.T
