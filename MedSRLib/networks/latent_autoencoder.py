"""The autoencoder of slices whose latent space fills the gaps between them.

J. Sander, B. D. de Vos, I. Išgum, "Unsupervised super-resolution: creating high-resolution medical images from
low-resolution anisotropic examples", 2020, arXiv 2010.13172, §4; the mixture of codes: §3.

    encoder   B blocks  conv3 - LReLU - conv3 - LReLU - BN - mean over 2×2      widths n, 2n, 4n, ...
              conv3 (→ 2^(B-1) n) - LReLU - conv3 (→ latent)
    decoder   B blocks  conv3 - LReLU - conv3 - LReLU - BN - nearest ×2         widths 2^(B-1) n, ..., 2n, n
              conv3 (→ n) - LReLU - conv3 (→ 1)
    between   x_α = D((1-α) E(x_n) + α E(x_{n+1}))

With B = 4 and n = 32 these are the paper's 32, 64, 128, 256 kernels and 16 latent channels at a 16th of the size.

Not stated in the paper, chosen here: the slope of the leaky rectifier, 0.2; the width before the last convolution, n.

Departures: slices of any size, continued to a multiple of 2^B by their border's values and cut off again; ``residual``
(ours, off by default): what the autoencoder cannot reproduce of both slices is interpolated linearly and added,
x_α + (1-α) (x_n - D(E(x_n))) + α (x_{n+1} - D(E(x_{n+1}))), so that the slices themselves come back as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely


@dataclass(frozen=True)
class LatentAutoencoderConfig(NetworkConfig):
    """The paper's network.

    Attributes:
        features: n.
        blocks: B, halvings of the size.
        latent: channels of a code.
        slope: of the leaky rectifier below zero.
        residual: "none", or "linear".
    """

    title: ClassVar[str] = "latent autoencoder"
    citation: ClassVar[str] = "J. Sander et al., Unsupervised super-resolution, arXiv 2010.13172, 2020"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"residual": ("none", "linear")}

    features: int = 32
    blocks: int = 4
    latent: int = 16
    slope: float = 0.2
    residual: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("features", "blocks", "latent"):
            if getattr(self, name) < 1:
                raise ModelError(f"The {self.title} setting {name} = {getattr(self, name)!r} is not positive.")


@dataclass(frozen=True)
class Code:
    """What is mixed of slices (n, 1, j, i).

    Attributes:
        latent: (n, latent, ⌈j / stride⌉, ⌈i / stride⌉).
        rest: what decoding it lacks of the slices, (n, 1, j, i); None without a residual.
        size: j, i.
    """

    latent: Tensor
    rest: Tensor | None
    size: tuple[int, int]

    def mixed(self, lower: Tensor, upper: Tensor, fraction: Tensor) -> Code:
        """The slices between those of numbers ``lower`` and ``upper`` (m,), at ``fraction`` (m,) of the way."""
        alpha = fraction.view(-1, 1, 1, 1)
        latent = torch.lerp(self.latent[lower], self.latent[upper], alpha)
        rest = None if self.rest is None else torch.lerp(self.rest[lower], self.rest[upper], alpha)
        return Code(latent, rest, self.size)


class LatentAutoencoder(nn.Module):
    """Slices (n, 1, j, i) to their reconstructions; `code` and `decode` for what lies between them."""

    def __init__(self, config: LatentAutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = 2**config.blocks
        widths = [config.features * 2**b for b in range(config.blocks)]
        down = [_block(config, a, b, nn.AvgPool2d(2)) for a, b in zip([1, *widths], widths, strict=False)]
        self.encoder = nn.Sequential(*down, convolution(2, widths[-1], widths[-1]), nn.LeakyReLU(config.slope))
        self.to_latent = convolution(2, widths[-1], config.latent)
        back = widths[::-1]
        up = [
            _block(config, a, b, nn.UpsamplingNearest2d(scale_factor=2))
            for a, b in zip([config.latent, *back], back, strict=False)
        ]
        self.decoder = nn.Sequential(*up, convolution(2, widths[0], widths[0]), nn.LeakyReLU(config.slope))
        self.to_image = convolution(2, widths[0], 1)
        levels = 2 * (self.stride - 1) + 2 * self.stride
        self.halo = 2 * levels + self.stride
        """Pixels that a result depends on, each way: two convolutions a level down and up, and the pooling's cells."""
        self.live_channels = 6 * config.features
        """Numbers held at once for a pixel of a slice."""

    def architecture(self) -> dict[str, Any]:
        """What a card needs to rebuild the network."""
        return self.config.asdict()

    @property
    def citation(self) -> str:
        """What a model of this network asks to cite."""
        return self.config.citation

    def forward(self, slices: Tensor) -> Tensor:
        """Reconstructions, float32, of slices (n, 1, j, i)."""
        return self._decoded(self._encoded(slices), slices.shape)

    def code(self, slices: Tensor) -> Code:
        """The codes of slices (n, 1, j, i)."""
        latent = self._encoded(slices)
        rest = slices - self._decoded(latent, slices.shape) if self.config.residual == "linear" else None
        return Code(latent, rest, (slices.shape[2], slices.shape[3]))

    def decode(self, code: Code) -> Tensor:
        """The slices of codes, (n, 1, j, i), float32."""
        decoded = self._decoded(code.latent, code.size)
        return decoded if code.rest is None else decoded + code.rest

    def _encoded(self, slices: Tensor) -> Tensor:
        j, i = slices.shape[2:]
        padded = functional.pad(slices, (0, -i % self.stride, 0, -j % self.stride), mode="replicate")
        return precisely(self.to_latent, self.encoder(padded))

    def _decoded(self, latent: Tensor, size: tuple[int, ...]) -> Tensor:
        decoded = precisely(self.to_image, self.decoder(latent))
        return decoded[..., : size[-2], : size[-1]]


def _block(config: LatentAutoencoderConfig, channels_in: int, channels_out: int, resize: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        convolution(2, channels_in, channels_out),
        nn.LeakyReLU(config.slope),
        convolution(2, channels_out, channels_out),
        nn.LeakyReLU(config.slope),
        nn.BatchNorm2d(channels_out),
        resize,
    )
