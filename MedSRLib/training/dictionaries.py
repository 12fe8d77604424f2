"""Learners of the dictionaries of compressed gradient features: Zeyde, NE+LLE, GR, ANR and A+.

    V     principal axes of the features of the first samples                       `sparse.pca`
    D_l   K-SVD of the features f                                                   `sparse.ksvd`
    D_h   P Γᵀ (Γ Γᵀ)⁻¹ for the fine differences P and the sparse codes Γ of f      all but A+
    P_a   ridge regressors of the samples around every atom                         A+

R. Zeyde et al., 2010; R. Timofte et al., 2013 and 2014 (`sparse.dictionary`, `sparse.a_plus`).

Departures: samples are random patches of random crops, turned and mirrored, of the volumes at their own resolution and
degraded by the recipe; the papers take all patches of the images, and A+ also of smaller copies of them (0.98^j).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from MedSRLib.networks import catalogue
from MedSRLib.sparse import ksvd, regression
from MedSRLib.sparse.dictionary import DictionaryConfig
from MedSRLib.sparse.features import feature_matrix
from MedSRLib.sparse.pca import principal_axes
from MedSRLib.sparse.pursuit import batch_omp
from MedSRLib.training import held_out, patch_samples
from MedSRLib.training.frames import Frame
from MedSRLib.training.inputs import told_of_inputs
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learned, Learner, LearnerSettings
from MedSRLib.training.pairs import holds_patch, smallest_edge
from MedSRLib.training.patch_samples import PatchSamples
from MedSRLib.training.recipe import Recipe

_FOR_AXES = 20_000
"""Samples whose features the principal axes are taken of."""

_DRAWING, _LEARNING = 0.3, 0.8
"""Fractions of the progress at the end of each stage."""


class PatchSettings(LearnerSettings):
    """What the learners of patch dictionaries have in common.

    Attributes:
        samples: pairs of patches to learn from.
        iterations: of the dictionary.
    """

    samples: int = Field(default=200_000, ge=100)
    iterations: int = Field(default=20, ge=1)


class DictionarySettings(PatchSettings):
    """The papers' choices but for the number of samples.

    Attributes:
        sparsity: atoms of a code in learning.
        energy: share of the features' energy that compression may leave out.
    """

    sparsity: int = Field(default=3, ge=1)
    energy: float = Field(default=1e-3, ge=0, lt=1)


class APlusSettings(DictionarySettings):
    """Of A+ besides.

    Attributes:
        neighbours: samples of a neighbourhood.
        penalty: λ.
        shortest: length of a feature below which it is not stretched to 1.
    """

    neighbours: int = Field(default=2048, ge=1)
    penalty: float = Field(default=0.1, gt=0)
    shortest: float = Field(default=0.1, gt=0)


@dataclass(frozen=True)
class Samples:
    """Features (n, d), compressed by ``projection`` (surroundings, d), and fine differences (n, patch)."""

    projection: Tensor
    features: Tensor
    fine: Tensor


class PatchLearner(Learner):
    """What the learners of patch dictionaries do alike."""

    Settings: ClassVar[type[LearnerSettings]] = PatchSettings

    def check(self, recipe: Recipe) -> None:
        """See `Learner.check`."""
        super().check(recipe)
        patch_samples.check(recipe, config_of(recipe))

    def holds(self, size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """See `Learner.holds`."""
        return holds_patch(tuple(size[::-1]), recipe)

    def needs(self, recipe: Recipe) -> str:
        """See `Learner.needs`."""
        return f"{smallest_edge(recipe)} voxels along every axis"

    def steps(self, recipe: Recipe) -> int:
        """See `Learner.steps`."""
        return int(self.settings(recipe).iterations)

    def trial(self, recipe: Recipe) -> tuple[Recipe, float]:
        """See `Learner.trial`; samples and iterations cost about alike."""
        settings = self.settings(recipe)
        samples = min(settings.samples, max(100, 8 * config_of(recipe).atoms, settings.samples // 20))
        short = recipe.model_copy(update={"learning": {**recipe.learning, "samples": samples, "iterations": 1}})
        return short, settings.samples / samples * math.sqrt(settings.iterations)

    def finished(
        self,
        recipe: Recipe,
        architecture: dict[str, Any],
        tensors: dict[str, Tensor],
        train: list[Frame],
        validation: list[Frame],
        keeper: Keeper,
        samples: int,
    ) -> Learned:
        """The network with its buffers, measured on the subjects that were held out."""
        network: Any = catalogue.build(recipe.method, architecture)
        network.body.load_state_dict({name: tensor.cpu() for name, tensor in tensors.items()})
        held_out.measure(network, validation, recipe, keeper, self.steps(recipe))
        return Learned.of(network, told_of_inputs(recipe, [frame.spacing for frame in train]), {"samples": samples})


class DictionaryLearner(PatchLearner):
    """Learns both dictionaries."""

    Settings: ClassVar[type[LearnerSettings]] = DictionarySettings

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
        drawn = PatchSamples(train, recipe, config, device)
        samples = _drawn(drawn, config, settings, recipe.seed, keeper, progress.part(0, _DRAWING))
        low = _learned(samples, config, settings, recipe.seed, keeper, progress.part(_DRAWING, _LEARNING))
        progress.stage("Fitting the fine patches")
        tensors = {"projection": samples.projection, "low": low}
        tensors |= self.fitted(samples, low, settings, progress.part(_LEARNING, 1))
        architecture = {**recipe.architecture, "components": samples.features.shape[1]}
        return self.finished(recipe, architecture, tensors, train, validation, keeper, len(samples.features))

    def fitted(self, samples: Samples, low: Tensor, settings: Any, progress: Any) -> dict[str, Tensor]:
        """The buffers of the network besides the projection and the coarse dictionary."""
        codes = batch_omp(low, samples.features, settings.sparsity)
        return {"high": regression.coupled_dictionary(codes, samples.fine, low.shape[1])}


class APlusLearner(DictionaryLearner):
    """Learns a dictionary and the regressors of its atoms."""

    Settings: ClassVar[type[LearnerSettings]] = APlusSettings

    def fitted(self, samples: Samples, low: Tensor, settings: Any, progress: Any) -> dict[str, Tensor]:
        """See `DictionaryLearner.fitted`."""
        lengths = samples.features.norm(dim=1, keepdim=True)
        lengths = torch.where(lengths < settings.shortest, 1.0, lengths)
        features, fine = samples.features / lengths, samples.fine / lengths
        found = []
        for number, atoms in enumerate(low.split(32, dim=1)):
            progress.update(32 * number / low.shape[1])
            found.append(regression.adjusted_regressors(atoms, features, fine, settings.neighbours, settings.penalty))
        return {"regressors": torch.cat(found)}


def config_of(recipe: Recipe) -> Any:
    """The configuration of the recipe's network."""
    network: Any = catalogue.build(recipe.method, recipe.architecture)
    return network.body.config


def _drawn(
    drawn: PatchSamples, config: DictionaryConfig, settings: Any, seed: int, keeper: Keeper, progress: Any
) -> Samples:
    """All samples; the principal axes are those of a run that goes on, else of the first samples."""
    projection = keeper.tensors.get("projection")
    if projection is None:
        projection = _axes(drawn, config, min(settings.samples, _FOR_AXES), settings.energy, seed)
    features, fine, count, step = [], [], 0, 0
    while count < settings.samples:
        progress.update(count / settings.samples)
        windows, truth = drawn.batch(step)
        features.append(windows @ projection)
        fine.append(truth)
        count, step = count + len(truth), step + 1
    return Samples(projection, torch.cat(features)[: settings.samples], torch.cat(fine)[: settings.samples])


def _axes(drawn: PatchSamples, config: DictionaryConfig, count: int, energy: float, seed: int) -> Tensor:
    matrix = feature_matrix(config.window, config.spacing, config.dimensions, config.curvature)
    features: list[Tensor] = []
    while sum(map(len, features)) < count:
        windows, _ = drawn.batch(len(features))
        features.append(windows @ matrix.to(windows))
    generator = torch.Generator().manual_seed(seed)
    axes = principal_axes(torch.cat(features), energy, config.components, generator)
    return matrix.to(axes) @ axes


def _learned(
    samples: Samples, config: DictionaryConfig, settings: Any, seed: int, keeper: Keeper, progress: Any
) -> Tensor:
    """The dictionary of the features; its state is kept after every iteration."""
    progress.stage("Learning the dictionary")
    low = keeper.tensors.get("low")
    if low is None:
        low = ksvd.first_atoms(samples.features, config.atoms, torch.Generator().manual_seed(seed))
    low = low.to(samples.features)
    for step in range(keeper.step + 1, settings.iterations + 1):
        low, error = ksvd.improved(low, samples.features, settings.sparsity)
        keeper.keep(step, {"projection": samples.projection, "low": low})
        keeper.figure("loss", error, step=step)
        progress.update(step / settings.iterations)
    return low
