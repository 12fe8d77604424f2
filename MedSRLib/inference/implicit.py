"""The fast path of ArSSR: encode once, interpolate by matrices, decode in cache-sized chunks.

The straightforward way gathers every query's features by `grid_sample` and the released code encodes the whole
input again for every output slab. Here

1. the encoder runs once over the input, or once per tile with a halo where the memory budget asks for tiles, in
   16-bit products where the hardware has them, in the channels-last layout;
2. on a regular output grid the trilinear weights separate: one output plane is two small matrix products;
3. the decoder runs over chunks that stay in the processor's cache, its inputs padded with zeros to a
   multiple of 32; its last layer and all sums are float32;
4. where the input is perfectly flat around a voxel (the zeros around a stripped or defaced head) there is
   nothing to be learned: cubic interpolation fills it.

Positions, coordinates and paddings are those of `networks.arssr`; with ``skip_flat=False`` and float32 the result
is that of `ArSSR.forward` up to rounding.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.inference import flat
from MedSRLib.inference.runtime import Runtime
from MedSRLib.inference.sampling import apply_separable, interpolation_matrix
from MedSRLib.inference.tiles import Box, Tile, bounding_box, queries_of, tiles
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig, axis_coordinate
from MedSRLib.networks.implicit_decoder import ImplicitDecoder
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.progress import Progress

HALO = 16
"""Context around a tile in input voxels: the exact receptive field where it is smaller."""

_CPU_ROWS, _GPU_ROWS = 16384, 1 << 19
_ALIGN = 32


@torch.inference_mode()
def evaluate(
    network: ArSSR,
    image: Tensor,
    queries: Queries,
    *,
    runtime: Runtime,
    progress: Progress,
    skip_flat: bool = True,
) -> Tensor:
    """The network's intensities on the product grid of ``queries``.

    Args:
        network: in float32, on the CPU; left as it is.
        image: normalised input (k, j, i), float32, on the CPU.
        queries: rising positions of lengths k', j', i'.
        runtime: device, precision and memory budget.
        progress: told the fraction done.
        skip_flat: fill perfectly flat surroundings by cubic interpolation.

    Returns:
        (k', j', i'), float32, on the CPU.
    """
    shape = (image.shape[0], image.shape[1], image.shape[2])
    engine = _Engine(network, runtime)
    active = flat.active(image) if skip_flat else flat.everywhere(image)
    box = bounding_box(active.numpy())
    keep_cubic = network.config.residual == "cubic" or not bool(active.all())
    out = _cubic(image, queries) if keep_cubic else torch.empty([len(p) for p in queries.positions])
    if box is None:
        return out
    budget = runtime.memory_bytes - 2 * out.nbytes - image.nbytes
    todo = tiles(box, shape, engine.halo, engine.bytes_for, max(budget, runtime.memory_bytes / 8))
    for number, tile in enumerate(todo):
        part = progress.part(number / len(todo), (number + 1) / len(todo))
        if bool(active[tile.core].any()):
            engine.fill(out, image, active, queries, tile, box, part)
    progress.update(1.0)
    return out


@dataclass(frozen=True)
class _Slices:
    """One tile's share of the queries: where they go in the output, and their matrices."""

    target: Box
    matrices: tuple[Tensor, Tensor, Tensor]
    coordinates: tuple[Tensor, Tensor, Tensor]
    nearest: tuple[Tensor, Tensor, Tensor]


class _Engine:
    """A network made ready for one runtime."""

    def __init__(self, network: ArSSR, runtime: Runtime) -> None:
        self.config = network.config
        self.halo = min(network.encoder.halo, HALO)
        self._device = torch.device(runtime.device)
        self._dtype = runtime.dtype
        encoder = copy.deepcopy(network.encoder).eval()
        encoder.to(self._device, self._dtype)
        self._encoder = encoder.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self._decoder = _PaddedDecoder(network.decoder, self._dtype).to(self._device)
        self._rows = _CPU_ROWS if self._device.type == "cpu" else _GPU_ROWS

    def bytes_for(self, voxels: int) -> float:
        """Estimated working memory of encoding a region of so many input voxels."""
        return 1.25 * voxels * live_channels(self.config) * self._dtype.itemsize

    def fill(
        self,
        out: Tensor,
        image: Tensor,
        active: Tensor,
        queries: Queries,
        tile: Tile,
        box: Box,
        progress: Progress,
    ) -> None:
        """Compute one tile's queries into ``out``."""
        region = image[tile.region][None, None].to(self._device, self._dtype)
        features = self._encoder(region.contiguous(memory_format=torch.channels_last_3d))
        features = features[0].permute(1, 2, 3, 0).contiguous()  # (k, j, i, channels)
        progress.update(0.5)
        share = self._share(queries, tile, box, (image.shape[0], image.shape[1], image.shape[2]))
        add = self.config.residual == "cubic"
        inside = active[tile.region]
        target = out[share.target]
        for row in range(target.shape[0]):
            mask = inside[share.nearest[0][row]][share.nearest[1]][:, share.nearest[2]]
            if bool(mask.any()):
                values = self._plane(features, share, row, None if bool(mask.all()) else mask)
                _store(target[row], values.cpu(), None if bool(mask.all()) else mask, add)
            progress.update(0.5 + 0.5 * (row + 1) / target.shape[0])

    def _plane(self, features: Tensor, share: _Slices, row: int, mask: Tensor | None) -> Tensor:
        """The decoder's answers (points,) on one output plane, or on its masked points."""
        mk, mj, mi = share.matrices
        taps = mk[row].nonzero()[:, 0]
        plane = (features[taps] * mk[row][taps].view(-1, 1, 1, 1)).sum(dim=0)
        j, i, channels = plane.shape
        plane = (mj @ plane.view(j, i * channels)).view(-1, i, channels)
        points = (mi @ plane).view(-1, channels)
        ck, cj, ci = share.coordinates
        coordinates = torch.stack(torch.broadcast_tensors(ck[row], cj[:, None], ci), dim=-1).view(-1, 3)
        if mask is not None:
            chosen = mask.flatten().nonzero()[:, 0].to(points.device)
            points, coordinates = points[chosen], coordinates[chosen]
        chunks = zip(points.split(self._rows), coordinates.split(self._rows), strict=True)
        return torch.cat([self._decoder(*chunk) for chunk in chunks])

    def _share(self, queries: Queries, tile: Tile, box: Box, shape: tuple[int, int, int]) -> _Slices:
        target, matrices, coordinates, nearest = [], [], [], []
        for axis in range(3):
            positions, region = queries.positions[axis], tile.region[axis]
            mine = queries_of(tile.core[axis], positions, box[axis])
            local = positions[mine] - region.start
            size = region.stop - region.start
            matrix = interpolation_matrix("linear", size, local, padding=self.config.padding)  # type: ignore[arg-type]
            coordinate = axis_coordinate(self.config, positions[mine], shape[axis])
            target.append(mine)
            matrices.append(matrix.to(self._device, self._dtype))
            coordinates.append(torch.from_numpy(coordinate).to(self._device))
            nearest.append(torch.from_numpy(np.clip(np.floor(local + 0.5), 0, size - 1).astype(np.int64)))
        self._decoder.step = queries.step if self.config.cell else ()
        return _Slices(
            (target[0], target[1], target[2]),
            (matrices[0], matrices[1], matrices[2]),
            (coordinates[0], coordinates[1], coordinates[2]),
            (nearest[0], nearest[1], nearest[2]),
        )


class _PaddedDecoder(nn.Module):
    """`ImplicitDecoder` with its input width padded by zeros, its constants folded and its last layer in float32."""

    def __init__(self, decoder: ImplicitDecoder, dtype: torch.dtype) -> None:
        super().__init__()
        first1, *inner1, last1 = _linears(decoder.stage1)
        first2, *inner2, last2 = _linears(decoder.stage2)
        self._width = -(-first1.in_features // _ALIGN) * _ALIGN
        pad = self._width - first1.in_features
        self._final = decoder.final
        self._stage1 = nn.ModuleList([_padded(first1, pad, 0), *map(copy.deepcopy, inner1)]).to(dtype)
        self._back = _padded(last1, 0, pad).to(dtype)
        self._stage2 = nn.ModuleList([_padded(first2, pad, 0), *map(copy.deepcopy, inner2)]).to(dtype)
        self._last = copy.deepcopy(last2).float()
        self._dtype = dtype
        self.step: tuple[float, ...] = ()

    def forward(self, features: Tensor, coordinates: Tensor) -> Tensor:
        """Intensities (points,), float32, from features (points, channels) and coordinates (points, 3)."""
        points, channels = features.shape
        u = features.new_zeros(points, self._width)
        u[:, :channels] = features
        u[:, channels : channels + 3] = coordinates
        for place, step in enumerate(self.step):
            u[:, channels + 3 + place] = step
        hidden = u
        for layer in self._stage1:
            hidden = functional.relu_(layer(hidden))
        u += functional.relu_(self._back(hidden))
        hidden = u
        for layer in self._stage2:
            hidden = functional.relu_(layer(hidden))
        intensity = self._last(hidden.float())[:, 0]
        return functional.relu_(intensity) if self._final == "relu" else intensity


def live_channels(config: ArSSRConfig) -> int:
    """Numbers held at once per input voxel while encoding, counted from the networks' graphs."""
    c = config.channels
    if config.encoder == "rdn":
        return 2 * c * ((config.layers or 3) + 1) + 3 * c + config.feature_dim
    return 4 * c + 2 * config.feature_dim


def _linears(stage: nn.ModuleList) -> list[nn.Linear]:
    return [layer for layer in stage if isinstance(layer, nn.Linear)]


def _padded(layer: nn.Linear, more_in: int, more_out: int) -> nn.Linear:
    padded = nn.Linear(layer.in_features + more_in, layer.out_features + more_out)
    padded.weight.data = functional.pad(layer.weight.data, (0, more_in, 0, more_out))
    padded.bias.data = functional.pad(layer.bias.data, (0, more_out))
    return padded


def _store(plane: Tensor, values: Tensor, mask: Tensor | None, add: bool) -> None:
    if mask is None:
        values = values.view(plane.shape)
        plane.copy_(plane + values if add else values)
    else:
        plane[mask] = plane[mask] + values if add else values


def _cubic(image: Tensor, queries: Queries) -> Tensor:
    return apply_separable(image, axis_matrices("cubic", tuple(image.shape), queries))
