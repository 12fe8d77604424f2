"""WDSR: wide activation before every rectifier, for slices (2D) and volumes (3D).

J. Yu et al., "Wide activation for efficient and accurate image super-resolution", 2018, arXiv 1808.08718; in the slides
of E. Ceccarelli on EDSR and WDSR for MRI: type A, n = 32, e = 192, 32 blocks, ×4, RGB: 3 557 232 weights.

    head    conv3 (c → n)
    body    B blocks  x + r · conv3(e → n)(ReLU(conv3(n → e)))                              type A
                      x + r · conv3(⌊0.8 n⌋ → n)(conv1(e → ⌊0.8 n⌋)(ReLU(conv1(n → e))))    type B
    result  shuffle(conv3(n → c · s²)) + shuffle(conv5(c → c · s²)) of the image itself

All convolutions are weight-normalised.

Departures: intensities come normalised, so no mean is subtracted and nothing is divided; ``dimensions=3`` (ours) has 3D
convolutions and a factor for each axis: in-plane, through-plane or isotropic refinement is a matter of ``scale``;
``last_zero`` (ours) starts the last convolution at zero, for networks that add to an interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import Convolution, convolution, normalised, precisely
from MedSRLib.networks.pixel_shuffle import PixelShuffle


@dataclass(frozen=True)
class WDSRConfig(NetworkConfig):
    """The slides' ×4 network but for ``channels_in``, 3 there.

    Attributes:
        scale: whole factors along the image's axes (j, i, or k, j, i).
        channels_in: c, of image and result.
        features: n.
        expansion: e, the width before the rectifier.
        blocks: B.
        kind: "A" or "B".
        residual_scale: r.
        weight_norm: whether weights are normalised in training.
        skip: kernel of the convolution past the body; 0 leaves it out.
        last_zero: whether the last convolution starts at zero.
    """

    title: ClassVar[str] = "WDSR"
    citation: ClassVar[str] = "J. Yu et al., Wide activation for efficient and accurate image SR, arXiv 1808.08718"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {
        "dimensions": (2, 3),
        "channels_in": (1, 3),
        "kind": ("A", "B"),
        "skip": (0, 1, 3, 5),
    }

    scale: tuple[int, ...] = (4, 4)
    dimensions: int = 2
    channels_in: int = 1
    features: int = 32
    expansion: int = 192
    blocks: int = 32
    kind: str = "A"
    residual_scale: float = 1.0
    weight_norm: bool = True
    skip: int = 5
    last_zero: bool = False


class WideBlock(nn.Module):
    """x + r · narrow(ReLU(wide(x))). Shapes (n, features, *size)."""

    def __init__(self, config: WDSRConfig) -> None:
        super().__init__()
        n, e, middle = config.features, config.expansion, int(0.8 * config.features)
        sizes = [(n, e, 3), (e, n, 3)] if config.kind == "A" else [(n, e, 1), (e, middle, 1), (middle, n, 3)]
        self.wide, *narrow = (_layer(config, *size) for size in sizes)
        self.narrow = nn.Sequential(*narrow)
        self._scale = config.residual_scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(functional.relu_(self.wide(x))) * self._scale


class WDSR(nn.Module):
    """(n, c, *size) to (n, c, *(size · scale))."""

    def __init__(self, config: WDSRConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels_in * prod(config.scale)
        self.head = _layer(config, config.channels_in, config.features, 3)
        self.body = nn.Sequential(*(WideBlock(config) for _ in range(config.blocks)))
        self.tail = _layer(config, config.features, channels, 3, zero=config.last_zero)
        self.skip = _layer(config, config.channels_in, channels, config.skip) if config.skip else None
        self.shuffle = PixelShuffle(config.scale)
        self.scale = config.scale
        per_block = 2 if config.kind == "A" else 1
        self.halo = 2 + per_block * config.blocks
        """Input pixels of context that a result depends on, each way."""
        self.live_channels = config.expansion + 5 * config.features + channels
        """Numbers held at once for a pixel of the input."""

    def forward(self, x: Tensor) -> Tensor:
        phases = precisely(self.tail, self.body(self.head(x)))
        if self.skip is not None:
            phases = phases + precisely(self.skip, x)
        return self.shuffle(phases)


def _layer(config: WDSRConfig, channels_in: int, channels_out: int, kernel: int, zero: bool = False) -> Convolution:
    layer = convolution(config.dimensions, channels_in, channels_out, kernel)
    if zero:
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.zero_()
        return layer  # a norm of zero has no direction
    return normalised(layer) if config.weight_norm else layer
