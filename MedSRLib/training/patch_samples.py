"""Samples for patch dictionaries: windows of interpolated coarse patches beside the true fine ones.

Each batch is a pure function of (seed, step), as those of `pairs` that it is cut from, so that all dictionaries of a
seed see the same crops.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from MedSRLib.sparse.patch_network import PatchConfig, enlarged
from MedSRLib.sparse.patches import cut, unfold
from MedSRLib.sparse.scsr import middles
from MedSRLib.training import whole_crops
from MedSRLib.training.frames import Frame
from MedSRLib.training.pairs import pairs_of, seeded
from MedSRLib.training.recipe import Recipe

_BORDER = 3
"""Coarse voxels of a crop whose values, or their interpolation, depend on what lies beyond it, each way."""

PER_CROP = 256
"""Samples of a crop at most: neighbours tell little new."""


class PatchSamples:
    """Draws samples from the volumes of a training.

    Args:
        frames: the volumes.
        recipe: its ``sampling``, ``degradation`` and ``seed`` are used; see `check`.
        config: what a patch is.
        device: where to compute.

    Raises:
        InputError: if no volume is large enough for one crop.
    """

    def __init__(self, frames: Sequence[Frame], recipe: Recipe, config: PatchConfig, device: str) -> None:
        self._pairs = pairs_of(frames, recipe, device)
        self._recipe, self._config = recipe, config
        self._middle = middles(config).to(device)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Windows of mid (n, surroundings^axes) and the fine patches less those of mid (n, patch)."""
        c = self._config
        drawn = self._pairs.batch(step)
        assert drawn.queries is not None  # see `check`
        flat = c.dimensions == 2
        image, target = ((x[:, 0, 0] if flat else x[:, 0]) for x in (drawn.image, drawn.target))
        first = round((drawn.queries.positions[-1][0] + 0.5) * c.factor - 0.5)  # the fine voxel where the target begins
        around = (c.surroundings - c.window) // 2
        start = _BORDER * c.factor - (_BORDER * c.factor + around) % -c.step
        stop = [n * c.factor - _BORDER * c.factor for n in image.shape[1:]]
        mid = unfold(cut(enlarged(image, c.factor), [slice(start, n) for n in stop]), c.surroundings, c.step)
        fine = cut(target, [slice(start + around - first, n - around - first) for n in stop])
        truth = unfold(fine, c.window, c.step)
        places = self._places(mid.shape[: image.dim()], step)
        windows = mid[places].reshape(len(places[0]), -1)
        return windows, truth[places].reshape(len(places[0]), -1) - windows[:, self._middle]

    def _places(self, shape: torch.Size, step: int) -> tuple[Tensor, ...]:
        """Different random places of every crop."""
        generator = seeded(self._recipe.seed, "places", step, 0)
        crops, count = shape[0], shape[1:].numel()
        chosen = [crop * count + torch.from_numpy(generator.permutation(count)[:PER_CROP]) for crop in range(crops)]
        return tuple(torch.unravel_index(torch.cat(chosen), shape))


def check(recipe: Recipe, config: PatchConfig) -> None:
    """Refuse a recipe whose crops are not what a dictionary needs.

    Raises:
        OptionError: what must be changed.
    """
    smallest = -(-config.surroundings // config.factor) + 2 * _BORDER + 1
    whole_crops.check(recipe, config, smallest, "The patches of a dictionary are cut from")
