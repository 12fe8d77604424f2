"""Pixel shuffle in any number of dimensions, with a factor for each axis.

W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
network", CVPR 2016, arXiv 1609.05158, Eq. 4; the channels are ordered as by `torch.nn.PixelShuffle`.

Departures: three dimensions, and factors that differ between axes.
"""

from __future__ import annotations

from math import prod

from torch import Tensor, nn


class PixelShuffle(nn.Module):
    """Channels to space: (n, c · prod(scale), *size) to (n, c, *(size · scale)).

    Args:
        scale: whole factors along the axes of the image, in their order (k, j, i or j, i).
    """

    def __init__(self, scale: tuple[int, ...]) -> None:
        super().__init__()
        self.scale = tuple(scale)

    def forward(self, x: Tensor) -> Tensor:
        axes = len(self.scale)
        n, channels, *size = x.shape
        phases = x.reshape(n, channels // prod(self.scale), *self.scale, *size)
        order = [p for axis in range(axes) for p in (2 + axes + axis, 2 + axis)]
        fine = [length * factor for length, factor in zip(size, self.scale, strict=True)]
        return phases.permute(0, 1, *order).reshape(n, -1, *fine)
