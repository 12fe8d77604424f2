"""The learner of WEENIE: three alternating updates over streamed crops, then the decoder as a test will use it.

    Zˣ, Zʸ   coupled coding of every crop                                             `sparse.joint`
    Fˣ, Fʸ   least squares with limited norm, over all crops                          `sparse.filters`
    W        ridge regression over all voxels                                         `sparse.mapping`

Y. Huang, L. Shao, A. F. Frangi, CVPR 2017, Algorithm 1 (see `sparse.joint` for Eq. 5).

Departures: crops of whole volumes, cold codes in every outer iteration (so that a run that goes on needs filters and W
alone); filters start from patches at the same places of both modalities, so that W = I is a fair start. At the end,
"refit" (the default) takes the last filter step once more with the maps that a test has, Zʸ = W Zˣ of a source coded by
itself, and without the bound on the norms: the paper's Fʸ expects maps that were coded with the target at hand. The
linear filters beside the codes (``direct``, see `sparse.weenie`) are found in the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field

from MedSRLib.errors import OptionError
from MedSRLib.networks import catalogue
from MedSRLib.sparse import coding, contrast, filters, joint, mapping
from MedSRLib.sparse.joint import Pair, Weights
from MedSRLib.sparse.weenie import Weenie
from MedSRLib.training import weenie_crops, weenie_decoder, weenie_unpaired, whole_pairs
from MedSRLib.training.frames import Frame
from MedSRLib.training.inputs import told_of_inputs
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learned, Learner, LearnerSettings
from MedSRLib.training.pairs import seeded
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.weenie_crops import Crops
from MedSRLib.training.whole_pairs import WholePair

_BATCH = 4
"""Crops that are coded together."""

_COUPLED_ITERATIONS = 8
"""Of ADMM, for a step of the coupled coding."""


class WeenieSettings(LearnerSettings):
    """The choices that the text of the paper leaves open, too.

    Attributes:
        iterations: outer iterations.
        rounds: times that Zʸ and Zˣ are found in turn in each.
        crops: crops of all volumes together that filters and W are learned on.
        edge: of a crop, voxels.
        coupling: β.
        ridge: γ.
        ridge_towards: what γ draws W to: "zero" as in the paper, or the "identity" it starts from, so that W does not
            become singular, and the decoder lose maps, where codes have little energy.
        discrepancy: μ of the MMD between the source maps of registered and unpaired crops; 0 leaves it out.
        refit: whether the decoder is learned once more on the maps of a test.
        decoding_crops: crops that this takes.
        decoding_ridge: its ridge, in voxels.
        copies: of each registered volume; those after the first are lit unevenly by ``field``.
        field: standard deviation of the logarithm of a smooth random field: the volumes that several modalities are
            published of are corrected for the coil's uneven sensitivity, those of users are not.
        bend: of the contrast of those copies, see `whole_pairs.bent`: other scanners have other curves of intensities.
        smoothness: of the table of the base "contrast", in voxels.
        alignment: how unpaired patches are matched, see `sparse.alignment`; "none" has them teach the filters of their
            own modality only.
        unpaired_patches: of each modality.
        unpaired_edge: voxels of such a patch.
        threshold: of a match.
    """

    iterations: int = Field(default=4, ge=1)
    rounds: int = Field(default=1, ge=1)
    crops: int = Field(default=12, ge=1)
    edge: int = Field(default=32, ge=16)
    coupling: float = Field(default=0.10, ge=0)
    ridge: float = Field(default=0.15, ge=0)
    ridge_towards: Literal["zero", "identity"] = "zero"
    discrepancy: float = Field(default=0.0, ge=0)
    refit: bool = True
    decoding_crops: int = Field(default=48, ge=1)
    decoding_ridge: float = Field(default=30.0, ge=0)
    copies: int = Field(default=1, ge=1)
    field: float = Field(default=0.3, ge=0, le=1)
    bend: float = Field(default=0.0, ge=0, le=1)
    smoothness: float = Field(default=20.0, gt=0)
    alignment: Literal["mutual", "argmax", "none"] = "mutual"
    unpaired_patches: int = Field(default=1500, ge=10)
    unpaired_edge: int = Field(default=7, ge=4)
    threshold: float = Field(default=0.5, ge=0)


@dataclass
class Learning:
    """What the parts of one learning share."""

    recipe: Recipe
    settings: WeenieSettings
    network: Weenie
    keeper: Keeper
    progress: Any

    @property
    def weights(self) -> Weights:
        """Of the terms of Eq. 5."""
        s = self.settings
        return Weights(self.network.config.penalty, s.coupling, s.ridge, float(s.ridge_towards == "identity"))


class WeenieLearner(Learner):
    """Learns base, filters and mapping."""

    Settings: ClassVar[type[LearnerSettings]] = WeenieSettings

    def check(self, recipe: Recipe) -> None:
        """See `Learner.check`."""
        super().check(recipe)
        whole_pairs.check(recipe)
        network: Any = catalogue.build(recipe.method, recipe.architecture)
        if network.body.config.direct and not self.settings(recipe).refit:
            raise OptionError(
                f"The recipe '{recipe.name}' has architecture.direct without learning.refit.",
                "The linear filters beside the codes are learned together with the decoder, in that step.",
                "Set learning.refit = true, or architecture.direct = 0.",
            )

    def holds(self, size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """See `Learner.holds`."""
        return len(size) == 3 and min(size) >= self.settings(recipe).edge

    def needs(self, recipe: Recipe) -> str:
        """See `Learner.needs`."""
        return f"{self.settings(recipe).edge} voxels along every axis"

    def steps(self, recipe: Recipe) -> int:
        """See `Learner.steps`."""
        return int(self.settings(recipe).iterations)

    def trial(self, recipe: Recipe) -> tuple[Recipe, float]:
        """See `Learner.trial`: one iteration with fewer crops."""
        settings = self.settings(recipe)
        short = {"iterations": 1, "crops": 2, "decoding_crops": 2, "copies": 1}
        factor = (settings.iterations * settings.crops + settings.decoding_crops) / 4
        return recipe.model_copy(update={"learning": {**recipe.learning, **short}}), factor

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
        """See `Learner.learn`. It is computed on the processor."""
        network: Any = catalogue.build(recipe.method, recipe.architecture)
        learning = Learning(recipe, self.settings(recipe), network.body, keeper, progress)
        target = recipe.data.target
        paired = [f for f in train if not target or target in f.others]
        unpaired = [f for f in train if target and target not in f.others]
        with torch.no_grad():
            progress.stage("Making pairs")
            s = learning.settings
            pairs = whole_pairs.whole_pairs(paired, recipe, progress, copies=s.copies, field=s.field, bend=s.bend)
            if learning.network.config.base == "contrast":
                _learn_base(learning, pairs)
            crops, for_decoder = _crops(learning, pairs, unpaired)
            del pairs
            _alternate(learning, crops)
            last = progress.part(0.8, 1)
            if s.refit:
                weenie_decoder.refit(learning.network, for_decoder, s.decoding_ridge, last)
            measured = weenie_decoder.measured(network, recipe, validation, keeper, self.steps(recipe), last)
        card = told_of_inputs(recipe, [f.spacing for f in paired]) | {"target_modality": target}
        return Learned.of(network, card, {"crops": len(crops.source), **measured})


def _learn_base(learning: Learning, pairs: Sequence[WholePair]) -> None:
    learning.progress.stage("Learning the intensities")
    body = learning.network
    body.limits.copy_(contrast.limits_of(pairs[0].source, pairs[0].mask, body.config.scales))
    fit = contrast.TableFit(body.config.bins, body.config.scales, body.limits)
    for pair in pairs:
        learning.progress.check()
        near = contrast.smoothed(pair.mask.float(), 1.0) > 1e-3  # a little of the air around, too
        fit.add(pair.source, pair.target, near)
    s = learning.settings
    body.table.copy_(fit.table(s.smoothness))


def _crops(learning: Learning, pairs: Sequence[WholePair], unpaired: list[Frame]) -> tuple[Crops, Crops]:
    """Equally many of each registered volume, with those made of unpaired volumes; and others for the decoder."""
    learning.progress.stage("Cutting crops")
    s, recipe, body = learning.settings, learning.recipe, learning.network
    counts = [max(1, round(n / len(pairs))) for n in (s.crops, s.decoding_crops)]
    first, second, registered = [], [], weenie_crops.Registered()
    for number, pair in enumerate(pairs):
        learning.progress.check()
        generator = seeded(recipe.seed, "crops", number, 0)
        ours, decoders = weenie_crops.cut(body, pair, s.edge, counts, generator)
        first.append(ours)
        second.append(decoders)
        if unpaired:
            weenie_unpaired.remember(registered, pair, s.unpaired_edge, len(pairs), generator)
    if unpaired:
        how = weenie_unpaired.Matching(s.alignment, s.threshold, s.unpaired_patches, s.unpaired_edge, s.edge)
        found = weenie_unpaired.crops(body, unpaired, recipe, registered, how, learning.progress)
        learning.progress.log(found.told)
        first += found.crops
        second += [crops for crops in found.crops if crops.coupled.all()]
    return Crops.joined(first), Crops.joined(second)


def _alternate(learning: Learning, crops: Crops) -> None:
    """The three updates, from where the keeper left them."""
    body, s, keeper = learning.network, learning.settings, learning.keeper
    learning.progress.stage("Learning filters and mapping")
    pair = (
        _first(learning, crops)
        if not keeper.step
        else Pair(*(keeper.tensors[n] for n in ("source", "target", "mapping")))
    )
    for step in range(keeper.step + 1, s.iterations + 1):
        pair, value = _improved(learning, pair, crops)
        keeper.keep(step, {"source": pair.source, "target": pair.target, "mapping": pair.mapping})
        keeper.figure("loss", value, step=step)
        learning.progress.update(0.8 * step / s.iterations)
    body.source.copy_(pair.source)
    body.target.copy_(pair.target)
    body.mapping.copy_(pair.mapping)


def _first(learning: Learning, crops: Crops) -> Pair:
    """Filters from patches at the same places of both modalities, and W = I."""
    config = learning.network.config
    generator = torch.Generator().manual_seed(learning.recipe.seed)
    both = torch.stack([crops.source, crops.target], 1)[crops.coupled]
    support = (2, *(config.support,) * 3)
    drawn = filters.drawn(both, config.filters, support, generator)
    halves = [part / part.flatten(1).norm(dim=1).clamp_min(1e-6).view(-1, 1, 1, 1) for part in drawn.unbind(1)]
    w = torch.eye(config.filters)
    return Pair(halves[0], halves[1], w if config.mapping == "full" else w.diagonal().clone())


def _improved(learning: Learning, pair: Pair, crops: Crops) -> tuple[Pair, float]:
    """One outer iteration; the objective a voxel after its coding."""
    config, weights = learning.network.config, learning.weights
    count, size = config.filters, crops.source.shape[1:]
    of_source, of_target = filters.Evidence(count, size), filters.Evidence(count, size)
    grams = mapping.Grams(count)
    how = coding.Settings(
        config.penalty, _COUPLED_ITERATIONS, config.rho, tolerance=0, ratio=0, every=_COUPLED_ITERATIONS + 1
    )
    push = _push(learning, pair, crops, how)
    total = 0.0
    for some in crops.batches(_BATCH):
        learning.progress.check()
        x, y, coupled = some.source, some.target, bool(some.coupled.all())
        used = weights if coupled else replace(weights, coupling=0.0)
        codes, trace = joint.code_jointly(
            pair, x, y, used, how, rounds=learning.settings.rounds, push=push if coupled else None
        )
        of_source.add(codes.source, x)
        of_target.add(codes.target, y)
        if coupled:
            grams.add(codes.source, codes.target)
        total += trace[-1]
    source, target = filters.updated(pair.source, of_source), filters.updated(pair.target, of_target)
    w = grams.solved(config.mapping, weights.ridge / max(weights.coupling, 1e-6), weights.centre).float()
    return Pair(source, target, w), total / crops.source.numel()


def _push(learning: Learning, pair: Pair, crops: Crops, how: coding.Settings) -> Any:
    """The gradient of the discrepancy to the maps of unpaired crops; None without the term or without such crops."""
    weight, alone = learning.settings.discrepancy, ~crops.coupled
    if not weight or not alone.any():
        return None
    other = coding.code(pair.source, crops.source[alone][:_BATCH], how).maps
    return lambda maps: weight * joint.discrepancy_gradient(maps, other)
