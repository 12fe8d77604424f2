"""The last step of learning WEENIE: the decoder on the maps that a test has, and how good the whole is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from MedSRLib.progress import Progress
from MedSRLib.sparse import coding, mapping
from MedSRLib.sparse.decoding import Normals
from MedSRLib.sparse.weenie import Weenie
from MedSRLib.training import held_out, weenie_crops, whole_pairs
from MedSRLib.training.frames import Frame
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.weenie_crops import Crops

_BATCH = 4
"""Crops that are coded together."""

_MEASURED = 64
"""Edge of the box in the middle of a volume that is measured."""


def refit(network: Weenie, crops: Crops, ridge: float, progress: Progress) -> None:
    """Fʸ by least squares on W Zˣ of sources coded by themselves, with d in one; the norms of Fʸ go to W."""
    progress.stage("Learning the decoder")
    count, beside = network.config.filters, crops.beside.shape[1]
    supports = [tuple(network.target.shape[1:])] * count + [(network.config.direct,) * 3] * beside
    normals = Normals(supports, crops.source.shape[1:])
    done = 0
    for some in crops.batches(_BATCH):
        progress.check()
        maps = mapping.mapped(network.mapping, coding.code(network.source, some.source, network.config.coding).maps)
        normals.add(torch.cat([maps, some.beside], 1), some.target)
        done += len(maps)
        progress.update(done / len(crops.source))
    found = normals.filters(ridge)
    if beside:
        network.direct.copy_(torch.stack(found[count:]))
    made = torch.stack(found[:count])
    norms = made.flatten(1).norm(dim=1).clamp_min(1e-12)
    network.target.copy_(made / norms.view(-1, 1, 1, 1))
    network.mapping.copy_(network.mapping * (norms[:, None] if network.mapping.ndim == 2 else norms))


def measured(
    network: Any, recipe: Recipe, validation: list[Frame], keeper: Keeper, step: int, progress: Progress
) -> dict[str, float]:
    """PSNR in the middle of the volumes that were held out, and that of the base alone; intensities have range 1."""
    body: Weenie = network.body
    usable = [f for f in validation if not recipe.data.target or recipe.data.target in f.others]
    errors: list[Tensor] = []
    for pair in whole_pairs.whole_pairs(usable, recipe, progress):
        starts = [max(0, (n - _MEASURED) // 2) for n in pair.source.shape]
        box = tuple(slice(start, start + _MEASURED) for start in starts)
        high, rest, beside = (weenie_crops.inside(volume, box) for volume in weenie_crops.signals(body, pair))
        error = (rest - body.decoded(high[None], beside[None])[0]).square().mean()
        errors.append(torch.stack([error, rest.square().mean()]))
    if not errors:
        return {}
    reached, base = (held_out.psnr_of(float(e)) for e in torch.stack(errors).mean(0))
    keeper.figure("validation_psnr", reached, step=step, cubic=base)
    return {"validation_psnr": reached, "validation_psnr_of_base": base}
