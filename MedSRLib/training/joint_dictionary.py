"""The learner of ScSR: one dictionary of stacked coarse and fine patches.

J. Yang et al., 2010 (`sparse.scsr`), as the authors' program has it. Of every patch the fine voxels less their mean x_h
and the gradients of mid x_l, each at length 1, are stacked as √N x_h over √M x_l (N, M their numbers) and brought to
length 1 again; then codes and dictionary are improved in turn:

    min ½‖s - D z‖² + λ‖z‖₁,  ‖d‖ <= 1

Departures: FISTA and block coordinate descent in place of feature-sign search and the Lagrange dual; codes go on from
those of the iteration before; samples are those of `dictionaries`; patches with a variance of no more than 10 squared
grey levels are left out, a grey level being 1/255 of the normalised range.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from MedSRLib.errors import InputError
from MedSRLib.sparse.dictionary_update import update_dictionary
from MedSRLib.sparse.features import feature_matrix
from MedSRLib.sparse.ksvd import first_atoms
from MedSRLib.sparse.lasso import lasso, objective
from MedSRLib.sparse.scsr import DARKEST, ScSRConfig, middles
from MedSRLib.training.dictionaries import PatchLearner, PatchSettings, config_of
from MedSRLib.training.frames import Frame
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learned, LearnerSettings
from MedSRLib.training.patch_samples import PatchSamples
from MedSRLib.training.recipe import Recipe

_DRAWING = 0.1
_MOST_EMPTY = 50
"""Batches in a row without a patch that is not flat."""


class JointSettings(PatchSettings):
    """The authors' choices.

    Attributes:
        penalty: λ.
        variance: smallest variance of a fine patch, squared grey levels of 255.
        inner: steps of the solver in every iteration.
    """

    samples: int = Field(default=100_000, ge=100)
    iterations: int = Field(default=40, ge=1)
    penalty: float = Field(default=0.15, gt=0)
    variance: float = Field(default=10.0, ge=0)
    inner: int = Field(default=15, ge=1)


class JointLearner(PatchLearner):
    """Learns both dictionaries of ScSR at once."""

    Settings: ClassVar[type[LearnerSettings]] = JointSettings

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
        samples = _drawn(drawn, config, settings, progress.part(0, _DRAWING))
        part = progress.part(_DRAWING, 1)
        dictionary = _learned(samples, config, settings, recipe.seed, keeper, part)
        high, low = dictionary[: config.patch], dictionary[config.patch :]
        tensors = {"low": low / low.norm(dim=0).clamp_min(1e-12), "high": high}
        return self.finished(recipe, recipe.architecture, tensors, train, validation, keeper, len(samples))


def stacked(windows: Tensor, differences: Tensor, config: ScSRConfig, variance: float) -> Tensor:
    """Joint samples (n', patch + features) of length 1, of the patches that are not flat."""
    matrix = feature_matrix(config.window, config.spacing, config.dimensions, config.curvature).to(windows)
    fine = windows[:, middles(config).to(windows.device)] + differences
    fine = fine - fine.mean(1, keepdim=True)
    kept = fine.square().mean(1) > variance * DARKEST**2
    parts = [fine[kept], windows[kept] @ matrix]
    joint = [part / part.norm(dim=1, keepdim=True).clamp_min(1e-12) * math.sqrt(part.shape[1]) for part in parts]
    found = torch.cat(joint, 1)
    return found / found.norm(dim=1, keepdim=True)


def _drawn(drawn: PatchSamples, config: ScSRConfig, settings: Any, progress: Any) -> Tensor:
    found: list[Tensor] = []
    count, step, empty = 0, 0, 0
    while count < settings.samples:
        progress.update(count / settings.samples)
        found.append(stacked(*drawn.batch(step), config, settings.variance))
        count, step = count + len(found[-1]), step + 1
        empty = 0 if len(found[-1]) else empty + 1
        if empty == _MOST_EMPTY:
            raise InputError(
                "The training volumes have hardly a patch that is not flat.",
                f"None of {empty} batches in a row has a variance above {settings.variance:g} squared grey levels.",
                "Set learning.variance lower, or use other volumes.",
            )
    return torch.cat(found)[: settings.samples]


def _learned(samples: Tensor, config: ScSRConfig, settings: Any, seed: int, keeper: Keeper, progress: Any) -> Tensor:
    """The joint dictionary (patch + features, atoms); it and the codes are kept after every iteration."""
    progress.stage("Learning the dictionary")
    dictionary = keeper.tensors.get("dictionary")
    codes = keeper.tensors.get("codes")
    if dictionary is None or codes is None:
        dictionary = first_atoms(samples, config.atoms, torch.Generator().manual_seed(seed))
        codes = samples.new_zeros(len(samples), config.atoms)
    dictionary, codes = dictionary.to(samples), codes.to(samples)
    for step in range(keeper.step + 1, settings.iterations + 1):
        codes = lasso(dictionary, samples, settings.penalty, iterations=settings.inner, start=codes)
        dictionary = update_dictionary(dictionary, samples, codes)
        keeper.keep(step, {"dictionary": dictionary, "codes": codes})
        loss = objective(dictionary, samples, codes, settings.penalty).mean()
        keeper.figure("loss", float(loss), step=step)
        progress.update(step / settings.iterations)
    return dictionary
