"""Whole volumes, degraded and interpolated back, beside what should be made of them.

Methods that look at an interpolated input learn from these: the interpolation is the one that `networks.on_grid` makes
of a coarse input, so that training and use agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.acquisition import RicianNoise
from MedSRLib.acquisition.matrices import axis_matrix
from MedSRLib.errors import OptionError
from MedSRLib.foreground import foreground
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.progress import Progress
from MedSRLib.training.frames import Frame
from MedSRLib.training.pairs import seeded
from MedSRLib.training.recipe import Recipe, Sampling

_READ = {"scale_min", "scale_max"}

_AIR = 12
"""Voxels kept around the patient."""


_PIECES, _BENT_UP_TO = 7, 2.2
"""Of a bent curve of intensities; its upper end in medians of the patient."""


@dataclass(frozen=True)
class WholePair:
    """Float32 (k, j, i) on the grid of the fine volume.

    Attributes:
        source: the degraded volume, interpolated.
        target: what should be made of it; for an unpaired volume the volume itself.
        mask: the patient, bool.
    """

    source: Tensor
    target: Tensor
    mask: Tensor


def check(recipe: Recipe) -> None:
    """Refuse a recipe that asks for more than one scale and one degradation, or for patches.

    Raises:
        OptionError: what must be changed.
    """
    s, d = recipe.sampling, recipe.degradation
    unused = sorted(n for n in set(Sampling.model_fields) - _READ if getattr(s, n) != Sampling.model_fields[n].default)
    if unused:
        raise _refused(
            recipe, f"sampling.{unused[0]}", "whole volumes are degraded, of which crops are cut; leave it out"
        )
    if s.scale_min != s.scale_max:
        raise _refused(recipe, "sampling.scale_min", "it must be scale_max: a model is for one scale")
    if len(d) != 1 or d[0].thickness != (1.0, 1.0):
        raise _refused(recipe, "degradation", "there must be one, without a thickness")


def whole_pairs(
    frames: Sequence[Frame],
    recipe: Recipe,
    progress: Progress,
    *,
    copies: int = 1,
    field: float = 0.0,
    bend: float = 0.0,
) -> list[WholePair]:
    """Each frame degraded, cut to the patient and some air around; noise is evenly spread up to the recipe's.

    Args:
        frames: normalised volumes.
        recipe: its target, scale and degradation are used.
        progress: asked whether to go on.
        copies: of each frame; those after the first shine unevenly.
        field: standard deviation of the logarithm of that smooth field.
        bend: of those copies' source, see `bent`.
    """
    found = []
    for number, copy in itertools.product(range(len(frames)), range(copies)):
        progress.check()
        frame = frames[number]
        generator = torch.Generator().manual_seed(int(seeded(recipe.seed, "whole", number, copy).integers(2**31)))
        mask = torch.from_numpy(foreground(frame.values))
        fine = torch.from_numpy(frame.values)
        if copy and bend:
            fine = bent(fine, mask, bend, generator)
        if copy and field:
            fine = _unevenly_lit(fine, mask, field, generator)
        level = recipe.degradation[0].noise * (number + copy * len(frames) + 0.5) / (len(frames) * copies)
        source = degraded(fine, recipe, level, generator)
        target = torch.from_numpy(np.ascontiguousarray(frame.others.get(recipe.data.target, frame.values)))
        box = _around(mask)
        found.append(WholePair(source[box].clone(), target[box].clone(), mask[box].clone()))
    return found


def _unevenly_lit(fine: Tensor, mask: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """A volume times a smooth random field, its median in the mask again what it was."""
    coarse = amount * torch.randn(1, 1, 4, 4, 4, generator=generator)
    lit = fine * functional.interpolate(coarse, size=fine.shape, mode="trilinear", align_corners=True)[0, 0].exp()
    return lit * (fine[mask].median() / lit[mask].median())


def bent(fine: Tensor, mask: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """A volume with another contrast: a random rising curve of its intensities, its median in the mask what it was.

    The curve is piecewise linear between 0 and 2.2 medians in seven pieces, the logarithm of whose slopes has the
    standard deviation ``amount``; beyond, its slope is 1.
    """
    middle = fine[mask].median()
    slopes = (amount * torch.randn(_PIECES, generator=generator)).exp()
    ends = torch.cat([slopes.new_zeros(1), slopes.cumsum(0)]).to(fine)
    inside = fine.clamp(0, float(_BENT_UP_TO * middle))
    place = inside / (_BENT_UP_TO * middle) * _PIECES
    piece = place.floor().clamp_max(_PIECES - 1).long()
    step = _BENT_UP_TO * middle / _PIECES
    curved = (ends[piece] + (place - piece) * slopes.to(fine)[piece]) * step + (fine - inside)
    return curved * (middle / curved[mask].median())


def _around(mask: Tensor) -> tuple[slice, ...]:
    """The box of a mask, and some voxels more."""
    ranges = []
    for axis in range(3):
        filled = mask.any(dim=[a for a in range(3) if a != axis]).nonzero()[:, 0]
        ranges.append(slice(max(0, int(filled[0]) - _AIR), int(filled[-1]) + 1 + _AIR))
    return tuple(ranges)


def degraded(fine: Tensor, recipe: Recipe, noise: float, generator: torch.Generator) -> Tensor:
    """A volume (k, j, i) as the recipe's scanner would have it, with noise, interpolated to its own grid by cubics."""
    scale, kind = recipe.sampling.scale_max, recipe.degradation[0].kind
    sizes = [max(1, round(n / scale)) for n in fine.shape]
    if scale > 1:
        matrices = [axis_matrix(kind, n, m) for n, m in zip(fine.shape, sizes, strict=True)]
        coarse = apply_separable(fine, [torch.tensor(matrix).to(fine) for matrix in matrices])
    else:
        coarse = fine
    if noise:
        floor = fine.min()
        coarse = RicianNoise(noise)(coarse - floor, generator) + floor
    if scale == 1:
        return coarse
    steps = [m / n for n, m in zip(fine.shape, sizes, strict=True)]
    k, j, i = ((np.arange(n) + 0.5) * h - 0.5 for n, h in zip(fine.shape, steps, strict=True))
    queries = Queries((k, j, i), (steps[0], steps[1], steps[2]))
    return apply_separable(coarse, [m.to(fine) for m in axis_matrices("cubic", tuple(coarse.shape), queries)])


def _refused(recipe: Recipe, name: str, reason: str) -> OptionError:
    return OptionError(f"The recipe '{recipe.name}' cannot be used: {name}: {reason}.")
