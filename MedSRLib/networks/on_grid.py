"""Networks with a grid of their own, asked at any positions: the grid's intensities, interpolated.

A network of fixed whole scale s (pixel shuffle) refines every input voxel into s parts whose centres fill its cell;
one without a scale works on the input interpolated to the positions asked for. Both answer `Queries` as ArSSR does,
so that training, tiles and any target grid are the same for all:

    fixed scale    y = interpolate(network(x))                    nothing to interpolate where the queries are the parts
    no scale       y = network(interpolate(x))
    residual       ... + interpolate(x), Keys' cubic              ours: the network adds to an interpolation

Interpolation is Keys' cubic along each axis. A network of larger scale than is asked for is thus "the next larger
scale, then exact resampling", and trained through the resampling it learns any scale below its own.
Networks of two dimensions see every slice (j, i) by itself; along k their answer is interpolated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from MedSRLib.errors import ModelError
from MedSRLib.inference.sampling import apply_separable, interpolation_matrix
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.queries import Queries, axis_matrices

RESIDUALS = ("none", "cubic")


class GridNetwork(Protocol):
    """What a network states of itself: (n, 1, *size) to (n, 1, *(size · scale)).

    Attributes:
        config: rebuilds it.
        scale: whole factors (j, i or k, j, i); None for a network that works at the resolution of the result.
        halo: input voxels of context that a result depends on, each way.
        live_channels: numbers held at once for a voxel of the input, to bound memory.
    """

    config: NetworkConfig
    scale: tuple[int, ...] | None
    halo: int
    live_channels: int


class OnGrid(nn.Module):
    """A `GridNetwork` that answers queries.

    Args:
        body: the network.
        dimensions: 2 or 3, of the images it takes.
        residual: "none", or "cubic": what it makes is added to the input's cubic interpolation.
    """

    def __init__(self, body: nn.Module, dimensions: int, residual: str = "none") -> None:
        super().__init__()
        if residual not in RESIDUALS:
            raise ModelError(f"There is no residual {residual!r}.", "", f"Use one of: {', '.join(RESIDUALS)}.")
        self.body = body
        self.dimensions = dimensions
        self.residual = residual
        scale = self._stated.scale
        self.scale: tuple[int, int, int] | None = None if scale is None else _along_three_axes(scale)
        self.halo, self.live_channels = self._stated.halo, self._stated.live_channels

    @property
    def _stated(self) -> GridNetwork:
        return cast(GridNetwork, self.body)  # an attribute would be a second set of weights in the state dictionary

    def architecture(self) -> dict[str, Any]:
        """What a card needs to rebuild the network."""
        return {"residual": self.residual, **self._stated.config.asdict()}

    @property
    def citation(self) -> str:
        """What a model of this network asks to cite."""
        return self._stated.config.citation

    def forward(self, image: Tensor, queries: Queries) -> Tensor:
        """Intensities on the product grid of ``queries``.

        Args:
            image: (n, 1, k, j, i), normalised.
            queries: of lengths k', j', i'.

        Returns:
            (n, 1, k', j', i').
        """
        return self._answers(image, queries, lambda x: [self.body(x)])[0]

    def every_answer(self, image: Tensor, queries: Queries) -> list[Tensor]:
        """As `forward`, after each step of a network that has several outputs, for the loss; the last is the result."""
        outputs = getattr(self.body, "outputs", None)
        return [self(image, queries)] if outputs is None else self._answers(image, queries, outputs)

    def _answers(self, image: Tensor, queries: Queries, outputs: Callable[[Tensor], list[Tensor]]) -> list[Tensor]:
        shape = image.shape[2:]
        with torch.autocast(image.device.type, enabled=False):  # 16 bits would coarsen the intensities
            if self.scale is None or self.residual == "cubic":
                cubic = apply_separable(image, [m.to(image) for m in axis_matrices("cubic", shape, queries)])
        if self.scale is None:
            found = self._refined(cubic, outputs)
        else:
            matrices = [m.to(image) for m in fine_matrices(self, shape, queries)]
            fine = self._refined(image, outputs)
            with torch.autocast(image.device.type, enabled=False):
                found = [apply_separable(x.to(image.dtype), matrices) for x in fine]
        return [x.to(image.dtype) + cubic if self.residual == "cubic" else x for x in found]

    def refined(self, image: Tensor) -> Tensor:
        """The network's own grid: (n, 1, k, j, i) to (n, 1, k s_k, j s_j, i s_i)."""
        return self._refined(image, lambda x: [self.body(x)])[0]

    def _refined(self, image: Tensor, outputs: Callable[[Tensor], list[Tensor]]) -> list[Tensor]:
        if self.dimensions == 3:
            return outputs(image)
        n, c, k, j, i = image.shape
        slices = outputs(image.transpose(1, 2).reshape(n * k, c, j, i))
        return [x.reshape(n, k, c, *x.shape[2:]).transpose(1, 2) for x in slices]


def fine_matrices(network: OnGrid, shape: tuple[int, ...], queries: Queries) -> list[Tensor]:
    """From the network's own grid over an input of ``shape`` to the queries, along k, j, i; exact where they agree."""
    assert network.scale is not None
    return [
        interpolation_matrix("cubic", size * factor, fine_positions(where, factor))
        for size, factor, where in zip(shape, network.scale, queries.positions, strict=True)
    ]


def fine_positions(positions: np.ndarray, factor: int) -> np.ndarray:
    """Input indices as indices of a grid whose voxels are ``factor`` parts of the input's."""
    fine = (positions + 0.5) * factor - 0.5
    whole = np.rint(fine)
    return np.where(np.abs(fine - whole) < 1e-6, whole, fine)


def _along_three_axes(scale: tuple[int, ...]) -> tuple[int, int, int]:
    k, j, i = (1, *scale) if len(scale) == 2 else scale
    return k, j, i
