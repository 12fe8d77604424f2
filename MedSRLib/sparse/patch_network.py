"""What the patch dictionaries share as networks: from a coarse image to its fine grid, patch by patch.

    mid = Keys' cubic interpolation of x        result = mid + mean over all overlapping patches of p(window of mid)

where a method says what p is: the fine patch less that of mid, from the window of mid that the patch's features
depend on. Nothing here is a weight: what was learned are buffers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.inference.sampling import interpolation_matrix
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.sparse import features
from MedSRLib.sparse.patches import blocks, cut, fold, overlaps, unfold

_AT_ONCE, _NUMBERS = 2**14, 2**24
"""Patches in one product, and numbers of their windows: many to an atom, few enough for 100 to 200 MB."""

_CUBIC = 3
"""Coarse voxels that the interpolation reaches from the voxel it lies in, and one to spare."""


@dataclass(frozen=True)
class PatchConfig(NetworkConfig):
    """What a patch is.

    Attributes:
        scale: the same whole factor, from 2, along all axes of the image (j, i, or k, j, i).
        dimensions: 2 (slices) or 3.
    """

    choices: ClassVar[dict[str, tuple[Any, ...]]] = {"dimensions": (2, 3)}
    curvature: ClassVar[float] = features.HALF

    scale: tuple[int, ...] = (3, 3)
    dimensions: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scale) != self.dimensions or len(set(self.scale)) > 1 or self.scale[0] < 2:
            raise ModelError(
                f"The {self.title} setting scale = {list(self.scale)} cannot be.",
                "A patch dictionary refines all its axes alike, by a whole factor.",
                f"Use one whole number from 2, {self.dimensions} times.",
            )

    @property
    def factor(self) -> int:
        """The scale."""
        return self.scale[0]

    @property
    def window(self) -> int:
        """Edge of a patch, fine voxels: 3 coarse ones."""
        return 3 * self.factor

    @property
    def step(self) -> int:
        """From one patch to the next, fine voxels: a coarse one."""
        return self.factor

    @property
    def spacing(self) -> int:
        """Of the taps of the features, fine voxels: a coarse one."""
        return self.factor

    @property
    def patch(self) -> int:
        """Voxels of a patch."""
        return self.window**self.dimensions

    @property
    def surroundings(self) -> int:
        """Edge of the window of mid that the features of a patch depend on."""
        return self.window + 2 * features.reach(self.spacing)


class PatchNetwork(nn.Module, ABC):
    """(n, 1, *size) to (n, 1, *(size · scale))."""

    def __init__(self, config: PatchConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        reach = config.window - 1 + features.reach(config.spacing)
        self.halo = -(-reach // config.factor) + _CUBIC
        """Input voxels of context that a result depends on, each way."""
        self.live_channels = 6 * config.factor**config.dimensions
        """Numbers held at once for a voxel of the input, beside the patches of one product."""

    @abstractmethod
    def differences(self) -> Callable[[Tensor], Tensor]:
        """p, made ready: windows of mid (n, surroundings^axes) to fine patches less those of mid (n, patch)."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # 16 bits would ruin the solvers
            return self._refined(x[:, 0].float())[:, None]

    def _refined(self, x: Tensor) -> Tensor:
        c, axes = self.config, self.config.dimensions
        before = (c.window - 1) // c.step  # patches that begin before the image and reach into it
        places = [before + (n * c.factor - 1) // c.step + 1 for n in x.shape[1:]]
        around = features.reach(c.spacing)
        margin = -(-(max(before * c.step, c.window) + around) // c.factor)
        mid = enlarged(x, c.factor, margin)
        first = margin * c.factor - before * c.step - around
        view = unfold(cut(mid, [slice(first, None)] * axes), c.surroundings, c.step)
        room = -(-c.window // c.step) - 1
        p, most = self.differences(), min(_AT_ONCE, _NUMBERS // c.surroundings**axes)
        total = x.new_zeros(len(x), *((g + room) * c.step for g in places))
        for image in range(len(x)):
            for box in blocks(places, most):
                windows = cut(view, [slice(image, image + 1), *box], first=0)
                made = p(windows.reshape(-1, c.surroundings**axes))
                patches = made.reshape(*windows.shape[: 1 + axes], *[c.window] * axes)
                fold(total[image : image + 1], patches, [s.start * c.step for s in box], c.step)
        result = total
        for axis, n in enumerate(x.shape[1:], 1):
            counts = overlaps((places[axis - 1] - 1) * c.step + c.window, c.window, c.step).to(x)
            kept = slice(before * c.step, before * c.step + n * c.factor)
            weight = counts[kept].reshape([-1] + [1] * (axes - axis))
            result = result.narrow(axis, kept.start, n * c.factor) / weight
        return result + cut(mid, [slice(margin * c.factor, (margin + n) * c.factor) for n in x.shape[1:]])


def enlarged(x: Tensor, factor: int, margin: int = 0) -> Tensor:
    """Keys' cubic interpolation of (n, *size) at the centres of ``factor`` parts of every voxel.

    Args:
        x: border voxels go on beyond the border.
        factor: whole.
        margin: coarse voxels by which the result reaches beyond each border.
    """
    axes = x.dim() - 1
    if margin:
        x = functional.pad(x[:, None], [margin] * (2 * axes), mode="replicate")[:, 0]
    for axis in range(1, 1 + axes):
        n = x.shape[axis]
        positions = (np.arange(n * factor) + 0.5) / factor - 0.5
        matrix = interpolation_matrix("cubic", n, positions).to(x)
        x = torch.movedim(torch.movedim(x, axis, -1) @ matrix.T, -1, axis)
    return x.contiguous()
