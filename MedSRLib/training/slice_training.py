"""The training of networks that mix the codes of neighbouring slices, from thick slices alone.

J. Sander, B. D. de Vos, I. Išgum, 2020, arXiv 2010.13172, §4: the mean squared error of reconstructions; Adam at 1e-5.
J. Sander et al., 2022, arXiv 2202.09258 (its abstract): a slice should also come of its neighbours' codes,

    |D(E(x_n)) - x_n|² + w |D(½ E(x_{n-1}) + ½ E(x_{n+1})) - x_n|²,        w = ``semantic_weight``, 0 in the first paper

Departures: slices are also mirrored; intensities are not clamped; with the network's ``residual`` the reconstructions
of all three slices are in the loss, as all three are decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.training.frames import Frame
from MedSRLib.training.module import Spacing, Training
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.slices import FEWEST, Slices, Triplets

_LARGEST_SCALE = 8.0
"""Planes lie at any fraction between slices; more of them than this are warned of."""


class SliceTraining(Training):
    """A network that learns to reconstruct slices, and a slice from both of its neighbours.

    Args:
        recipe: the whole configuration.
        slices: draws training batches.
        validation: the triplets of subjects that are not trained on, a batch a volume; may be empty.
        example: one triplet to draw.
    """

    refines_all_axes: ClassVar[bool] = False

    def __init__(self, recipe: Recipe, slices: Slices, validation: Sequence[Triplets], example: Triplets) -> None:
        super().__init__(recipe, slices, validation)
        self.example = example

    @classmethod
    def of(cls, recipe: Recipe, train: list[Frame], validation: list[Frame], device: str) -> Training:
        """See `Training.of`; validation takes out each slice in turn and makes it of its neighbours."""
        slices = Slices(train, recipe, device)
        held_out = Slices(validation, recipe, device).every() if validation else []
        shown = (held_out or slices.every())[0]
        half = len(shown.middle) // 2
        example = Triplets(*(part[half : half + 1] for part in (shown.before, shown.middle, shown.after)))
        return cls(recipe, slices, held_out, example)

    @staticmethod
    def holds(size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """See `Training.holds`."""
        return size[int(np.argmax(spacing))] >= FEWEST

    @staticmethod
    def needs(recipe: Recipe) -> str:
        """See `Training.needs`."""
        return f"{FEWEST} slices"

    def loss(self, batch: Triplets) -> Tensor:
        """The error of the reconstructions, and of the middle slice as its neighbours make it."""
        weight = self.recipe.descent.semantic_weight
        if not weight:
            return self.difference(self.network(batch.middle), batch.middle)
        count = len(batch.middle)
        slices = torch.cat([batch.before, batch.middle, batch.after])
        code = self.network.code(slices)
        lower = torch.arange(count, device=slices.device)
        mixed = code.mixed(lower, lower + 2 * count, torch.full_like(lower, 0.5, dtype=slices.dtype))
        made = self.difference(self.network.decode(mixed), batch.middle)
        if code.rest is not None:
            return self.difference(slices - code.rest, slices) + weight * made
        middle = code.mixed(lower + count, lower + count, torch.zeros_like(mixed.latent[:, 0, 0, 0]))
        return self.difference(self.network.decode(middle), batch.middle) + weight * made

    def error(self, batch: Triplets) -> Tensor:
        """Mean squared error of the middle slices as their neighbours make them."""
        return functional.mse_loss(self.between(batch), batch.middle)

    def between(self, batch: Triplets) -> Tensor:
        """The slices half-way between the outer ones, (n, 1, j, i), float32."""
        count = len(batch.middle)
        lower = torch.arange(count, device=batch.middle.device)
        code = self.network.code(torch.cat([batch.before, batch.after]))
        mixed = code.mixed(lower, lower + count, torch.full_like(lower, 0.5, dtype=batch.middle.dtype))
        return cast(Tensor, self.network.decode(mixed)).float()

    def baselines(self) -> dict[str, float]:
        """Of the mean of both neighbours: linear interpolation."""
        errors = [float(((b.before + b.after) / 2 - b.middle).square().mean()) for b in self.validation]
        return {"linear": float(np.mean(errors))} if errors else {}

    def pictures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Training.pictures`; of the input, the slice before."""
        training = self.network.training
        self.network.eval()  # the statistics of a batch of one would be drawn
        with torch.no_grad():
            now = self.between(self.example)
        self.network.train(training)
        before, made, truth = (part[0, 0].cpu().numpy() for part in (self.example.before, now, self.example.middle))
        return before, made, truth

    def learned(self, spacings: Sequence[Spacing]) -> dict[str, Any]:
        """Spacing is that across the slices, which is what is refined."""
        across = [max(spacing) for spacing in spacings]
        return {
            "scale_min": 1.0,
            "scale_max": _LARGEST_SCALE,
            "axes": "one",
            "spacing_mm": (round(min(across), 3), round(max(across), 3)),
            "degradation": "none: slices as they were acquired, each taken for the truth between its neighbours",
        }
