"""What every training has in common, as a Lightning module: the network, Adam, the recipe's schedule, the steps.

What a batch is, what is lost on it and how a network is judged depends on how the network is asked:
`query_training` for networks that answer queries, `slice_training` for those that mix the codes of slices; `kinds`
chooses.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import lightning  # noqa: TID253 - this file is only imported to train
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.networks import catalogue
from MedSRLib.networks.convolution import channels_last
from MedSRLib.training.frames import Frame
from MedSRLib.training.recipe import Recipe

Spacing = tuple[float, ...]


class Draws(Protocol):
    """Where batches come from: each is a pure function of step and process.

    Attributes:
        count: volumes in use.
        steps_per_epoch: of fixed patches; 0 where patches are drawn anew each time.
    """

    steps_per_epoch: int

    @property
    def count(self) -> int: ...

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Any: ...


class Training(lightning.LightningModule, ABC):
    """The network, its loss and its optimiser; batches come from `Draws` by step number.

    Args:
        recipe: the whole configuration.
        draws: draws training batches.
        validation: batches from subjects that are not trained on; may be empty.
    """

    refines_all_axes: ClassVar[bool]
    """Whether the volumes are the truth along all axes, so that thick slices spoil the training."""

    def __init__(self, recipe: Recipe, draws: Draws, validation: Sequence[Any]) -> None:
        super().__init__()
        self.recipe = recipe
        self.draws = draws
        self.validation = validation
        self.network: Any = catalogue.build(recipe.method, recipe.architecture)
        channels_last(self.network)

    @classmethod
    @abstractmethod
    def of(cls, recipe: Recipe, train: list[Frame], validation: list[Frame], device: str) -> Training:
        """The training of a recipe on some volumes.

        Raises:
            InputError: if no volume can be used.
        """

    @staticmethod
    @abstractmethod
    def holds(size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """Whether a volume of so many voxels and such a spacing, x, y, z, can be trained on."""

    @staticmethod
    @abstractmethod
    def needs(recipe: Recipe) -> str:
        """What a volume must have to be trained on, in words: "20 voxels along every axis"."""

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """What is made small."""

    @abstractmethod
    def error(self, batch: Any) -> Tensor:
        """Mean squared error of a validation batch."""

    @abstractmethod
    def baselines(self) -> dict[str, float]:
        """Mean squared errors of plain interpolations on the validation batches, by their names."""

    @abstractmethod
    def pictures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One slice (j, i) as the input has it, as the network makes it now, and the truth."""

    @abstractmethod
    def learned(self, spacings: Sequence[Spacing]) -> dict[str, Any]:
        """What the card says of scales, spacing and degradation.

        Args:
            spacings: of the training volumes, mm, x, y, z.
        """

    def training_step(self, *_: Any) -> Tensor:
        """The loss of this step's batch; which batch depends on the step number alone."""
        batch = self.draws.batch(self.global_step, self.global_rank, self.trainer.world_size)
        loss = self.loss(batch)
        self.log("loss", loss, prog_bar=False)
        return loss

    def validation_step(self, index: Tensor, *_: Any) -> None:
        """Mean squared error of one validation batch."""
        self.log("validation_mse", self.error(self.validation[int(index)]), batch_size=1)

    def difference(self, predicted: Tensor, target: Tensor) -> Tensor:
        """The recipe's measure of how far a prediction is off."""
        if self.recipe.descent.loss == "mse":
            return functional.mse_loss(predicted, target)
        return functional.l1_loss(predicted, target)

    def configure_optimizers(self) -> Any:
        """Adam with the recipe's schedule, a pure function of the step."""
        o = self.recipe.descent
        optimiser = torch.optim.Adam(self.network.parameters(), lr=o.rate, betas=o.betas)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate_factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        o = self.recipe.descent
        return o.steps or o.epochs * self.draws.steps_per_epoch

    def _rate_factor(self, step: int) -> float:
        o = self.recipe.descent
        warm = min(1.0, (step + 1) / o.warm_up) if o.warm_up else 1.0
        if o.schedule == "halving":
            return warm * 0.5 ** (step // (o.halve_every * max(1, self.draws.steps_per_epoch)))
        if o.schedule == "cosine":
            done = min(1.0, step / self.total_steps())
            return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        return warm
