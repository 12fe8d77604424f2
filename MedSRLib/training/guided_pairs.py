"""Training pairs with a guide: another modality, cut where the target is cut and turned alike.

A guide of a patient is never quite in place and never of quite the contrast that was trained on. Each patch's guide is
therefore shifted and turned a little, its intensities are bent, and sometimes there is none (`recipe.Guidance`).
Lesions may be drawn into either alone (`lesions`).

A network of several guides at once has a channel for each modality that the recipe lists. A guide that is left out, or
that a subject does not have, as its own modality never guides a volume, is 0 in its channel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.errors import OptionError
from MedSRLib.inference.sampling import apply_separable, interpolation_matrix
from MedSRLib.training.frames import Frame
from MedSRLib.training.lesions import with_lesions
from MedSRLib.training.pairs import Pairs, holds_patch
from MedSRLib.training.places import Place
from MedSRLib.training.recipe import Recipe

_KNOTS = 6
_HIGHEST = 1.5
"""Normalised intensities up to which a curve bends; those beyond go on as at its end."""


class GuidedPairs(Pairs):
    """Draws batches with a guide.

    Args:
        frames: normalised volumes, each with the ``others`` that may guide it.
        recipe: as for `Pairs`, and its ``guidance``.
        device: where the volumes are kept and the pairs are made.
        scale: of the network's own grid along k, j and i of a patch; None if it works on the grid of the queries.
        guides: how many the network takes; several are those that the recipe lists, in its order.

    Raises:
        InputError: if no volume is large enough for one patch.
        OptionError: for a recipe that does not say what guides.
    """

    def __init__(
        self,
        frames: list[Frame],
        recipe: Recipe,
        device: torch.device | str = "cpu",
        scale: tuple[int, int, int] | None = None,
        guides: int = 1,
    ) -> None:
        super().__init__([f.values for f in frames], recipe, device, [f.group for f in frames])
        named = [recipe.data.guide] if isinstance(recipe.data.guide, str) else list(recipe.data.guide or [])
        if not named or (guides > 1 and len(named) != guides):
            raise OptionError(
                f"The recipe's data.guide names {len(named)} modalities.",
                f"The network of '{recipe.method}' takes {guides} at once.",
                "Name the modality that guides; of several guides at once, all of them in their order.",
            )
        self._stride = scale
        channels = [named] if guides == 1 else [[name] for name in named]
        kept = [frame for frame in frames if holds_patch(frame.values.shape, recipe)]
        self._spacings = np.array([frame.spacing for frame in kept])
        self._others = [
            [[self._held(f.others[name]) for name in names if name in f.others] for names in channels] for f in kept
        ]
        """Of each volume, for each channel, the volumes that may fill it."""

    def _held(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(self._device)

    def _wanted(self, places: list[Place], generator: np.random.Generator) -> Tensor:
        return self._with_lesions(super()._wanted(places, generator), places, generator)

    def _with_lesions(self, patches: Tensor, places: list[Place], generator: np.random.Generator) -> Tensor:
        """Patches (n, c, k, j, i), some with lesions that nothing else shows."""
        share = self._recipe.guidance.lesions
        if not share:
            return patches
        spacings = np.array([self._spacings[place.volume][list(place.order)] for place in places])
        return with_lesions(patches, spacings, share, generator)

    def _guide(
        self,
        places: list[Place],
        planes: tuple[Tensor, Tensor, Tensor],
        sizes: list[int],
        patches: list[int],
        generator: np.random.Generator,
    ) -> Tensor | None:
        """The guides of some patches on the network's own grid, (n, g, k, j, i); None if they are to do without."""
        volumes = [self._others[place.volume] for place in places]
        kept = [generator.random() >= self._recipe.guidance.dropout for _ in volumes[0]]
        shown = torch.tensor([[bool(each) and keep for each, keep in zip(v, kept, strict=True)] for v in volumes])
        if not shown.any():
            return None
        cut = torch.stack([self._cut(place, generator) for place in places])
        cut = self._bent(self._with_lesions(cut, places, generator), generator)
        cut = cut * shown[:, :, None, None, None].to(cut)
        if self._stride is None:
            rows, columns, slices = planes
            return cut[:, :, rows[:, None, None], columns[:, None], slices]
        matrices = []
        for size, patch, factor in zip(sizes, patches, self._stride, strict=True):
            own = (np.arange(patch * factor) + 0.5) * (size / (patch * factor)) - 0.5
            matrices.append(interpolation_matrix("cubic", size, own).to(cut))
        return apply_separable(cut, matrices)

    def _cut(self, place: Place, generator: np.random.Generator) -> Tensor:
        """The guides of one patch, slightly out of place, (g, k, j, i); 0 where there is none."""
        cut = []
        for others in self._others[place.volume]:
            if others:
                volume = others[int(generator.integers(len(others)))]
                cut.append(place.turned(self._displaced(volume, place, generator)))
            else:
                cut.append(place.turned(torch.zeros(place.extent, device=self._device)))
        return torch.stack(cut)

    def _displaced(self, volume: Tensor, place: Place, generator: np.random.Generator) -> Tensor:
        """The box of a place as a volume shows it that has moved a little, (k, j, i) in the volume's own order."""
        g = self._recipe.guidance
        shift = generator.uniform(-1, 1, 3) * g.shift * generator.random()
        turn = _rotation(generator.normal(size=3), math.radians(g.rotation) * generator.random())
        if not (g.shift or g.rotation):
            return place.cut_box(volume)
        steps = self._spacings[place.volume] / self._spacings[place.volume].min()
        shift, turn = shift / steps, turn * steps / steps[:, None]
        half = (np.array(place.extent) - 1) / 2
        margin = (
            math.ceil(g.shift + 2 * math.sin(math.radians(g.rotation) / 2) * float(np.linalg.norm(half * steps))) + 1
        )
        box = volume
        for axis, (start, extent) in enumerate(zip(place.start, place.extent, strict=True)):
            index = torch.arange(start - margin, start + extent + margin, device=volume.device)
            box = box.index_select(axis, index.clamp(0, volume.shape[axis] - 1))
        size = np.array(box.shape)
        # grid_sample counts from -1 to 1 between outer edges, i first: x_in = A x_out + b in those units.
        to_units = 2 / size
        matrix = (to_units[:, None] * turn / to_units[None, :])[::-1, ::-1]
        theta = np.concatenate([matrix, (shift * to_units)[::-1, None]], axis=1)[None]
        where = functional.affine_grid(
            torch.tensor(theta, dtype=torch.float32, device=box.device), [1, 1, *box.shape], align_corners=False
        )
        moved = functional.grid_sample(box[None, None], where, padding_mode="border", align_corners=False)[0, 0]
        inner = tuple(slice(margin, margin + extent) for extent in place.extent)
        return moved[inner]

    def _bent(self, guide: Tensor, generator: np.random.Generator) -> Tensor:
        """The guides (n, g, k, j, i) with other contrasts, gains and noise, each its own."""
        g = self._recipe.guidance
        shape = (*guide.shape[:2], 1, 1, 1)
        if g.contrast:
            share = torch.tensor(generator.uniform(0, g.contrast, shape), dtype=torch.float32, device=guide.device)
            share = share * torch.tensor(generator.random(shape) < 0.5, device=guide.device)
            guide = (1 - share) * guide + share * torch.stack(
                [torch.stack([_curved(one, generator) for one in sample]) for sample in guide]
            )
        gain, offset = (
            torch.tensor(generator.uniform(-1, 1, shape), dtype=torch.float32, device=guide.device) for _ in range(2)
        )
        guide = guide * (1 + g.gain * gain) + g.offset * offset
        if g.noise:
            drawn = torch.Generator(guide.device).manual_seed(int(generator.integers(2**62)))
            level = torch.tensor(generator.uniform(0, g.noise, shape), dtype=torch.float32, device=guide.device)
            guide = guide + level * torch.randn(guide.shape, generator=drawn, device=guide.device)
        return guide


def _curved(values: Tensor, generator: np.random.Generator) -> Tensor:
    """Intensities along a random curve of straight pieces from a random start; brighter may become darker."""
    heights = torch.tensor(generator.random(_KNOTS), dtype=torch.float32, device=values.device)
    place = (values / _HIGHEST).clamp(0, 1) * (_KNOTS - 1)
    lower = place.floor().clamp(max=_KNOTS - 2)
    left = lower.long()
    return heights[left] + (place - lower) * (heights[left + 1] - heights[left])


def _rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """By Rodrigues' formula, 3 × 3; angle in radians."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
