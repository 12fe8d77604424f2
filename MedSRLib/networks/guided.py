"""Guided networks with a grid of their own: `on_grid.OnGrid` for networks that see a finer image of another modality.

    body(image (n, 1, *size), guide (n, g, *size · scale) or None) -> (n, 1, *size · scale)

The guide lies on the network's own grid (`own_positions`): the grid of the queries for a network without a scale, else
the input's voxels in ``scale`` parts. Without a guide the network answers by its unguided branch, of the same weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from MedSRLib.networks.on_grid import OnGrid
from MedSRLib.networks.queries import Queries

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]


class Guided(OnGrid):
    """A guided `GridNetwork` that answers queries; its configuration states ``guides``, how many it takes."""

    @property
    def guides(self) -> int:
        """How many guides it takes at once."""
        return int(getattr(self._stated.config, "guides", 1))

    def forward(self, image: Tensor, queries: Queries, guide: Tensor | None = None) -> Tensor:
        """Intensities on the product grid of ``queries``.

        Args:
            image: (n, 1, k, j, i), normalised.
            queries: of lengths k', j', i'.
            guide: (n, g, k", j", i") on the network's own grid, normalised; None for the unguided branch.

        Returns:
            (n, 1, k', j', i').
        """
        return self._answers(image, queries, lambda x: [self.body(x, self._laid(guide))])[0]

    def refined(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        """The network's own grid: (n, 1, k, j, i) to (n, 1, k s_k, j s_j, i s_i)."""
        laid = self._laid(guide)
        apart = self.dimensions == 2 and image.device.type == "cpu"
        return self._refined(image, lambda x: [self._one_by_one(x, laid) if apart else self.body(x, laid)])[0]

    def _one_by_one(self, slices: Tensor, guide: Tensor | None) -> Tensor:
        """The body on one slice after another: the many small operations of shrinkage then stay in a processor's cache,
        and take a third of the time."""
        guides = [None] * len(slices) if guide is None else guide.split(1)
        return torch.cat([self.body(*both) for both in zip(slices.split(1), guides, strict=True)])

    def _laid(self, guide: Tensor | None) -> Tensor | None:
        """As the body takes it: slices, for a network of two dimensions, are a batch."""
        if guide is None or self.dimensions == 3:
            return guide
        n, g, k, j, i = guide.shape
        return guide.transpose(1, 2).reshape(n * k, g, j, i)


def own_positions(network: OnGrid, shape: tuple[int, ...], queries: Queries) -> Planes:
    """Input indices of the planes of the network's own grid along k, j and i.

    Args:
        network: any network with a grid of its own.
        shape: of the input, k, j, i.
        queries: what is asked of it.
    """
    if network.scale is None:
        return queries.positions
    k, j, i = ((np.arange(n * s) + 0.5) / s - 0.5 for n, s in zip(shape, network.scale, strict=True))
    return k, j, i
