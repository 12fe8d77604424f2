"""How fast ArSSR runs: ours, the straightforward way and the released code's way, side by side in one run.

    medsr bench arssr --size 64 --scale 2 --json

All three compute the same function of the same weights and the same crop of the same volume.

straightforward   encode once in eager float32; per output slab gather the features by `grid_sample`, decode
released          encode *for every slab*, as the released test script does; its first 8 slabs are timed and
                  scaled to all slabs
ours              `inference.implicit.evaluate`, in float32 and in the precision of the runtime

Memory is the peak of the process's resident set while our way runs (sampled), above what it held before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.bench.measuring import machine, peak_memory, timed
from MedSRLib.errors import OptionError
from MedSRLib.inference.implicit import evaluate
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig, product_coordinates
from MedSRLib.networks.queries import Queries
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from MedSRLib.models.library import Model

_TIMED_SLABS = 8
_REPEATS = 3


def run(
    size: int,
    scale: float,
    *,
    model: Model | None = None,
    runtime: Runtime,
    progress: Progress,
) -> dict[str, Any]:
    """Time the three ways on a ``size``³ crop; see the module.

    Args:
        size: input voxels along each axis, at least 8.
        scale: the factor, 1 or more.
        model: weights to use; without one, the paper's architecture with random weights (speed does not
            depend on the weights, only the differences do).
        runtime: device and precision of our fast way; float32 is timed as well.
        progress: told what is being timed.

    Returns:
        seconds, ratios, largest differences, peak memory and the machine, ready for JSON.

    Raises:
        OptionError: for a size or scale that cannot be used.
    """
    if size < 8 or not 1 <= scale <= 16:
        raise OptionError(f"A size of {size} and a scale of {scale} cannot be timed.", "", "Use 64 and 2.")
    torch.manual_seed(runtime.seed)
    if model is None:
        network = ArSSR(ArSSRConfig()).eval()
    else:
        from MedSRLib.models.building import network_of

        network = network_of(model, "arssr")
    image = _picture(size)
    wanted = round(size * scale)
    positions = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    queries = Queries((positions,) * 3, (size / wanted,) * 3)

    def ours(precision: str) -> Callable[[], Tensor]:
        chosen = replace(runtime, precision=precision)
        return lambda: evaluate(network, image, queries, runtime=chosen, progress=Progress(), skip_flat=False)

    seconds: dict[str, float] = {}
    differences: dict[str, float] = {}
    progress.stage("Timing the straightforward way")
    straight, seconds["straightforward"] = timed(lambda: straightforward(network, image, queries), runtime, 1)
    progress.update(0.4)
    progress.stage("Timing the released code's way")
    seconds["released"] = _released_seconds(network, image, queries, runtime)
    progress.update(0.7)
    with peak_memory() as peak:
        for precision in dict.fromkeys(("float32", runtime.precision)):
            progress.stage(f"Timing ours in {precision}")
            result, seconds[f"ours_{precision}"] = timed(ours(precision), runtime, _REPEATS)
            differences[precision] = float((result - straight).abs().max())
    progress.update(1.0)
    best = seconds[f"ours_{runtime.precision}"]
    return {
        "benchmark": "arssr",
        "model": model.card.name if model else "paper architecture, random weights",
        "size": size,
        "scale": scale,
        "output": wanted,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "released_note": f"first {_TIMED_SLABS} of {wanted} slabs timed, then scaled",
        "ratio_straightforward": round(seconds["straightforward"] / best, 2),
        "ratio_released": round(seconds["released"] / best, 1),
        "largest_difference": differences,
        "peak_memory_mib": round(peak[0] / 2**20),
        "machine": machine(runtime),
    }


@torch.inference_mode()
def straightforward(network: ArSSR, image: Tensor, queries: Queries) -> Tensor:
    """Encode once, eager float32; gather by `grid_sample` and decode slab by slab."""
    features = network.encoder(image[None, None])
    slabs = range(len(queries.positions[0]))
    return torch.cat([_slab(network, image, features, queries, slab) for slab in slabs])


def _slab(network: ArSSR, image: Tensor, features: Tensor, queries: Queries, slab: int) -> Tensor:
    part = queries.rows(slab, slab + 1)
    shape = (image.shape[0], image.shape[1], image.shape[2])
    axes = [torch.from_numpy((2 * p + 1) / n - 1).float() for p, n in zip(part.positions, shape, strict=True)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flip(-1)
    sampled = functional.grid_sample(
        features, grid[None], mode="bilinear", padding_mode=network.config.padding, align_corners=False
    )[0].movedim(0, -1)
    coordinates = product_coordinates(network.config, part, shape)
    out = network.decoder(torch.cat([sampled, coordinates], dim=-1).flatten(0, -2)).view(sampled.shape[:-1])
    if network.config.residual == "cubic":
        from MedSRLib.inference.sampling import apply_separable
        from MedSRLib.networks.queries import axis_matrices

        out = out + apply_separable(image, axis_matrices("cubic", shape, part))
    return out


@torch.inference_mode()
def _released_seconds(network: ArSSR, image: Tensor, queries: Queries, runtime: Runtime) -> float:
    """Encoder and decoder for each of the first slabs, scaled to all of them."""
    slabs = len(queries.positions[0])
    few = min(_TIMED_SLABS, slabs)

    def first_slabs() -> Tensor:
        return torch.cat([_slab(network, image, network.encoder(image[None, None]), queries, s) for s in range(few)])

    return timed(first_slabs, runtime, 1)[1] * slabs / few


def _picture(size: int) -> Tensor:
    """A smooth test picture in [0, 1]; speed does not depend on what is in it."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 8, 8, 8, generator=generator)
    smooth = functional.interpolate(coarse, size=(size,) * 3, mode="trilinear", align_corners=False)[0, 0]
    return (smooth + 0.02 * torch.randn(smooth.shape, generator=generator)).clamp(0, 1)
