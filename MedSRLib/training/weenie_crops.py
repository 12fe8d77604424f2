"""What WEENIE learns from: crops of what is coded of a source, and of what the codes should make of it.

    h = x − low(x),    r = y − b(x)        (`sparse.weenie`: b is the base)

and of what goes to the result beside the codes (`Weenie.beside`).

Crops fade to nothing at their borders, as they are coded on periodic grids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from MedSRLib.sparse import smooth
from MedSRLib.sparse.weenie import Weenie
from MedSRLib.training.whole_pairs import WholePair

_FADE = 4
"""Voxels over which a crop fades."""


@dataclass
class Crops:
    """Crops, all of one size.

    Attributes:
        source: h, (n, e, e, e).
        target: r, likewise.
        beside: (n, P, e, e, e).
        coupled: whether source and target of a crop belong together, (n,).
    """

    source: Tensor
    target: Tensor
    beside: Tensor
    coupled: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Crops]) -> Crops:
        """All of some crops."""
        return cls(
            torch.cat([p.source for p in parts]),
            torch.cat([p.target for p in parts]),
            torch.cat([p.beside for p in parts]),
            torch.cat([p.coupled for p in parts]),
        )

    def batches(self, count: int) -> Iterator[Crops]:
        """A few crops at a time, coupled ones and others apart."""
        for coupled in (True, False):
            for part in (self.coupled == coupled).nonzero()[:, 0].split(count):
                if len(part):
                    yield Crops(self.source[part], self.target[part], self.beside[part], self.coupled[part])


@dataclass
class Registered:
    """Patches at the same places of both modalities, for the alignment of others."""

    source: list[Tensor] = field(default_factory=list)
    target: list[Tensor] = field(default_factory=list)


def places(mask: Tensor, edge: int, count: int, generator: np.random.Generator) -> list[tuple[slice, ...]]:
    """Random boxes of ``edge``³ voxels around voxels of a mask, inside the volume."""
    centres = np.argwhere(mask.numpy()[::2, ::2, ::2]) * 2
    room = np.array(mask.shape) - edge
    found = []
    for centre in centres[generator.integers(len(centres), size=count)]:
        start = np.clip(centre - edge // 2, 0, room)
        found.append(tuple(slice(int(a), int(a) + edge) for a in start))
    return found


def inside(volume: Tensor, box: tuple[slice, ...]) -> Tensor:
    """A box of the last axes of a volume (..., k, j, i)."""
    for axis, part in enumerate(box, start=volume.ndim - len(box)):
        first, end, _ = part.indices(volume.shape[axis])
        volume = volume.narrow(axis, first, end - first)
    return volume


def signals(network: Weenie, pair: WholePair) -> tuple[Tensor, Tensor, Tensor]:
    """h and r of a whole volume, and what goes beside the codes, (P, k, j, i)."""
    low, high = smooth.split(pair.source[None], network.config.smoothness)
    base = network.base(pair.source, low[0])
    return high[0], pair.target - base, network.beside(high, base[None])[0]


def cut(
    network: Weenie, pair: WholePair, edge: int, counts: Sequence[int], generator: np.random.Generator
) -> list[Crops]:
    """Sets of so many crops at random places of a registered pair."""
    volumes = signals(network, pair)
    fade, found = faded(edge), []
    for count in counts:
        boxes = places(pair.mask, edge, count, generator)
        high, rest, beside = (torch.stack([inside(volume, box) for box in boxes]) * fade for volume in volumes)
        found.append(Crops(high, rest, beside, torch.ones(count, dtype=torch.bool)))
    return found


def patches(volume: Tensor, mask: Tensor, edge: int, count: int, generator: np.random.Generator) -> Tensor:
    """The more lively half of twice as many random patches, (count, e, e, e)."""
    found = torch.stack([volume[box] for box in places(mask, edge, 2 * count, generator)])
    lively = found.flatten(1).var(1).argsort(descending=True)[:count]
    return found[lively]


def mosaic(small: Tensor, edge: int) -> Tensor:
    """Patches (n, p, p, p) laid out in crops (m, edge, edge, edge), apart from one another; none is cut."""
    p = small.shape[-1]
    cell = p + 2 * (_FADE // 2)
    along = edge // cell
    per_crop = along**3
    crops = math.ceil(len(small) / per_crop)
    found = small.new_zeros(crops, edge, edge, edge)
    fade = faded(p, 2)
    for n, patch in enumerate(small):
        crop, place = divmod(n, per_crop)
        k, j, i = (cell * int(a) + _FADE // 2 for a in np.unravel_index(place, (along,) * 3))
        found[crop, k : k + p, j : j + p, i : i + p] = patch * fade
    return found


def faded(edge: int, width: int = _FADE) -> Tensor:
    """A window (edge, edge, edge) that rises from its border over ``width`` voxels."""
    ramp = torch.ones(edge)
    rise = torch.sin(torch.arange(1, width + 1) / (width + 1) * math.pi / 2).square()
    ramp[:width], ramp[edge - width :] = rise, rise.flip(0)
    return ramp[:, None, None] * ramp[:, None] * ramp
