"""The training of guided networks: as that of every network that answers queries, with a guide beside each patch.

Without its guide now and then (``guidance.dropout``), a network learns what it can do alone, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from MedSRLib.manifests import spelled_once
from MedSRLib.networks import catalogue
from MedSRLib.training.frames import Frame
from MedSRLib.training.guided_pairs import GuidedPairs
from MedSRLib.training.module import Spacing, Training
from MedSRLib.training.pairs import Batch
from MedSRLib.training.query_training import QueryTraining
from MedSRLib.training.recipe import Guidance, Recipe

_VALIDATION_BATCHES = 12
_VALIDATION_FIRST = 1_000_000_000
_EXAMPLE = 2_000_000_000  # step numbers no training run reaches


class GuidedTraining(QueryTraining):
    """A network that learns the intensities at queried positions from an image and its guide."""

    @classmethod
    def of(cls, recipe: Recipe, train: list[Frame], validation: list[Frame], device: str) -> Training:
        """See `Training.of`; validation guides are where they belong, as they are."""
        with torch.device("meta"):
            network: Any = catalogue.build(recipe.method, recipe.architecture)
        plain = recipe.model_copy(update={"guidance": Guidance()})
        pairs = GuidedPairs(train, recipe, device, network.scale, network.guides)
        shown = GuidedPairs(validation or train, plain, device, network.scale, network.guides)
        batches = [shown.batch(_VALIDATION_FIRST + n) for n in range(_VALIDATION_BATCHES)] if validation else []
        return cls(recipe, pairs, batches, shown.batch(_EXAMPLE))

    def predict(self, batch: Batch) -> Tensor:
        """The network's answer to a batch's queries, by its guide if it has one."""
        assert batch.queries is not None  # recipes of guided networks sample products
        return cast(Tensor, self.network(batch.image, batch.queries, batch.guide))

    def loss(self, batch: Batch) -> Tensor:
        """The recipe's loss of one batch."""
        return self.difference(self.predict(batch).float(), batch.target)

    def pictures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Training.pictures`: the middle slice of one patch."""
        batch = self.example
        assert batch.queries is not None  # recipes of guided networks sample products
        training = self.network.training
        self.network.eval()
        with torch.no_grad():
            now = self.predict(batch).float()
        self.network.train(training)
        image = batch.image[0, 0].cpu().numpy()
        nearest = [
            np.clip(np.rint(where), 0, n - 1).astype(int)
            for where, n in zip(batch.queries.positions, image.shape, strict=True)
        ]
        middle = batch.target.shape[2] // 2
        shown = (now[0, 0, middle].cpu().numpy(), batch.target[0, 0, middle].cpu().numpy())
        return image[np.ix_(*nearest)][middle], *shown

    def learned(self, spacings: Sequence[Spacing]) -> dict[str, Any]:
        """As for all networks that answer queries, with what guides."""
        guide = self.recipe.data.guide
        return {
            **super().learned(spacings),
            "guide_modalities": spelled_once([guide] if isinstance(guide, str) else guide or []),
            "guide_optional": self.recipe.guidance.dropout > 0,
        }
