"""The learner of CSC-SR: coarse filters by turns with the maps, then fine filters by turns with the mapping.

    1  crops are drawn once, degraded by the recipe; their smooth parts are taken off
    2  each turn: the maps of every crop go on from where they were, then the coarse filters are updated
    3  the linear filters beside the codes, where the architecture has them
    4  the maps as the method will find them, and the fine filters and mapping that suit them

S. Gu et al., ICCV 2015 (`sparse.csc_sr`). Crops are periodic here; towards their borders, over the width of a filter,
what is left of image and truth without their smooth parts fades to nothing, so that no edge arises where they meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from MedSRLib.networks import catalogue
from MedSRLib.sparse import coding, filters, fine_filters, smooth, spectra
from MedSRLib.sparse.coding import Coded
from MedSRLib.sparse.csc_sr import CSCSRConfig, phases_of
from MedSRLib.sparse.decoding import Normals
from MedSRLib.sparse.filters import Evidence
from MedSRLib.sparse.patch_network import enlarged
from MedSRLib.training import held_out, whole_crops
from MedSRLib.training.frames import Frame
from MedSRLib.training.inputs import told_of_inputs
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learned, Learner, LearnerSettings
from MedSRLib.training.pairs import holds_patch, pairs_of, seeded, smallest_edge
from MedSRLib.training.recipe import Recipe

_COARSE = 0.7
"""Fraction of the progress when the coarse filters are done."""


class CSCSRSettings(LearnerSettings):
    """How CSC-SR learns.

    Attributes:
        crops: to learn from, of ``sampling.patch`` input voxels along each axis.
        iterations: turns of maps and coarse filters.
        steps: iterations of the coding in a turn.
        fine_iterations: turns of fine filters and mapping.
        direct_ridge: of the linear filters beside the codes, in coarse voxels.
    """

    crops: int = Field(default=48, ge=1)
    iterations: int = Field(default=12, ge=1)
    steps: int = Field(default=15, ge=1)
    fine_iterations: int = Field(default=6, ge=0)
    direct_ridge: float = Field(default=30.0, ge=0)


class CSCSRLearner(Learner):
    """Learns filters and mapping."""

    Settings: ClassVar[type[LearnerSettings]] = CSCSRSettings

    def check(self, recipe: Recipe) -> None:
        """See `Learner.check`."""
        super().check(recipe)
        config = config_of(recipe)
        whole_crops.check(recipe, config, 3 * config.support, "CSC-SR learns, some filters wide, from")

    def holds(self, size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """See `Learner.holds`."""
        return holds_patch(tuple(size[::-1]), recipe)

    def needs(self, recipe: Recipe) -> str:
        """See `Learner.needs`."""
        return f"{smallest_edge(recipe)} voxels along every axis"

    def steps(self, recipe: Recipe) -> int:
        """See `Learner.steps`."""
        settings = self.settings(recipe)
        return int(settings.iterations + settings.fine_iterations)

    def trial(self, recipe: Recipe) -> tuple[Recipe, float]:
        """See `Learner.trial`."""
        settings = self.settings(recipe)
        crops = min(settings.crops, 2 * recipe.sampling.batch)
        update = {"crops": crops, "iterations": 1, "fine_iterations": min(1, settings.fine_iterations)}
        short = recipe.model_copy(update={"learning": {**recipe.learning, **update}})
        return short, settings.crops / crops * settings.iterations

    def learn(
        self,
        recipe: Recipe,
        train: list[Frame],
        validation: list[Frame],
        *,
        keeper: Keeper,
        device: str,
        progress: Any,
    ) -> Learned:
        """See `Learner.learn`."""
        settings, config = self.settings(recipe), config_of(recipe)
        progress.stage("Drawing crops")
        high, truth = crops(train, recipe, config, settings.crops, device)
        coarse = _coarse(high, config, settings, recipe.seed, keeper, progress.part(0, _COARSE))
        found = {"coarse": coarse}
        if config.direct:
            found["direct"] = linear_filters(high, truth, config.direct, settings.direct_ridge)
            truth = truth - _filtered(high, found["direct"])
        fine, mapping = _fine(high, truth, coarse, config, settings, keeper, progress.part(_COARSE, 1))
        network: Any = catalogue.build(recipe.method, recipe.architecture)
        found |= {"fine": fine, "mapping": mapping}
        network.body.load_state_dict({name: tensor.cpu() for name, tensor in found.items()})
        held_out.measure(network, validation, recipe, keeper, self.steps(recipe))
        card = told_of_inputs(recipe, [frame.spacing for frame in train])
        return Learned.of(network, card, {"crops": len(high)})


def config_of(recipe: Recipe) -> CSCSRConfig:
    """The configuration of the recipe's network."""
    network: Any = catalogue.build(recipe.method, recipe.architecture)
    config: CSCSRConfig = network.body.config
    return config


def crops(
    train: Sequence[Frame], recipe: Recipe, config: CSCSRConfig, count: int, device: str
) -> tuple[Tensor, Tensor]:
    """Coarse crops without their smooth parts (n, *size), and what the fine ones are beyond those (n, P, *size)."""
    pairs = pairs_of(train, recipe, device)
    high: list[Tensor] = []
    truth: list[Tensor] = []
    step = 0
    while len(high) * recipe.sampling.batch < count:
        drawn = pairs.batch(step)
        image, target = (x[:, 0, 0] if config.dimensions == 2 else x[:, 0] for x in (drawn.image, drawn.target))
        low, rest = smooth.split(image, config.smoothness)
        high.append(rest)
        truth.append(phases_of(_beyond(target, enlarged(low, config.factor)), config.scale))
        step += 1
    window = _window(tuple(high[0].shape[1:]), config.support).to(high[0])
    return torch.cat(high)[:count] * window, torch.cat(truth)[:count] * window


def _beyond(target: Tensor, mid: Tensor) -> Tensor:
    """Target less mid, on mid's grid; the planes at the border that pairs leave out are zero."""
    margin = [(m - n) // 2 for m, n in zip(mid.shape[1:], target.shape[1:], strict=True)]
    difference = target - coding.unpadded(mid, margin)
    return functional.pad(difference, [width for m in reversed(margin) for width in (m, m)])


def _window(size: Sequence[int], width: int) -> Tensor:
    """1 inside, falling as a cosine to nothing over the outer ``width`` voxels."""
    window = torch.ones(())
    for n in size:
        border = torch.minimum(torch.arange(n), torch.arange(n).flip(0)).clamp_max(width)
        window = window[..., None] * (0.5 - 0.5 * torch.cos(torch.pi * (border + 0.5) / (width + 0.5)))
    return window


def _coarse(
    high: Tensor, config: CSCSRConfig, settings: CSCSRSettings, seed: int, keeper: Keeper, progress: Any
) -> Tensor:
    """The coarse filters; they are kept after every turn, and the maps start anew in a run that goes on."""
    progress.stage("Learning the coarse filters")
    coarse = keeper.tensors.get("coarse")
    if coarse is None:
        generator = torch.Generator().manual_seed(int(seeded(seed, "filters", 0, 0).integers(2**62)))
        coarse = filters.drawn(high, config.filters, (config.support,) * config.dimensions, generator)
    coarse = coarse.to(high)
    states: list[Coded | None] = [None] * len(high)
    each = replace(config.coding, iterations=settings.steps, every=settings.steps)
    for step in range(min(keeper.step, settings.iterations) + 1, settings.iterations + 1):
        evidence, total = Evidence(config.filters, high.shape[1:], device=high.device), 0.0
        for n in range(len(high)):
            progress.check()
            found = coding.code(coarse, high[n : n + 1], each, states[n])
            states[n], total = found, total + found.objective[-1]
            evidence.add(found.maps, high[n : n + 1])
        coarse = filters.updated(coarse, evidence)
        keeper.keep(step, {"coarse": coarse})
        keeper.figure("loss", total / len(high), step=step)
        progress.update(step / settings.iterations)
    return coarse


def linear_filters(high: Tensor, truth: Tensor, edge: int, ridge: float) -> Tensor:
    """The filters (P, *edge) that make each phase of truth (n, P, *size) of periodic images (n, *size) best."""
    found = []
    for phase in truth.unbind(1):
        normals = Normals([(edge,) * (high.ndim - 1)], high.shape[1:])
        normals.add(high.cpu()[:, None], phase.cpu())
        found += normals.filters(ridge)
    return torch.stack(found).to(high)


def _filtered(high: Tensor, filters_of_phases: Tensor) -> Tensor:
    """Images (n, *size) through the filter of each phase, periodic, to (n, P, *size)."""
    shown = [spectra.of_filters(one[None], high.shape[1:]) for one in filters_of_phases]
    return torch.stack([spectra.synthesised(one, high[:, None]) for one in shown], 1)


def _fine(
    high: Tensor,
    truth: Tensor,
    coarse: Tensor,
    config: CSCSRConfig,
    settings: CSCSRSettings,
    keeper: Keeper,
    progress: Any,
) -> tuple[Tensor, Tensor]:
    """Fine filters and mapping, for the maps as the method finds them."""
    progress.stage("Learning the fine filters")
    evidence = Evidence(config.filters, high.shape[1:], truth.shape[1], high.device)
    for n in range(len(high)):
        progress.update(0.5 * n / len(high))
        maps = coding.code(coarse, high[n : n + 1], config.coding).maps
        evidence.add(maps, truth[n : n + 1])
    fine, mapping = fine_filters.started(evidence, config.fine_filters, tuple(coarse.shape[1:]), config.bound)
    for step in range(settings.fine_iterations):
        progress.update(0.5 + 0.5 * step / settings.fine_iterations)
        fine, mapping = fine_filters.improved(fine, mapping, evidence, config.bound)
    return fine, mapping
