"""Neighbouring slices of thick-slice volumes, drawn for training: nothing finer is needed.

Each batch is a pure function of (seed, step, rank), as those of `pairs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSRLib import grids, images
from MedSRLib.errors import InputError
from MedSRLib.grids import Grid
from MedSRLib.inference import regridding
from MedSRLib.training.frames import Frame
from MedSRLib.training.pairs import seeded
from MedSRLib.training.recipe import Recipe

FEWEST = 3
"""Slices of a volume: one with a neighbour on either side."""

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Triplets:
    """Slices with their neighbours on either side, each (n, 1, j, i), normalised."""

    before: Tensor
    middle: Tensor
    after: Tensor

    @classmethod
    def of(cls, stacks: Tensor) -> Triplets:
        """From (n, 3, j, i)."""
        return cls(stacks[:, 0:1], stacks[:, 1:2], stacks[:, 2:3])


class Slices:
    """Draws triplets of slices.

    Args:
        frames: volumes; the axis of the largest spacing is across their slices. Those with fewer than `FEWEST` slices
            are passed over.
        recipe: its ``sampling`` and ``seed`` are used.
        device: where the volumes are kept.

    Raises:
        InputError: if no volume has enough slices.
    """

    steps_per_epoch = 0

    def __init__(self, frames: Sequence[Frame], recipe: Recipe, device: torch.device | str = "cpu") -> None:
        self._recipe = recipe
        self._stacks: list[Tensor] = []
        self._groups: dict[str, list[int]] = {}
        for frame in frames:
            if frame.values.shape[int(np.argmax(frame.spacing))] >= FEWEST:
                self._groups.setdefault(frame.group, []).append(len(self._stacks))
                self._stacks.append(torch.from_numpy(stack(frame, recipe.sampling.in_plane_mm)).to(device))
        if not self._stacks:
            raise InputError(
                f"No training volume has {FEWEST} slices.",
                "The network learns from slices with a neighbour on either side.",
                "Use volumes with more slices; the slices are taken across the axis of the largest spacing.",
            )

    @property
    def count(self) -> int:
        """Volumes in use."""
        return len(self._stacks)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Triplets:
        """The batch that process ``rank`` of any number of them sees at ``step``; each group is drawn equally often."""
        s = self._recipe.sampling
        generator = seeded(self._recipe.seed, "batch", step, rank)
        group = list(self._groups.values())[int(generator.integers(len(self._groups)))]
        edge = min(s.patch, *(n for number in group for n in self._stacks[number].shape[1:]))
        drawn = torch.stack([self._patch(group, edge, generator) for _ in range(s.batch)])
        gain, offset = (
            torch.from_numpy(generator.uniform(low, high, (s.batch, 1, 1, 1)).astype(np.float32)).to(drawn)
            for low, high in ((1 - s.gain, 1 + s.gain), (-s.offset, s.offset))
        )
        return Triplets.of(drawn * gain + offset)

    def every(self) -> list[Triplets]:
        """All slices with two neighbours, whole, a batch a volume."""
        return [Triplets.of(values.unfold(0, FEWEST, 1).permute(0, 3, 1, 2)) for values in self._stacks]

    def _patch(self, group: list[int], edge: int, generator: np.random.Generator) -> Tensor:
        """Three neighbouring slices (3, edge, edge), randomly turned by quarters and mirrored."""
        values = self._stacks[group[int(generator.integers(len(group)))]]
        limits = (len(values) - FEWEST, *(n - edge for n in values.shape[1:]))
        k, j, i = (int(generator.integers(limit + 1)) for limit in limits)
        patch = values[k : k + FEWEST, j : j + edge, i : i + edge]
        if not self._recipe.sampling.augment:
            return patch
        turned = patch.rot90(int(generator.integers(4)), (1, 2))
        return turned.flip(2) if generator.random() < 0.5 else turned


def stack(frame: Frame, in_plane_mm: float = 0.0) -> np.ndarray:
    """The slices of a volume, float32 (k, j, i) with k across them.

    Args:
        frame: the volume.
        in_plane_mm: spacing that the slices are resampled to, along both axes; 0 leaves them as they are.
    """
    axis = int(np.argmax(frame.spacing))
    values = np.moveaxis(frame.values, axis, 0)
    others = [h for a, h in enumerate(frame.spacing) if a != axis]
    if in_plane_mm:
        k, j, i = values.shape
        grid = Grid((i, j, k), (others[1], others[0], frame.spacing[axis]), (0.0, 0.0, 0.0), _IDENTITY)
        wanted = grids.with_spacing(grid, (in_plane_mm, in_plane_mm, grid.spacing[2]))
        image = images.from_array(values, grid)
        values = images.to_array(regridding.resample(image, wanted, "bspline", beyond=0.0))
    return np.ascontiguousarray(values, dtype=np.float32)
