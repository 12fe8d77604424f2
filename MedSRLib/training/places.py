"""Where a training patch lies in its volume, and how it is turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

Index = tuple[int, int, int]


@dataclass(frozen=True)
class Place:
    """A box of voxels and its turn.

    Attributes:
        volume: which one, by number.
        start: first voxel, k, j, i.
        extent: voxels, k, j, i.
        order: which axes of the volume become k, j and i of the patch.
        flips: axes of the patch that run backwards.
    """

    volume: int
    start: Index
    extent: Index
    order: Index
    flips: tuple[int, ...]

    @classmethod
    def of(cls, volume: int, start: np.ndarray, extent: np.ndarray, order: np.ndarray, flips: Sequence[int]) -> Place:
        """Of arrays of three."""
        k, j, i = (int(n) for n in start)
        height, width, depth = (int(n) for n in extent)
        first, second, third = (int(n) for n in order)
        return cls(volume, (k, j, i), (height, width, depth), (first, second, third), tuple(flips))

    def cut(self, volume: Tensor) -> Tensor:
        """The patch of a volume (k, j, i)."""
        return self.turned(self.cut_box(volume))

    def cut_box(self, volume: Tensor) -> Tensor:
        """The voxels of a volume (k, j, i), in the volume's order."""
        k, j, i = (slice(a, a + n) for a, n in zip(self.start, self.extent, strict=True))
        return volume[k, j, i]

    def turned(self, box: Tensor) -> Tensor:
        """A box of voxels (k, j, i) in the patch's order."""
        return box.permute(self.order).flip(self.flips)
