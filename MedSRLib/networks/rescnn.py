"""Residual convolutional network for 3D MR images, as an encoder of ArSSR.

J. Du et al., "Super-resolution reconstruction of single anisotropic 3D MR images using residual convolutional
neural network", Neurocomputing 392, 2020; the encoder form of Q. Wu et al., arXiv 2110.14476: conv3³ 1→64,
ReLU; three groups of six (conv3³ 64→64, ReLU), each with an identity skip; conv3³ 64→128; plus the input,
broadcast over the outputs. 2 214 912 parameters.

Departures: none.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ResidualGroup(nn.Module):
    """x + (ReLU conv3³) ∘ ... ∘ (ReLU conv3³)(x). Shapes (n, channels, k, j, i)."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv3d(channels, channels, 3, padding=1) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for conv in self.convs:
            inner = functional.relu(conv(inner))
        return x + inner


class ResCNN(nn.Module):
    """Residual CNN: (n, 1, k, j, i) to (n, feature_dim, k, j, i)."""

    def __init__(self, feature_dim: int = 128, channels: int = 64, blocks: int = 3, layers: int = 6) -> None:
        super().__init__()
        self.first = nn.Conv3d(1, channels, 3, padding=1)
        self.groups = nn.ModuleList(ResidualGroup(channels, layers) for _ in range(blocks))
        self.last = nn.Conv3d(channels, feature_dim, 3, padding=1)
        self.halo = 2 + layers * blocks
        """Voxels of context that one output voxel depends on, each way."""

    def forward(self, x: Tensor) -> Tensor:
        features = functional.relu(self.first(x))
        for group in self.groups:
            features = group(features)
        return x + self.last(features)
