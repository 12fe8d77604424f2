"""Patch pairs for training, made on the device, each batch a pure function of (seed, step, rank).

Because nothing is remembered between batches, a run that is killed and resumed continues as if nothing had
happened, and every process of a distributed run draws its own batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSRLib.acquisition import RicianNoise
from MedSRLib.acquisition.matrices import CORNER_ALIGNED, WITH_PROFILE, axis_matrix
from MedSRLib.errors import InputError
from MedSRLib.foreground import foreground
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.queries import Queries
from MedSRLib.training import scales
from MedSRLib.training.frames import Frame
from MedSRLib.training.places import Place
from MedSRLib.training.recipe import Degradation, Recipe

_EXAMPLE_PATCH = 40
"""Input voxels along the edges of the example's slice, where the volume has as many."""


@dataclass(frozen=True)
class Batch:
    """Inputs (n, 1, k, j, i) with either product queries and targets (n, 1, k', j', i'), or scattered points
    (n, q, 3; input indices in k, j, i order) and targets (n, q, 1); for guided networks a guide (n, g, k", j", i")."""

    image: Tensor
    target: Tensor
    queries: Queries | None = None
    points: Tensor | None = None
    guide: Tensor | None = None


class Pairs:
    """Draws batches from normalised volumes.

    Args:
        volumes: normalised reference volumes, float32 (k, j, i).
        recipe: its ``sampling``, ``degradation`` and ``seed`` are used.
        device: where the volumes are kept and the pairs are made.
        groups: which volumes belong together (their data sets), one name a volume; each group is drawn equally
            often, and a batch is of one group, its patches cut to what the group's smallest volume holds.

    Raises:
        InputError: if no volume is large enough for one patch.
    """

    def __init__(
        self,
        volumes: list[np.ndarray],
        recipe: Recipe,
        device: torch.device | str = "cpu",
        groups: list[str] | None = None,
    ) -> None:
        self._recipe = recipe
        self._device = torch.device(device)
        s = recipe.sampling
        needed = smallest_edge(recipe)
        names = groups or [""] * len(volumes)
        kept = [v for v in volumes if holds_patch(v.shape, recipe)]
        self._groups: dict[str, list[int]] = {}
        for number, name in enumerate(n for n, v in zip(names, volumes, strict=True) if holds_patch(v.shape, recipe)):
            self._groups.setdefault(name, []).append(number)
        if not kept:
            raise InputError(
                f"No training volume has {needed} voxels along every axis.",
                "One patch needs that many.",
                "Use a smaller sampling.patch or scale_max, or larger volumes.",
            )
        self._volumes = [torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for v in kept]
        if s.kind == "paper":
            self._crops = self._fixed_crops()
            self.steps_per_epoch = max(1, len(self._crops) // s.batch)
        else:
            self._centres = [np.argwhere(foreground(v)[::4, ::4, ::4]) * 4 for v in kept]
            self._volumes = [volume.to(self._device) for volume in self._volumes]
            self._floors = [float(volume.min()) for volume in self._volumes]
            self.steps_per_epoch = 0

    @property
    def count(self) -> int:
        """Volumes in use."""
        return len(self._volumes)

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch that process ``rank`` of ``world`` sees at ``step``."""
        generator = seeded(self._recipe.seed, "batch", step, rank)
        if self._recipe.sampling.kind == "paper":
            return self._paper_batch(step, rank, world, generator)
        return self._product_batch(generator)

    def example(self) -> Batch:
        """The middle of the first volume at the largest scale, asked for at its middle slice: a picture to draw.

        Shapes: image (1, 1, k, j, i), target (1, 1, 1, j', i').
        """
        s, kind = self._recipe.sampling, self._recipe.degradation[0].kind
        volume = self._volumes[0].to(self._device)
        wide = max(s.patch, _EXAMPLE_PATCH)
        scale, edges = scales.spread(s, s.scale_max), [wide if p > 1 else 1 for p in scales.patches(s, s.patch)]
        edges[0] = min(edges[0], s.patch)
        patches = [max(1, min(p, int(n / f))) for p, n, f in zip(edges, volume.shape, scale, strict=True)]
        sizes = [min(max(p, round(p * f)), n) for p, n, f in zip(patches, volume.shape, scale, strict=True)]
        starts = [(n - size) // 2 for n, size in zip(volume.shape, sizes, strict=True)]
        k, j, i = (slice(start, start + size) for start, size in zip(starts, sizes, strict=True))
        wanted = volume[k, j, i][None, None]
        matrices = [torch.tensor(axis_matrix(kind, n, p)).to(wanted) for n, p in zip(sizes, patches, strict=True)]
        places = [_positions(kind, n, p) for n, p in zip(sizes, patches, strict=True)]
        middle = slice(sizes[0] // 2, sizes[0] // 2 + 1)
        (pk, hk), (pj, hj), (pi, hi) = places
        queries = Queries((pk[middle], pj, pi), (hk, hj, hi))
        return Batch(apply_separable(wanted, matrices), wanted[:, :, middle], queries=queries)

    def _product_batch(self, generator: np.random.Generator) -> Batch:
        s = self._recipe.sampling
        degradation = self._degradation(generator)
        scale = scales.drawn(s, generator)
        group = list(self._groups.values())[int(generator.integers(len(self._groups)))]
        smallest = min(_shortest(tuple(self._volumes[number].shape), self._recipe) for number in group)
        patches = scales.patches(s, min(s.patch, int(smallest / max(scale))))
        sizes = [max(patch, round(patch * factor)) for patch, factor in zip(patches, scale, strict=True)]
        matrices = [
            torch.tensor(self._axis(degradation, size, patch, generator), dtype=torch.float32, device=self._device)
            for size, patch in zip(sizes, patches, strict=True)
        ]
        places = [self._place(group, sizes, generator) for _ in range(s.batch)]
        wanted = self._wanted(places, generator)
        image = apply_separable(wanted, matrices)
        if degradation.noise:
            floors = [self._floors[place.volume] for place in places]
            floor = torch.tensor(floors, device=self._device).view(-1, 1, 1, 1, 1)
            image = self._noisy(image - floor, degradation.noise, generator) + floor
        gain = self._uniform(1 - s.gain, 1 + s.gain, generator)
        offset = self._uniform(-s.offset, s.offset, generator)
        image, wanted = image * gain + offset, wanted * gain + offset
        planes = [self._planes(degradation.kind, *axis, generator) for axis in zip(sizes, patches, strict=True)]
        rows, columns, slices = (torch.from_numpy(index).to(self._device) for index, _, _ in planes)
        target = wanted[:, :, rows[:, None, None], columns[:, None], slices]
        (_, pk, hk), (_, pj, hj), (_, pi, hi) = planes
        guide = self._guide(places, (rows, columns, slices), sizes, patches, generator)
        return Batch(image, target, queries=Queries((pk, pj, pi), (hk, hj, hi)), guide=guide)

    def _wanted(self, places: list[Place], generator: np.random.Generator) -> Tensor:
        """The patches to restore, (n, 1, k, j, i)."""
        return torch.stack([place.cut(self._volumes[place.volume]) for place in places])[:, None]

    def _guide(
        self,
        places: list[Place],
        planes: tuple[Tensor, Tensor, Tensor],
        sizes: list[int],
        patches: list[int],
        generator: np.random.Generator,
    ) -> Tensor | None:
        """What guides the patches at these places: nothing here, see `guided_pairs`."""
        return None

    def _place(self, group: list[int], sizes: list[int], generator: np.random.Generator) -> Place:
        """A patch around a random foreground voxel, randomly turned."""
        which = group[int(generator.integers(len(group)))]
        volume, centres = self._volumes[which], self._centres[which]
        order = self._order(generator)
        extent = np.array(sizes)[np.argsort(order)]
        if any(e > n for e, n in zip(extent, volume.shape, strict=True)):
            order, extent = np.arange(3), np.minimum(sizes, volume.shape)
        centre = centres[generator.integers(len(centres))] + generator.integers(-2, 3, 3)
        start = np.clip(centre - extent // 2, 0, np.array(volume.shape) - extent)
        flips = [axis for axis in range(3) if self._recipe.sampling.augment and generator.random() < 0.5]
        return Place.of(which, start, extent, order, flips)

    def _order(self, generator: np.random.Generator) -> np.ndarray:
        """Which axes of a volume become k, j and i of a patch."""
        s = self._recipe.sampling
        if not s.augment:
            return np.arange(3)
        return generator.permutation(3) if s.slices == "any" else np.append(0, 1 + generator.permutation(2))

    def _axis(self, degradation: Degradation, size: int, patch: int, generator: np.random.Generator) -> np.ndarray:
        width = None
        if degradation.kind in WITH_PROFILE and size > patch:
            width = size / patch * round(float(generator.uniform(*degradation.thickness)), 2)
        return axis_matrix(degradation.kind, size, patch, width=width)

    def _planes(
        self, kind: str, size: int, patch: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Random wanted planes of one axis: their indices, their positions in the input, and their step."""
        s = self._recipe.sampling
        positions, step = _positions(kind, size, patch)
        context = s.context if patch > 1 else 0
        usable = np.flatnonzero((positions >= context) & (positions <= patch - 1 - context))
        chosen = np.sort(generator.choice(usable, min(s.queries, len(usable)), replace=False))
        return chosen, positions[chosen], step

    def _noisy(self, image: Tensor, largest: float, generator: np.random.Generator) -> Tensor:
        """Each sample with its own noise level; the noise is drawn on the device."""
        drawn = torch.Generator(self._device).manual_seed(int(generator.integers(2**62)))
        sigma = self._uniform(0.0, largest, generator).clamp(min=1e-6)
        return RicianNoise(1.0)(image / sigma, drawn) * sigma

    def _uniform(self, low: float, high: float, generator: np.random.Generator) -> Tensor:
        drawn = generator.uniform(low, high, (self._recipe.sampling.batch, 1, 1, 1, 1))
        return torch.from_numpy(drawn.astype(np.float32)).to(self._device)

    def _degradation(self, generator: np.random.Generator) -> Degradation:
        weights = np.array([d.weight for d in self._recipe.degradation])
        return self._recipe.degradation[int(generator.choice(len(weights), p=weights / weights.sum()))]

    def _fixed_crops(self) -> list[Tensor]:
        """The paper's ``crops_per_subject`` crops of every volume, drawn once."""
        s = self._recipe.sampling
        generator = seeded(self._recipe.seed, "crops", 0, 0)
        crops = []
        for volume in self._volumes:
            room = np.array(volume.shape) - s.crop
            margin = np.minimum(s.margin, room // 2)
            for _ in range(s.crops_per_subject):
                k, j, i = (int(v) for v in generator.integers(margin, room - margin + 1))
                crops.append(volume[k : k + s.crop, j : j + s.crop, i : i + s.crop].to(self._device))
        return crops

    def _paper_batch(self, step: int, rank: int, world: int, generator: np.random.Generator) -> Batch:
        s = self._recipe.sampling
        epoch, place = divmod(step * world + rank, self.steps_per_epoch)
        order = seeded(self._recipe.seed, "epoch", epoch, 0).permutation(len(self._crops))
        images, points, targets = [], [], []
        for index in order[place * s.batch : (place + 1) * s.batch]:
            factor = generator.uniform(s.scale_min, s.scale_max + 0.4 * s.scale_step)
            if s.scale_step:
                factor = round(factor / s.scale_step) * s.scale_step
            size = int(s.patch * factor + 1e-9)
            wanted = self._crops[int(index)][:size, :size, :size]
            kind = self._degradation(generator).kind
            matrix = torch.tensor(axis_matrix(kind, size, s.patch)).to(wanted)
            images.append(apply_separable(wanted, [matrix] * 3))
            chosen = torch.from_numpy(generator.choice(size**3, s.queries, replace=False)).to(wanted.device)
            indices = torch.stack(torch.unravel_index(chosen, (size,) * 3), dim=-1)
            # The released code takes the patch's voxels for cell-centred, though zoom aligns corner centres.
            points.append((indices + 0.5) * (s.patch / size) - 0.5)
            targets.append(wanted.reshape(-1, 1)[chosen])
        return Batch(torch.stack(images)[:, None], torch.stack(targets), points=torch.stack(points).float())


def pairs_of(frames: Sequence[Frame], recipe: Recipe, device: torch.device | str = "cpu") -> Pairs:
    """Draws batches from the frames of some volumes; errors as `Pairs`."""
    return Pairs([f.values for f in frames], recipe, device, [f.group for f in frames])


def smallest_edge(recipe: Recipe) -> int:
    """How many voxels a volume must have along every axis of a patch to hold one."""
    s = recipe.sampling
    return s.crop if s.kind == "paper" else round((2 * s.context + 3) * s.scale_max)


def _shortest(shape: tuple[int, ...], recipe: Recipe) -> int:
    """The shortest of a volume's edges (k, j, i) that patches lie along."""
    return min(shape[1:] if recipe.sampling.slices == "k" else shape)


def holds_patch(shape: tuple[int, ...], recipe: Recipe) -> bool:
    """Whether a volume of so many voxels (k, j, i) holds one patch."""
    return len(shape) == 3 and _shortest(shape, recipe) >= smallest_edge(recipe)


def _positions(kind: str, size: int, patch: int) -> tuple[np.ndarray, float]:
    """Where the wanted planes of one axis lie in the input, and their step, both in input voxels."""
    if kind in CORNER_ALIGNED and size != patch:
        step = (patch - 1) / (size - 1)
        return np.arange(size) * step, step
    step = patch / size
    return (np.arange(size) + 0.5) * step - 0.5, step


def seeded(seed: int, purpose: str, number: int, rank: int) -> np.random.Generator:
    """A generator that depends on nothing but these."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}/{rank}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
