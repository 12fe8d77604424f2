"""ArSSR's training step as a Lightning module.

Q. Wu et al., arXiv 2110.14476, §4.1.3: Adam, mean absolute error over the queried intensities (Eq. 3), the
rate halved every 200 epochs. What a recipe may do otherwise is written in `recipe`.
"""

from __future__ import annotations

import math
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.training.pairs import Batch, Pairs
from MedSRLib.training.recipe import Recipe


class ArSSRTraining(lightning.LightningModule):
    """The network, its loss and its optimiser; batches come from `Pairs` by step number.

    Args:
        recipe: the whole configuration.
        pairs: draws training batches.
        validation: batches from subjects that are not trained on; may be empty.
        example: one slice to draw, see `Pairs.example`.
    """

    def __init__(self, recipe: Recipe, pairs: Pairs, validation: list[Batch], example: Batch) -> None:
        super().__init__()
        self.recipe = recipe
        self.pairs = pairs
        self.validation = validation
        self.example = example
        self.network = ArSSR(ArSSRConfig.of(recipe.architecture))
        self.network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def training_step(self, *_: Any) -> Tensor:
        """The loss of this step's batch; which batch depends on the step number alone."""
        batch = self.pairs.batch(self.global_step, self.global_rank, self.trainer.world_size)
        loss = self.loss(batch)
        self.log("loss", loss, prog_bar=False)
        return loss

    def validation_step(self, index: Tensor, *_: Any) -> None:
        """Mean squared error of one validation batch."""
        batch = self.validation[int(index)]
        self.log("validation_mse", functional.mse_loss(self.predict(batch).float(), batch.target), batch_size=1)

    def loss(self, batch: Batch) -> Tensor:
        """The recipe's loss of one batch."""
        predicted = self.predict(batch).float()
        if self.recipe.optimisation.loss == "mse":
            return functional.mse_loss(predicted, batch.target)
        return functional.l1_loss(predicted, batch.target)

    def predict(self, batch: Batch) -> Tensor:
        """The network's answer to a batch's queries."""
        if batch.queries is not None:
            return self.network(batch.image, batch.queries)
        if batch.points is None:
            raise ValueError("a batch has queries or points")
        return self.network.at_points(batch.image, batch.points)

    def configure_optimizers(self) -> Any:
        """Adam with the recipe's schedule, a pure function of the step."""
        o = self.recipe.optimisation
        optimiser = torch.optim.Adam(self.network.parameters(), lr=o.rate, betas=o.betas)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate_factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        o = self.recipe.optimisation
        return o.steps or o.epochs * self.pairs.steps_per_epoch

    def _rate_factor(self, step: int) -> float:
        o = self.recipe.optimisation
        warm = min(1.0, (step + 1) / o.warm_up) if o.warm_up else 1.0
        if o.schedule == "halving":
            return warm * 0.5 ** (step // (o.halve_every * max(1, self.pairs.steps_per_epoch)))
        if o.schedule == "cosine":
            done = min(1.0, step / self.total_steps())
            return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        return warm
