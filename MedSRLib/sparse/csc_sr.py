"""CSC-SR: convolutional sparse coding of the coarse image, and filters of the fine one for its maps.

S. Gu et al., "Convolutional sparse coding for image super-resolution", ICCV 2015, doi:10.1109/ICCV.2015.212.

    y = smooth + rest                       the smooth part is enlarged by cubic interpolation
    rest ≈ Σ_k f_k * z_k                    K coarse filters; the maps z_k by `coding`
    result = cubic(smooth + left) + Σ_j F_j * (Σ_k w_jk z_k)↑        w_j ≥ 0, Σ_k w_jk = 1

with left = rest − Σ_k f_k * z_k, what the maps do not explain; ↑ puts a coefficient on its fine place and zeros
elsewhere. J fine filters F_j cover the fine voxels of the coarse filters' support.

Departures from the paper:
- ``dimensions=3`` (ours) codes volumes with cubic filters; ``dimensions=2`` is the paper's;
- ``direct`` (ours), if not 0 as in the paper, is the edge of a linear filter for each phase through which the rest goes
  to the result beside the codes, learned before the fine filters, by ridge regression: the codes then add what no
  linear filter can. Without them what the codes leave is dropped as noise;
- the smooth part is that of `sparse.smooth` (a penalty on its gradient), where the paper codes it with one flat 3 × 3
  filter and a penalty on that map's gradient;
- filters are learned by the consensus of `sparse.filters` over crops, where the paper averages stochastically;
- mapping and fine filters are linear in the maps, so that both are applied as one filter a map, G_k = Σ_j w_jk F_j,
  whose phases are ordinary convolutions of the coarse maps;
- a fine filter may be as long as 2 √(fine voxels in a coarse one), the paper's bound being 1: a coarse filter of norm 1
  has about half that norm when it is only finer, and what blur took away comes on top;
- ρ and the number of iterations are fixed, so that tiles of an image are coded alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.sparse import coding, smooth
from MedSRLib.sparse.coding import Settings
from MedSRLib.sparse.patch_network import enlarged


@dataclass(frozen=True)
class CSCSRConfig(NetworkConfig):
    """Ours: small enough for processors. The paper's filters are about 800 coarse and 1000 fine ones, in 2D.

    Attributes:
        scale: the same whole factor, from 2, along all axes of the image (j, i, or k, j, i).
        dimensions: 2 or 3.
        filters: K.
        fine_filters: J.
        support: edge of a coarse filter, odd.
        penalty: λ of the maps, for normalised intensities.
        smoothness: η of the smooth part.
        iterations: of the coding.
        rho: ρ of the coding.
        direct: edge of the linear filters beside the codes in coarse voxels, odd; 0 for none.
    """

    title: ClassVar[str] = "CSC-SR"
    citation: ClassVar[str] = "S. Gu et al., Convolutional sparse coding for image super-resolution, ICCV 2015"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {
        "dimensions": (2, 3),
        "support": (3, 5, 7, 9, 11),
        "direct": (0, 3, 5, 7, 9),
    }

    scale: tuple[int, ...] = (2, 2, 2)
    dimensions: int = 3
    filters: int = 64
    fine_filters: int = 80
    support: int = 5
    penalty: float = 0.01
    smoothness: float = 5.0
    iterations: int = 40
    rho: float = 1.0
    direct: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scale) != self.dimensions or len(set(self.scale)) > 1 or self.scale[0] < 2:
            raise ModelError(
                f"The CSC-SR setting scale = {list(self.scale)} cannot be.",
                "The filters refine all their axes alike, by a whole factor.",
                f"Use one whole number from 2, {self.dimensions} times.",
            )

    @property
    def factor(self) -> int:
        """The scale."""
        return self.scale[0]

    @property
    def coding(self) -> Settings:
        """How maps are found."""
        return Settings(self.penalty, self.iterations, self.rho, tolerance=0, ratio=0, every=self.iterations)

    @property
    def bound(self) -> float:
        """Largest norm of a fine filter."""
        return 2 * float(prod(self.scale)) ** 0.5


class CSCSR(nn.Module):
    """(n, 1, *size) to (n, 1, *(size · scale))."""

    coarse: Tensor
    fine: Tensor
    mapping: Tensor
    direct: Tensor

    def __init__(self, config: CSCSRConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        self.halo = 3 * config.support
        """Input voxels of context: what lies farther changes a result by some thousandths of the rest at most."""
        self.live_channels = 12 * config.filters
        """Numbers of 16 bits for a voxel: maps twice and spectra twice in 32 bits, on a grid larger by its margins."""
        support = (config.support,) * config.dimensions
        self.register_buffer("coarse", torch.zeros(config.filters, *support))
        self.register_buffer("fine", torch.zeros(config.fine_filters, prod(config.scale), *support))
        self.register_buffer("mapping", torch.zeros(config.fine_filters, config.filters))
        if config.direct:
            self.register_buffer("direct", torch.zeros(prod(config.scale), *(config.direct,) * config.dimensions))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # 16 bits would ruin the solver
            return torch.cat([self._refined(image[None].float()) for image in x[:, 0]])[:, None]

    def _refined(self, x: Tensor) -> Tensor:
        """One image (1, *size), enlarged."""
        low, high = smooth.split(x, self.config.smoothness)
        phases = self._convolved(self.maps(high), effective(self.mapping, self.fine))
        if self.config.direct:
            margin = [self.config.direct // 2] * self.config.dimensions
            wide = self._convolved(coding.padded(high, margin)[:, None], self.direct[None])
            phases += coding.unpadded(wide, margin)
        return enlarged(low, self.config.factor) + interleaved(phases, self.scale)

    def _convolved(self, maps: Tensor, filters: Tensor) -> Tensor:
        """Σ_k of the maps (n, K, *size) with filters (K, P, *support), to (n, P, *size)."""
        convolution = functional.conv2d if self.config.dimensions == 2 else functional.conv3d
        backwards = filters.transpose(0, 1).flip(tuple(range(2, filters.ndim)))
        return convolution(maps, backwards, padding=filters.shape[-1] // 2)

    def maps(self, high: Tensor) -> Tensor:
        """The maps (n, K, *size) of images without their smooth part (n, *size)."""
        margin = coding.fast_margins(high.shape[1:], 2 * self.config.support)
        return coding.unpadded(coding.code(self.coarse, coding.padded(high, margin), self.config.coding).maps, margin)


def effective(mapping: Tensor, fine: Tensor) -> Tensor:
    """The fine filters of the coarse maps, G_k = Σ_j w_jk F_j: (J, K) and (J, P, *support) to (K, P, *support)."""
    return torch.einsum("jk,jp...->kp...", mapping, fine)


def interleaved(phases: Tensor, scale: Sequence[int]) -> Tensor:
    """Phases (n, P, *size), those of the last axis first, to images (n, *(size · scale))."""
    n, size, d = phases.shape[0], phases.shape[2:], len(scale)
    apart = phases.reshape(n, *scale, *size)
    order = [0, *(axis for pair in zip(range(1 + d, 1 + 2 * d), range(1, 1 + d), strict=True) for axis in pair)]
    return apart.permute(order).reshape(n, *(a * s for a, s in zip(size, scale, strict=True)))


def phases_of(images: Tensor, scale: Sequence[int]) -> Tensor:
    """Images (n, *(size · scale)) to phases (n, P, *size); undoes `interleaved`."""
    n, d = images.shape[0], len(scale)
    size = [m // s for m, s in zip(images.shape[1:], scale, strict=True)]
    parts = images.reshape(n, *(x for pair in zip(size, scale, strict=True) for x in pair))
    order = [0, *range(2, 2 + 2 * d, 2), *range(1, 1 + 2 * d, 2)]
    return parts.permute(order).reshape(n, prod(scale), *size)
