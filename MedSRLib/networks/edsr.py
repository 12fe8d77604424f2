"""EDSR: a residual network without batch normalisation, for slices (2D) and volumes (3D).

B. Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR workshops 2017, arXiv
1707.02921; in the slides of E. Ceccarelli on EDSR and WDSR for MRI: ×2, RGB, 40 711 680 weights.

    head    conv3 (c → n)
    body    32 blocks x + r · conv3(ReLU(conv3(x))), conv3; plus the head's output
    up      for ×2 conv3 (n → 4 n) and pixel shuffle, twice for ×4; for ×3 conv3 (n → 9 n) and pixel shuffle
    last    conv3 (n → c)

Departures: intensities come normalised, so no mean is subtracted and added again; ``dimensions=3`` (ours) has 3D
convolutions and a factor for each axis; ``last_zero`` (ours) starts the last convolution at zero, for networks that add
to an interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely
from MedSRLib.networks.pixel_shuffle import PixelShuffle


@dataclass(frozen=True)
class EDSRConfig(NetworkConfig):
    """The paper's ×2 network but for ``channels_in``, 3 there; its baseline has 16 blocks of 64 features, r = 1.

    Attributes:
        scale: whole factors along the image's axes (j, i, or k, j, i).
        channels_in: c, of image and result.
        features: n.
        blocks: how many.
        residual_scale: r.
        last_zero: whether the last convolution starts at zero.
    """

    title: ClassVar[str] = "EDSR"
    citation: ClassVar[str] = "B. Lim et al., Enhanced deep residual networks for single image SR, arXiv 1707.02921"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3), "channels_in": (1, 3)}

    scale: tuple[int, ...] = (2, 2)
    dimensions: int = 2
    channels_in: int = 1
    features: int = 256
    blocks: int = 32
    residual_scale: float = 0.1
    last_zero: bool = False


class ResidualBlock(nn.Module):
    """x + r · conv3(ReLU(conv3(x))). Shapes (n, features, *size)."""

    def __init__(self, config: EDSRConfig) -> None:
        super().__init__()
        self.conv1 = convolution(config.dimensions, config.features, config.features)
        self.conv2 = convolution(config.dimensions, config.features, config.features)
        self._scale = config.residual_scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(functional.relu_(self.conv1(x))) * self._scale


class EDSR(nn.Module):
    """(n, c, *size) to (n, c, *(size · scale))."""

    def __init__(self, config: EDSRConfig) -> None:
        super().__init__()
        self.config = config
        d, n = config.dimensions, config.features
        self.head = convolution(d, config.channels_in, n)
        self.body = nn.Sequential(*(ResidualBlock(config) for _ in range(config.blocks)), convolution(d, n, n))
        steps = _steps(config.scale)
        self.up = nn.Sequential(
            *(nn.Sequential(convolution(d, n, n * prod(step)), PixelShuffle(step)) for step in steps)
        )
        self.last = convolution(d, n, config.channels_in)
        if config.last_zero:
            with torch.no_grad():
                for parameter in self.last.parameters():
                    parameter.zero_()
        self.scale = config.scale
        # Convolutions after a shuffle reach less far, counted in pixels of the input: at most one each.
        self.halo = 2 + 2 * config.blocks + len(steps) + 1
        """Input pixels of context that a result depends on, each way."""
        self.live_channels = n * (4 * prod(config.scale) + 2)
        """Numbers held at once for a pixel of the input."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.head(x)
        return precisely(self.last, self.up(features + self.body(features)))


def _steps(scale: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The factors of the shuffles, one after another: twos where all axes allow it, the rest at once."""
    steps, rest = [], list(scale)
    while max(rest) > 1:
        halves = all(factor % 2 == 0 or factor == 1 for factor in rest)
        step = tuple(2 if halves and factor > 1 else factor for factor in rest)
        steps.append(step)
        rest = [factor // part for factor, part in zip(rest, step, strict=True)]
    return steps
