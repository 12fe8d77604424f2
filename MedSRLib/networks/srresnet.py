"""SRResNet without batch normalisation and up-scaling, in 3D, as an encoder of ArSSR.

C. Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR
2017, arXiv 1609.04802; the encoder form of Q. Wu et al., arXiv 2110.14476: conv3³ 1→64; 18 blocks
x + conv3³(ReLU(conv3³(x))); conv3³ 64→64; conv3³ 64→128. 4 317 376 parameters.

Departures: none.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + conv3³(ReLU(conv3³(x))). Shapes (n, channels, k, j, i)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(functional.relu(self.conv1(x)))


class SRResNet(nn.Module):
    """Residual network: (n, 1, k, j, i) to (n, feature_dim, k, j, i); ``layers`` is fixed to 2 a block."""

    def __init__(self, feature_dim: int = 128, channels: int = 64, blocks: int = 18) -> None:
        super().__init__()
        self.first = nn.Conv3d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))
        self.fuse = nn.Conv3d(channels, channels, 3, padding=1)
        self.last = nn.Conv3d(channels, feature_dim, 3, padding=1)
        self.halo = 3 + 2 * blocks
        """Voxels of context that one output voxel depends on, each way."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.first(x)
        for block in self.blocks:
            features = block(features)
        return self.last(self.fuse(features))
