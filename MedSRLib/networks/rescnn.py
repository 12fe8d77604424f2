"""Residual convolutional network for 3D MR images: by itself, and as an encoder of ArSSR.

J. Du et al., "Super-resolution reconstruction of single anisotropic 3D MR images using residual convolutional
neural network", Neurocomputing 392, 2020; in the form of Q. Wu et al., arXiv 2110.14476, of 20 layers: conv3³ 1→64,
ReLU; three groups of six (conv3³ 64→64, ReLU), each with an identity skip; a last conv3³; plus the input.

    by itself     the last convolution is 64→1; 1 995 329 parameters
    as encoder    it is 64→128, and the input is broadcast over the outputs; 2 214 912 parameters

Departures: ``last_zero`` (ours) starts the last convolution at zero, and so the network as the interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import precisely, zeroed


class ResidualGroup(nn.Module):
    """x + (ReLU conv3³) ∘ ... ∘ (ReLU conv3³)(x). Shapes (n, channels, k, j, i)."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv3d(channels, channels, 3, padding=1) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for conv in self.convs:
            inner = functional.relu_(conv(inner))
        return x + inner


class ResCNN(nn.Module):
    """The encoder: (n, 1, k, j, i) to (n, feature_dim, k, j, i)."""

    def __init__(self, feature_dim: int = 128, channels: int = 64, blocks: int = 3, layers: int = 6) -> None:
        super().__init__()
        self.first = nn.Conv3d(1, channels, 3, padding=1)
        self.groups = nn.ModuleList(ResidualGroup(channels, layers) for _ in range(blocks))
        self.last = nn.Conv3d(channels, feature_dim, 3, padding=1)
        self.halo = 2 + layers * blocks
        """Voxels of context that one output voxel depends on, each way."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the last convolution sees, (n, channels, k, j, i)."""
        features = functional.relu_(self.first(x))
        for group in self.groups:
            features = group(features)
        return features


@dataclass(frozen=True)
class ResCNNConfig(NetworkConfig):
    """The network of 20 layers that the ArSSR paper compares with.

    Attributes:
        features: width.
        blocks: groups with a skip.
        layers: convolutions of a group.
        last_zero: whether the last convolution starts at zero.
    """

    title: ClassVar[str] = "ResCNN"
    citation: ClassVar[str] = "J. Du et al., Super-resolution reconstruction of 3D MR images, Neurocomputing 392, 2020"

    features: int = 64
    blocks: int = 3
    layers: int = 6
    last_zero: bool = False


class ResCNNImage(ResCNN):
    """By itself: volumes (n, 1, k, j, i), interpolated to the wanted grid, to sharper ones of the same size."""

    scale = None

    def __init__(self, config: ResCNNConfig) -> None:
        super().__init__(1, config.features, config.blocks, config.layers)
        self.config = config
        self.live_channels = 5 * config.features
        """Numbers held at once for a voxel."""
        if config.last_zero:
            zeroed(self.last)

    def forward(self, x: Tensor) -> Tensor:
        return x + precisely(self.last, self.features(x))
