"""Crops made of volumes that have no partner in the other modality.

With an alignment (`sparse.alignment`), patches of unpaired source volumes and of unpaired target volumes that match are
laid out in crops and learned from as if they were registered. What the codes should make of such a source patch is the
target patch less the base, and less the mean of that difference: the alignment knows nothing of brightness. Without
one, crops of each modality teach the filters of that modality only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSRLib.foreground import foreground
from MedSRLib.progress import Progress
from MedSRLib.sparse import alignment, smooth
from MedSRLib.sparse.weenie import Weenie
from MedSRLib.training import whole_pairs
from MedSRLib.training.frames import Frame
from MedSRLib.training.pairs import seeded
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.weenie_crops import Crops, Registered, faded, inside, mosaic, patches, places
from MedSRLib.training.whole_pairs import WholePair

_REGISTERED = 1200
"""Registered patches that the alignment is learned on, of all volumes together."""


@dataclass(frozen=True)
class Matching:
    """How unpaired patches are matched.

    Attributes:
        kind: one of `alignment.KINDS`, or "none".
        threshold: of a match.
        count: patches of each modality.
        edge: of a patch, voxels.
        crop: edge of a crop.
    """

    kind: str
    threshold: float
    count: int
    edge: int
    crop: int


@dataclass(frozen=True)
class Found:
    """Crops, and a sentence on how they were found."""

    crops: list[Crops]
    told: str


def remember(registered: Registered, pair: WholePair, edge: int, volumes: int, generator: np.random.Generator) -> None:
    """Add registered patches of one volume, of so many."""
    boxes = places(pair.mask, edge, _REGISTERED // volumes, generator)
    registered.source.append(torch.stack([pair.source[box] for box in boxes]))
    registered.target.append(torch.stack([pair.target[box] for box in boxes]))


def crops(
    network: Weenie,
    frames: Sequence[Frame],
    recipe: Recipe,
    registered: Registered,
    how: Matching,
    progress: Progress,
) -> Found:
    """What unpaired volumes give; nothing where one of the modalities is missing."""
    target = recipe.data.target
    sources, targets = ([f for f in frames if (f.modality == target) == of_target] for of_target in (False, True))
    if how.kind == "none":
        alone = [_alone(network, part, recipe, how, number) for number, part in enumerate((sources, targets)) if part]
        return Found(alone, f"{len(frames)} unpaired volumes teach the filters of their own modality.")
    if not sources or not targets:
        return Found([], "Unpaired volumes of one modality alone cannot be aligned; they are not used.")
    x, high, base, beside = _source_patches(network, sources, recipe, how, progress)
    y = _target_patches(targets, recipe, how)
    found = alignment.aligned(x, y, torch.cat(registered.source), torch.cat(registered.target), how.kind, how.threshold)
    told = f"{len(found)} of {len(x)} unpaired source patches were matched with one of {len(y)} target patches."
    if not len(found):
        return Found([], told)
    rest = y[found[:, 1]] - base[found[:, 0]]
    rest = rest - rest.flatten(1).mean(1).view(-1, 1, 1, 1)
    linear = [mosaic(one[found[:, 0]], how.crop) for one in beside.unbind(1)]
    source, wanted = mosaic(high[found[:, 0]], how.crop), mosaic(rest, how.crop)
    both = torch.stack(linear, 1) if linear else source.new_zeros(len(source), 0, *source.shape[1:])
    return Found([Crops(source, wanted, both, torch.ones(len(source), dtype=torch.bool))], told)


def _source_patches(
    network: Weenie, frames: list[Frame], recipe: Recipe, how: Matching, progress: Progress
) -> list[Tensor]:
    """Patches of degraded sources, of what they have beyond their smooth part, of their base, and of what is beside."""
    found: list[list[Tensor]] = [[], [], [], []]
    for number, pair in enumerate(whole_pairs.whole_pairs(frames, recipe, progress)):
        generator = seeded(recipe.seed, "unpaired source", number, 0)
        low, high = smooth.split(pair.source[None], network.config.smoothness)
        base = network.base(pair.source, low[0])
        boxes = places(pair.mask, how.edge, how.count // len(frames), generator)
        beside = network.beside(high, base[None])[0]
        for part, whole in zip(found, (pair.source, high[0], base, beside), strict=True):
            part.append(torch.stack([inside(whole, box) for box in boxes]))
    return [torch.cat(part) for part in found]


def _target_patches(frames: list[Frame], recipe: Recipe, how: Matching) -> Tensor:
    found = []
    for number, frame in enumerate(frames):
        generator = seeded(recipe.seed, "unpaired target", number, 0)
        volume = torch.from_numpy(frame.values)
        mask = torch.from_numpy(foreground(frame.values))
        found.append(patches(volume, mask, how.edge, how.count // len(frames), generator))
    return torch.cat(found)


def _alone(network: Weenie, frames: list[Frame], recipe: Recipe, how: Matching, part: int) -> Crops:
    """Crops of one modality by itself; the other modality's are empty."""
    found = []
    for number, frame in enumerate(frames):
        generator = seeded(recipe.seed, "alone", number, part)
        volume = torch.from_numpy(frame.values)
        mask = torch.from_numpy(foreground(frame.values))
        high = smooth.split(volume[None], network.config.smoothness)[1][0]
        found += [high[box] * faded(how.crop) for box in places(mask, how.crop, 4, generator)]
    crop = torch.stack(found)
    nothing = torch.zeros_like(crop)
    beside = network.beside(nothing, nothing)
    both = (crop, nothing) if part == 0 else (nothing, crop)
    return Crops(*both, beside, torch.zeros(len(crop), dtype=torch.bool))
