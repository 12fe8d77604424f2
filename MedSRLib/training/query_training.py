"""The training of every network that answers queries.

The recipe's loss over the queried intensities. With the recipe of the ArSSR paper (Q. Wu et al., arXiv 2110.14476,
§4.1.3): mean absolute error (Eq. 3), the rate halved every 200 epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.errors import OptionError
from MedSRLib.networks.queries import Queries
from MedSRLib.training import held_out
from MedSRLib.training.frames import Frame
from MedSRLib.training.inputs import told_of_inputs
from MedSRLib.training.module import Spacing, Training
from MedSRLib.training.pairs import Batch, Pairs, holds_patch, pairs_of, smallest_edge
from MedSRLib.training.recipe import Recipe


class QueryTraining(Training):
    """A network that learns the intensities at queried positions.

    Args:
        recipe: the whole configuration.
        pairs: draws training batches.
        validation: batches from subjects that are not trained on; may be empty.
        example: one slice to draw, see `Pairs.example`.
    """

    refines_all_axes: ClassVar[bool] = True

    def __init__(self, recipe: Recipe, pairs: Pairs, validation: Sequence[Batch], example: Batch) -> None:
        super().__init__(recipe, pairs, validation)
        self.example = example
        self._on_the_result = getattr(self.network, "scale", ()) is None
        s = recipe.sampling
        wanted = round((s.patch - 2 * s.context) * s.scale_max)
        if self._on_the_result and (s.kind != "product" or s.queries < wanted):
            raise OptionError(
                f"The recipe's sampling asks for {s.queries} planes of a patch of {wanted}.",
                f"'{recipe.method}' works on the interpolated image, whose neighbouring planes it must see together.",
                f"Set sampling.kind = 'product' and sampling.queries = {wanted}.",
            )

    @classmethod
    def of(cls, recipe: Recipe, train: list[Frame], validation: list[Frame], device: str) -> Training:
        """See `Training.of`; the validation batches are drawn as those of the training."""
        pairs = pairs_of(train, recipe, device)
        shown = pairs_of(validation, recipe, device) if validation else pairs
        return cls(recipe, pairs, held_out.batches(validation, recipe, device), shown.example())

    @staticmethod
    def holds(size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """See `Training.holds`."""
        return holds_patch(tuple(size[::-1]), recipe)

    @staticmethod
    def needs(recipe: Recipe) -> str:
        """See `Training.needs`."""
        return f"{smallest_edge(recipe)} voxels along every axis"

    def loss(self, batch: Batch) -> Tensor:
        """The recipe's loss of one batch; its mean over the outputs of a network that has several."""
        if batch.queries is not None and hasattr(self.network, "every_answer"):
            answers = self.network.every_answer(batch.image, batch.queries)
        else:
            answers = [self.predict(batch)]
        return torch.stack([self.difference(answer.float(), batch.target) for answer in answers]).mean()

    def error(self, batch: Batch) -> Tensor:
        """See `Training.error`."""
        return functional.mse_loss(self.predict(batch).float(), batch.target)

    def predict(self, batch: Batch) -> Tensor:
        """The network's answer to a batch's queries."""
        if batch.queries is not None:
            return cast(Tensor, self.network(batch.image, batch.queries))
        if batch.points is None:
            raise ValueError("a batch has queries or points")
        return cast(Tensor, self.network.at_points(batch.image, batch.points))

    def baselines(self) -> dict[str, float]:
        """Of Keys' cubic interpolation; none for batches of scattered points."""
        error = held_out.cubic_error(self.validation)
        return {} if error is None else {"cubic": error}

    def pictures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Training.pictures`; of the input, the voxels nearest to the wanted ones."""
        queries = self.example.queries
        if queries is None:
            raise ValueError("an example has queries")
        asked, row = self._with_context(queries)
        training = self.network.training
        self.network.eval()  # the statistics of a batch of one would be drawn
        with torch.no_grad():
            now = self.network(self.example.image, asked).float()
        self.network.train(training)
        image = self.example.image[0, 0].cpu().numpy()
        nearest = [
            np.clip(np.rint(positions), 0, n - 1).astype(int)
            for positions, n in zip(queries.positions, image.shape, strict=True)
        ]
        return image[np.ix_(*nearest)][0], now[0, 0, row].cpu().numpy(), self.example.target[0, 0, 0].cpu().numpy()

    def _with_context(self, queries: Queries) -> tuple[Queries, int]:
        """The example's plane among as many neighbours as the network needs to see, and its place among them."""
        if not self._on_the_result:
            return queries, 0
        k, j, i = queries.positions
        reach, last = self.network.halo * queries.step[0], self.example.image.shape[2] - 1
        before, after = (int(room / queries.step[0]) for room in (min(reach, k[0]), min(reach, last - k[0])))
        return Queries((k[0] + queries.step[0] * np.arange(-before, after + 1), j, i), queries.step), before

    def learned(self, spacings: Sequence[Spacing]) -> dict[str, Any]:
        """The inputs' finest and coarsest spacing are the references' times the scales, along axes that are coarse."""
        axes = 2 if self.recipe.sampling.slices == "k" else 3
        return told_of_inputs(self.recipe, [spacing[:axes] for spacing in spacings])
