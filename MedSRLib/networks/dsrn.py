"""DSRN: two states, of the input's and of the result's resolution, that feed each other.

W. Han et al., "Image super-resolution via dual-state recurrent networks", CVPR 2018, arXiv 1805.02704; released code
https://github.com/WeiHan3/dsrn. With a coarse state l and a fine state h of n features, for t = 1 ... T-1:

    l_0 = ReLU conv3 (n/2 → n) ReLU conv3 (c → n/2) (image)
    l_t = ReLU (l_{t-1} + conv3 ReLU conv3 (l_{t-1}) + mean over 2×2 (h_{t-1}))
    h_t = ReLU (h_{t-1} + conv3 ReLU conv3 (h_{t-1}) + up (l_{t-1}))                      up: transposed, 2×2, stride 2
    y   = conv1 (n → c) (mean of h_1 ... h_{T-1})

There is no h_0, and the weights are the same at all times. The network finds what cubic interpolation lacks: it is
asked with `on_grid`'s residual "cubic".

Departures: ``dimensions=3`` (ours) has 3D convolutions, and each axis its own factor, 1 or an even number. As in the
paper, an image is first enlarged by cubic interpolation where more than ×2 is wanted; the interpolation is Keys', and
×3 is left to ×4 and resampling (the released ×3 model enlarges by 1.5 first).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.inference.sampling import apply_separable, interpolation_matrix
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely, transposed, zeroed


@dataclass(frozen=True)
class DSRNConfig(NetworkConfig):
    """The released ×2 network but for ``channels_in``, 3 there.

    Attributes:
        scale: factors along the image's axes (j, i, or k, j, i), each 1 or even.
        channels_in: c, of image and result.
        features: n, an even number.
        steps: T, 2 or more.
        last_zero: whether the last convolution starts at zero.
    """

    title: ClassVar[str] = "DSRN"
    citation: ClassVar[str] = "W. Han et al., Image super-resolution via dual-state recurrent networks, CVPR 2018"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3), "channels_in": (1, 3)}

    scale: tuple[int, ...] = (2, 2)
    dimensions: int = 2
    channels_in: int = 1
    features: int = 128
    steps: int = 7
    last_zero: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 2 or any(factor != 1 and factor % 2 for factor in self.scale):
            raise ModelError(
                f"There is no DSRN of {self.steps} steps and scale {self.scale}.",
                "It doubles the resolution in 2 or more steps.",
                "Use factors of 1, 2, 4 or 8.",
            )


class DSRN(nn.Module):
    """(n, c, *size) to (n, c, *(size · scale))."""

    def __init__(self, config: DSRNConfig) -> None:
        super().__init__()
        self.config = config
        d, n = config.dimensions, config.features
        self.scale = config.scale
        self._doubled = tuple(min(2, factor) for factor in config.scale)
        self._first = tuple(factor // double for factor, double in zip(config.scale, self._doubled, strict=True))
        self.enter = nn.Sequential(
            convolution(d, config.channels_in, n // 2), nn.ReLU(), convolution(d, n // 2, n), nn.ReLU()
        )
        self.coarse, self.fine = _transition(d, n), _transition(d, n)
        self.up = transposed(d, n, n, self._doubled, 0)
        self.pool = nn.AvgPool2d(self._doubled) if d == 2 else nn.AvgPool3d(self._doubled)  # type: ignore[arg-type]
        self.last = convolution(d, n, config.channels_in, 1)
        if config.last_zero:
            zeroed(self.last)
        smallest = min(self._first)
        self.halo = -(-(2 * config.steps - 2) // smallest) + (2 if smallest > 1 else 0)
        """Input pixels that a result depends on, each way."""
        self.live_channels = n * (5 * prod(config.scale) + 3 * prod(self._first))
        """Numbers held at once for a pixel of the input."""

    def forward(self, x: Tensor) -> Tensor:
        coarse = self.enter(self._enlarged(x))
        fine: Tensor | None = None
        total: Tensor | None = None
        for step in range(1, self.config.steps):
            grown = self.up(coarse) if fine is None else fine + self.fine(fine) + self.up(coarse)
            if step < self.config.steps - 1:  # nothing asks for the last coarse state
                grown_coarse = coarse + self.coarse(coarse)
                coarse = functional.relu_(grown_coarse if fine is None else grown_coarse + self.pool(fine))
            fine = functional.relu_(grown)
            total = fine if total is None else total + fine
        assert total is not None  # there are two steps or more
        return precisely(self.last, total / (self.config.steps - 1))

    def _enlarged(self, x: Tensor) -> Tensor:
        """The image at half the result's resolution."""
        if max(self._first) == 1:
            return x
        matrices = [
            interpolation_matrix("cubic", size, (np.arange(size * factor) + 0.5) / factor - 0.5).to(x)
            for size, factor in zip(x.shape[2:], self._first, strict=True)
        ]
        if len(matrices) == 3:
            return apply_separable(x, matrices)
        return apply_separable(x[:, :, None], [x.new_ones(1, 1), *matrices])[:, :, 0]


def _transition(dimensions: int, features: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(dimensions, features, features),
        nn.ReLU(inplace=True),
        convolution(dimensions, features, features),
    )
