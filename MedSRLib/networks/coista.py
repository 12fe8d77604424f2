"""CoISTA: coupled ISTA networks on the overlapping patches of an image and its guide.

X. Deng, P. L. Dragotti, "Deep coupled ISTA network for multi-modal image super-resolution", IEEE TIP 29, 2020,
doi:10.1109/TIP.2019.2944270; the released code (https://github.com/cindydeng1991/Deep-Coupled-ISTA-Network). For every
patch p of 8 × 8 pixels, its mean taken away, of an image y that is interpolated to the wanted grid, and of the guide z:

    b⁰   = W_e p,     b^l = S_{λ_l}(b^{l-1} + P_l (p - D_l b^{l-1})),   l = 1 ... 4       for y and for z apart
    α    = S_λ(W_y b_y + W_z b_z)
    p'   = D α + mean of p_y,     x = mean of all p' over a pixel

All thresholds are vectors, one number an atom. Here the voxels of a patch are channels at its first voxel, so that each
matrix is a 1 × 1 convolution (W_e p is the convolution of y with 8 × 8 kernels whose mean is taken away).

Departures: the released weights are 512 atoms, learned from K-SVD; here there are 256, which start from a random tight
frame (W_e = P_l = F, D_l = D = Fᵀ, W_y = 1, W_z = 0), so that the first result is nearly the image. The border's values
are continued by 7 pixels, so that all pixels lie in 64 patches; the released code divides by how many there are, and
clips to 0 ... 1. Without a guide, its patches are zero, and so are its codes. ``dimensions=3`` is ours, with smaller
patches (``patch=4, atoms=128``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely
from MedSRLib.networks.lesita import SoftThreshold
from MedSRLib.networks.patches import overlapped, patches


@dataclass(frozen=True)
class CoISTAConfig(NetworkConfig):
    """A network of two dimensions.

    Attributes:
        guides: images in the guide, whose patches are one vector.
        patch: length of the patches' edges.
        atoms: in each dictionary.
        layers: L, 1 or more.
    """

    title: ClassVar[str] = "CoISTA"
    citation: ClassVar[str] = (
        "X. Deng, P. L. Dragotti, Deep coupled ISTA network for multi-modal image super-resolution, IEEE TIP 29, 2020"
    )
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3)}

    dimensions: int = 2
    guides: int = 1
    patch: int = 8
    atoms: int = 256
    layers: int = 4


class PatchCodes(nn.Module):
    """Patches (n, p, *size), as channels, to their codes (n, atoms, *size).

    Args:
        config: the network's.
        frame: F, (atoms, p).
    """

    def __init__(self, config: CoISTAConfig, frame: Tensor) -> None:
        super().__init__()
        d = config.dimensions
        self.encode = _matrix(d, frame)
        self.inwards = nn.ModuleList(_matrix(d, frame) for _ in range(config.layers))
        self.outwards = nn.ModuleList(_matrix(d, frame.T) for _ in range(config.layers))
        self.shrinks = nn.ModuleList(SoftThreshold(d, config.atoms) for _ in range(config.layers))

    def forward(self, patch: Tensor) -> Tensor:
        codes = self.encode(patch)
        for inward, outward, shrink in zip(self.inwards, self.outwards, self.shrinks, strict=True):
            codes = shrink(codes + inward(patch - outward(codes)))
        return cast(Tensor, codes)


class CoISTA(nn.Module):
    """An interpolated image (n, 1, *size), and a guide (n, guides, *size) or none, to a sharper image (n, 1, *size)."""

    scale = None

    def __init__(self, config: CoISTAConfig) -> None:
        super().__init__()
        self.config = config
        d, atoms, length = config.dimensions, config.atoms, config.patch**config.dimensions
        frame = _frame(atoms, length)
        self.of_image = PatchCodes(config, frame)
        self.of_guide = PatchCodes(config, frame.repeat(1, config.guides) / config.guides**0.5)
        self.from_image = _matrix(d, torch.eye(atoms))
        self.from_guide = _matrix(d, torch.zeros(atoms, atoms))
        self.shrink = SoftThreshold(d, atoms)
        self.last = _matrix(d, frame.T)
        self.halo = config.patch - 1
        """Voxels that a result depends on, each way."""
        self.live_channels = 11 * atoms + (4 + config.guides) * length
        """Numbers held at once for a voxel."""

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):  # a mean in 16 bits would coarsen the intensities
            patch, mean = _centred(image, self.config)
        codes = self.from_image(self.of_image(patch))
        if guide is not None:
            with torch.autocast(image.device.type, enabled=False):
                of_guide = [_centred(one, self.config)[0] for one in guide.split(1, dim=1)]
            codes = codes + self.from_guide(self.of_guide(torch.cat(of_guide, dim=1)))
        made = precisely(self.last, self.shrink(codes)) + mean
        with torch.autocast(image.device.type, enabled=False):
            whole = overlapped(made, self.config.patch) / patch.shape[1]
        for axis, size in enumerate(image.shape[2:], start=2):
            whole = whole.narrow(axis, self.halo, size)
        return whole


def _centred(image: Tensor, config: CoISTAConfig) -> tuple[Tensor, Tensor]:
    """The patches (n, p, *size) of an image (n, 1, *size) that is continued, without their means, and the means."""
    around = functional.pad(image, (config.patch - 1,) * (2 * config.dimensions), mode="replicate")
    cut = patches(around, config.patch)
    mean = cut.mean(dim=1, keepdim=True)
    return cut - mean, mean


def _frame(atoms: int, length: int) -> Tensor:
    """Random, with FᵀF = 1 where there are at least as many atoms as numbers in a patch."""
    return nn.init.orthogonal_(torch.empty(atoms, length))


def _matrix(dimensions: int, values: Tensor) -> nn.Module:
    layer = convolution(dimensions, values.shape[1], values.shape[0], 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(values.reshape(layer.weight.shape))
    return layer
