"""Networks with a grid of their own on volumes of any size, in bounded memory.

Every tile with its halo goes through the network once, in 16-bit products where the hardware has them and in the
channels-last layout; what it makes is brought to the wanted positions by small matrices. Networks of two dimensions
take all slices of a tile as one batch. A network without a scale is given the interpolated image, tile by tile. Beyond
the box that holds everything which is not perfectly flat, cubic interpolation fills the result. Guided networks are
given the guide of a tile beside it.

Up to rounding and to context beyond `HALO`, the result is that of `networks.on_grid.OnGrid.forward`.
"""

from __future__ import annotations

import copy
from math import prod

import numpy as np
import torch
from torch import Tensor

from MedSRLib.inference import flat
from MedSRLib.inference.runtime import Runtime
from MedSRLib.inference.sampling import apply_separable, interpolation_matrix
from MedSRLib.inference.tiles import Box, Tile, bounding_box, queries_of, tiles
from MedSRLib.networks.convolution import channels_last
from MedSRLib.networks.on_grid import OnGrid, fine_positions
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.progress import Progress

HALO = {2: 64, 3: 16}
"""Context around a tile in input voxels, by dimensions: the exact receptive field where it is smaller."""


@torch.inference_mode()
def evaluate(
    network: OnGrid,
    image: Tensor,
    queries: Queries,
    *,
    runtime: Runtime,
    progress: Progress,
    skip_flat: bool = True,
    guide: Tensor | None = None,
) -> Tensor:
    """The network's intensities on the product grid of ``queries``.

    Args:
        network: in float32, on the CPU; left as it is.
        image: normalised input (k, j, i), float32, on the CPU.
        queries: rising positions of lengths k', j', i'.
        runtime: device, precision and memory budget.
        progress: told the fraction done.
        skip_flat: fill perfectly flat surroundings by cubic interpolation.
        guide: of a guided network, (g, k", j", i") on its own grid (`networks.guided.own_positions`), normalised,
            float32, on the CPU; None for its unguided branch.

    Returns:
        (k', j', i'), float32, on the CPU.
    """
    out = apply_separable(image, axis_matrices("cubic", tuple(image.shape), queries))
    if network.scale is None:
        image = out.clone()
        queries = _own(image)
    box = bounding_box((flat.active(image) if skip_flat else flat.everywhere(image)).numpy())
    if box is None:
        return out
    engine = _Engine(network, runtime)
    budget = runtime.memory_bytes - 2 * out.nbytes - image.nbytes
    shape = (image.shape[0], image.shape[1], image.shape[2])
    todo = tiles(box, shape, engine.halo, engine.bytes_for, max(budget, runtime.memory_bytes / 8))
    for number, tile in enumerate(todo):
        progress.check()
        engine.fill(out, image, queries, tile, box, guide)
        progress.update((number + 1) / len(todo))
    return out


class _Engine:
    """A network made ready for one runtime."""

    def __init__(self, network: OnGrid, runtime: Runtime) -> None:
        self._device = torch.device(runtime.device)
        self._dtype = runtime.dtype
        self._network = copy.deepcopy(network).eval().to(self._device)
        channels_last(self._network)
        self._scale = network.scale or (1, 1, 1)
        self._adds = network.residual == "cubic"
        self._guides = getattr(network, "guides", 0)
        context = min(network.halo, HALO[network.dimensions])
        # Slices need no context from one another but for the cubic interpolation between them.
        seen = (context if network.dimensions == 3 else 1, context, context)
        # The second neighbour of cubic interpolation lies further out where the network refines nothing.
        further = [network.scale is not None and s == 1 and n > 1 for s, n in zip(self._scale, seen, strict=True)]
        self.halo = (seen[0] + further[0], seen[1] + further[1], seen[2] + further[2])

    def bytes_for(self, voxels: int) -> float:
        """Estimated working memory of a region of so many input voxels: the network's, then the resampling's."""
        inside = 1.25 * self._network.live_channels * self._dtype.itemsize
        return voxels * (inside + (12 + 4 * self._guides) * prod(self._scale))

    def fill(self, out: Tensor, image: Tensor, queries: Queries, tile: Tile, box: Box, guide: Tensor | None) -> None:
        """Compute one tile's queries into ``out``, which holds the cubic interpolation."""
        seen = [image[tile.region][None, None].to(self._device)]
        if guide is not None:
            k, j, i = self._own(tile.region)
            seen.append(guide[None, :, k, j, i].to(self._device))
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            fine = self._network.refined(*seen)[0, 0].float()
        target, matrices = [], []
        for axis in range(3):
            mine = _within(queries_of(tile.core[axis], queries.positions[axis], box[axis]), queries, box, axis, image)
            local = queries.positions[axis][mine] - tile.region[axis].start
            matrix = interpolation_matrix("cubic", fine.shape[axis], fine_positions(local, self._scale[axis]))
            target.append(mine)
            matrices.append(matrix.to(self._device))
        values = apply_separable(fine, matrices).cpu()
        place = out[target[0], target[1], target[2]]
        place.copy_(place + values if self._adds else values)

    def _own(self, region: Box) -> Box:
        """The voxels of the network's own grid that fill a region of the input."""
        k, j, i = (slice(r.start * s, r.stop * s) for r, s in zip(region, self._scale, strict=True))
        return k, j, i


def _within(mine: slice, queries: Queries, box: Box, axis: int, image: Tensor) -> slice:
    """Those of the queries that lie inside the box, or beyond a side of it that is the image's own border."""
    positions, start, stop = queries.positions[axis], mine.start, mine.stop
    if box[axis].start > 0:
        start = max(start, int(np.searchsorted(positions, box[axis].start - 0.5)))
    if box[axis].stop < image.shape[axis]:
        stop = min(stop, int(np.searchsorted(positions, box[axis].stop - 0.5)))
    return slice(start, max(start, stop))


def _own(image: Tensor) -> Queries:
    """The centres of the image's own voxels."""
    k, j, i = (np.arange(n, dtype=np.float64) for n in image.shape)
    return Queries((k, j, i), (1.0, 1.0, 1.0))
