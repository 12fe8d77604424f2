"""Residual dense network without its up-scaling layer, in 3D: the encoder of ArSSR.

Y. Zhang et al., "Residual dense network for image super-resolution", CVPR 2018, arXiv 1802.08797; sizes as
in Q. Wu et al., "An arbitrary scale super-resolution approach for 3D MR images via implicit neural
representation", IEEE JBHI 2022, arXiv 2110.14476: 64 features, growth 64, 8 blocks of 3 layers, 128 outputs,
5 918 784 parameters.

Departures: none in the numbers. The 1×1×1 fusion of the concatenated block outputs, Σ_b W_b f_b, is added up
as the blocks finish, so that 64 channels are kept instead of 512.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ResidualDenseBlock(nn.Module):
    """x + fuse([x, f_1, ..., f_L]) with f_l = ReLU(conv3³([x, f_1, ..., f_{l-1}])). Shapes (n, channels, k, j, i)."""

    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv3d(channels + growth * layer, growth, 3, padding=1) for layer in range(layers)
        )
        self.fuse = nn.Conv3d(channels + growth * layers, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = x
        for conv in self.convs:
            features = torch.cat([features, functional.relu(conv(features))], dim=1)
        return x + self.fuse(features)


class RDN(nn.Module):
    """Residual dense network: (n, 1, k, j, i) to (n, feature_dim, k, j, i)."""

    def __init__(self, feature_dim: int = 128, channels: int = 64, blocks: int = 8, layers: int = 3) -> None:
        super().__init__()
        self.shallow1 = nn.Conv3d(1, channels, 3, padding=1)
        self.shallow2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualDenseBlock(channels, channels, layers) for _ in range(blocks))
        self.fuse1 = nn.Conv3d(channels * blocks, channels, 1)
        self.fuse2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.out = nn.Conv3d(channels, feature_dim, 3, padding=1)
        self.halo = 4 + layers * blocks
        """Voxels of context that one output voxel depends on, each way."""

    def forward(self, x: Tensor) -> Tensor:
        shallow = self.shallow1(x)
        features = self.shallow2(shallow)
        bias = self.fuse1.get_parameter("bias")
        fused = bias.view(1, -1, 1, 1, 1)
        for block, weight in zip(self.blocks, self.fuse1.weight.chunk(len(self.blocks), dim=1), strict=True):
            features = block(features)
            fused = fused + functional.conv3d(features, weight)
        return self.out(self.fuse2(fused) + shallow)
