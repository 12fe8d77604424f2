"""SRFBN: what was found is fed back, and refined again.

Z. Li et al., "Feedback network for image super-resolution", CVPR 2019, arXiv 1903.09814; the released code
(https://github.com/Paper99/SRFBN_CVPR19). F features, G groups, T steps; "up" is a transposed and "down" a strided
convolution of kernel s + 4, stride s, padding 2; P a PReLU of one slope, after all but the last convolution:

    x     = P conv1 (4 F → F) P conv3 (c → 4 F) (image)
    l_0   = P conv1 [x, h_{t-1}],  h_0 = x
    u_g   = P up (P conv1 [l_0 ... l_{g-1}]),   l_g = P down (P conv1 [u_1 ... u_g])       no conv1 for g = 1
    h_t   = P conv1 [l_1 ... l_G]
    y_t   = bilinear (image) + conv3 (P up (h_t))

The result is y_T; the loss is the mean over all y_t (`SRFBN.outputs`).

Departures: intensities come normalised, so no mean is subtracted and added again; ``dimensions=3`` (ours) has 3D
convolutions, and each axis its own factor (kernel 5, stride 1 where that is 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely, transposed

_MARGIN = 2
_SLOPE = 0.2


@dataclass(frozen=True)
class SRFBNConfig(NetworkConfig):
    """The paper's ×2 network but for ``channels_in``, 3 there; its small one, SRFBN-S, has F = 32 and G = 3.

    Attributes:
        scale: whole factors along the image's axes (j, i, or k, j, i).
        channels_in: c, of image and result.
        features: F.
        groups: G.
        steps: T.
    """

    title: ClassVar[str] = "SRFBN"
    citation: ClassVar[str] = "Z. Li et al., Feedback network for image super-resolution, CVPR 2019, arXiv 1903.09814"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3), "channels_in": (1, 3)}

    scale: tuple[int, ...] = (2, 2)
    dimensions: int = 2
    channels_in: int = 1
    features: int = 64
    groups: int = 6
    steps: int = 4


class FeedbackBlock(nn.Module):
    """x and h_{t-1} to h_t, all (n, features, *size)."""

    def __init__(self, config: SRFBNConfig) -> None:
        super().__init__()
        f, later = config.features, range(1, config.groups)
        self.enter = _squeeze(config, 2 * f)
        self.ups = nn.ModuleList(_up(config) for _ in range(config.groups))
        self.downs = nn.ModuleList(_down(config) for _ in range(config.groups))
        self.gather_low = nn.ModuleList(_squeeze(config, (g + 1) * f) for g in later)
        self.gather_high = nn.ModuleList(_squeeze(config, (g + 1) * f) for g in later)
        self.leave = _squeeze(config, config.groups * f)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        low, high = [self.enter(torch.cat([x, h], dim=1))], []
        for g, (up, down) in enumerate(zip(self.ups, self.downs, strict=True)):
            high.append(up(self.gather_low[g - 1](torch.cat(low, dim=1)) if g else low[0]))
            low.append(down(self.gather_high[g - 1](torch.cat(high, dim=1)) if g else high[0]))
        return self.leave(torch.cat(low[1:], dim=1))


class SRFBN(nn.Module):
    """(n, c, *size) to (n, c, *(size · scale))."""

    def __init__(self, config: SRFBNConfig) -> None:
        super().__init__()
        self.config = config
        d, c, f = config.dimensions, config.channels_in, config.features
        self.first = _with_prelu(convolution(d, c, 4 * f))
        self.second = _squeeze(config, 4 * f)
        self.block = FeedbackBlock(config)
        self.up = _up(config)
        self.last = convolution(d, f, c)
        self.scale = config.scale
        smallest = min(config.scale)
        self.halo = 1 + config.steps * config.groups * (1 + 3 // smallest) + 1 + 2 // smallest
        """Input pixels that a result depends on, each way."""
        self.live_channels = 2 * (config.groups + 1) * f * (1 + prod(config.scale))
        """Numbers held at once for a pixel of the input."""

    def forward(self, x: Tensor) -> Tensor:
        *_, last = self._states(x)
        return self._result(x, last)

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The results of all steps, for the loss; the last is `forward`'s."""
        return [self._result(x, state) for state in self._states(x)]

    def _states(self, image: Tensor) -> list[Tensor]:
        x = self.second(self.first(image))
        states = [x]
        for _ in range(self.config.steps):
            states.append(self.block(x, states[-1]))
        return states[1:]

    def _result(self, image: Tensor, state: Tensor) -> Tensor:
        mode = "bilinear" if self.config.dimensions == 2 else "trilinear"
        factors = [float(factor) for factor in self.scale]
        smooth = functional.interpolate(image, scale_factor=factors, mode=mode, align_corners=False)
        return smooth + precisely(self.last, self.up(state))


def _with_prelu(layer: nn.Module) -> nn.Sequential:
    return nn.Sequential(layer, nn.PReLU(init=_SLOPE))


def _squeeze(config: SRFBNConfig, channels: int) -> nn.Sequential:
    return _with_prelu(convolution(config.dimensions, channels, config.features, 1))


def _up(config: SRFBNConfig) -> nn.Sequential:
    return _with_prelu(transposed(config.dimensions, config.features, config.features, config.scale, _MARGIN))


def _down(config: SRFBNConfig) -> nn.Sequential:
    kind: type[nn.Conv2d | nn.Conv3d] = nn.Conv2d if config.dimensions == 2 else nn.Conv3d
    kernel = tuple(factor + 2 * _MARGIN for factor in config.scale)
    return _with_prelu(kind(config.features, config.features, kernel, config.scale, _MARGIN))  # type: ignore[arg-type]
