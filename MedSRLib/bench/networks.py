"""How fast the networks run, and how much of the machine they use.

    medsr bench networks --size 48 --json

Every network, as its paper has it but on grey images, on two sizes: slices of ``size``² and (2 · size)² pixels, volumes
of (size / 4)³ and (size / 2)³ voxels of the input (of the result, for those that work on the interpolated image), with
one guide where they take guides.
All ways are timed side by side: float32, and bfloat16 where the device has it, with the channels of a voxel apart or
together in memory. MedSR's inference keeps them together, which on large images is up to four times as fast.

gflop     operations of the convolutions, counted by torch (a multiplication and an addition are two)
peak      of the machine: the fastest of several products of large matrices in the same precision, before and after
memory    growth of the process's resident set while the network runs (Linux)
seconds   the shortest of three runs of the fastest way

Last, as in the slides of E. Ceccarelli: EDSR (×2) and WDSR (×4), in three colours, on a photograph of 510 × 339 pixels.
Their times there are 576.92 and 46.35 s, on a processor whose name and threads they do not tell.
"""

from __future__ import annotations

from contextlib import nullcontext
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from MedSRLib.bench.measuring import machine, peak_memory, timed
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime, has_fast_bfloat16
from MedSRLib.networks import catalogue
from MedSRLib.networks.convolution import channels_last, fold
from MedSRLib.progress import Progress

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "edsr": ("edsr", {}),
    "wdsr": ("wdsr", {}),
    "srfbn": ("srfbn", {}),
    "dsrn": ("dsrn", {}),
    "sander": ("sander", {}),
    "srcnn3d": ("srcnn3d", {}),
    "srrecnn3d-10": ("srrecnn3d", {}),
    "srrecnn3d-20": ("srrecnn3d", {"layers": 20}),
    "dcsrn": ("dcsrn", {}),
    "rescnn": ("rescnn", {}),
    "edsr-3d": ("edsr", {"dimensions": 3, "scale": (2, 2, 2), "features": 64, "blocks": 16, "residual_scale": 1.0}),
    "wdsr-3d": ("wdsr", {"dimensions": 3, "scale": (2, 2, 2), "features": 32, "expansion": 64, "blocks": 6}),
    "djf": ("djf", {}),
    "coista": ("coista", {}),
    "lmcsc": ("lmcsc", {}),
    "dual-state": ("dual-state", {}),
    "lmcsc-3d": ("lmcsc", {"dimensions": 3, "features": 32, "kernel": 5}),
    "dual-state-3d": ("dual-state", {"dimensions": 3, "scale": (1, 1, 4), "features": 16, "kernel": 5, "steps": 3}),
}
"""Method and architecture of what is timed; those in 3D are ours."""

SLIDES = {"edsr": (576.92, (2, 2)), "wdsr": (46.35, (4, 4))}
"""Seconds and scale in E. Ceccarelli's slides."""

SLIDES_SIZE = (339, 510)
"""Rows and columns of their photograph."""

_REPEATS = 3
_MATRIX = {"cpu": 1536, "cuda": 8192}

Way = tuple[str, str]
"""Precision, and "channels apart" or "channels together"."""


def run(
    size: int, *, names: list[str] | None = None, slides: bool = True, runtime: Runtime, progress: Progress
) -> dict[str, Any]:
    """Time the networks; see the module.

    Args:
        size: pixels along an edge of the smaller slice, a multiple of 16.
        names: of `CASES`; all if None.
        slides: whether the photograph of the slides is timed too (minutes).
        runtime: its device.
        progress: told what is being timed.

    Returns:
        Under "networks" a row a network and size, under "slides" a row a network, and the machine; ready for JSON.

    Raises:
        OptionError: for a size that cannot be used.
    """
    if size < 16 or size % 16:
        raise OptionError(f"A size of {size} cannot be timed.", "Volumes have a quarter of it.", "Use 64.")
    chosen = list(CASES) if names is None else names
    precisions = _precisions(runtime.device)
    peaks = {precision: _peak(precision, runtime) for precision in precisions}
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(chosen):
        progress.stage(f"Timing {name}")
        rows += _both_sizes(name, size, runtime)
        progress.update((number + 1) / (len(chosen) + 2))
    photographs = []
    for name in SLIDES if slides else ():
        progress.stage(f"Timing {name} on {SLIDES_SIZE[1]} × {SLIDES_SIZE[0]} pixels")
        photographs.append(_slide(name, runtime))
    peaks = {precision: max(peaks[precision], _peak(precision, runtime)) for precision in precisions}
    for row in rows + photographs:
        row["share_of_peak"] = round(row["gflop_per_s"] * 1e9 / peaks[row["way"][0]], 3)
    progress.update(1.0)
    rounded = {precision: round(value / 1e9, 1) for precision, value in peaks.items()}
    return {
        "benchmark": "networks",
        "networks": rows,
        "slides": photographs,
        "machine": {**machine(runtime), "peak_gflop_per_s": rounded},
    }


def table(found: dict[str, Any]) -> str:
    """What `run` found, as lines to read."""
    lines = [
        f"{'network':14}{'input':>12}{'seconds':>10}{'voxels/s':>11}{'GFLOP':>9}{'GFLOP/s':>9}{'of peak':>9}"
        f"{'MiB':>7}  fastest way"
    ]
    for row in found["networks"] + found["slides"]:
        edges = "×".join(map(str, row["input"]))
        lines.append(
            f"{row['network']:14}{edges:>12}{row['seconds']:10.3f}{row['voxels_per_s']:11.3g}{row['gflop']:9.1f}"
            f"{row['gflop_per_s']:9.1f}{row['share_of_peak']:9.0%}{row['peak_memory_mib']:7d}  {', '.join(row['way'])}"
            + (f"; in the slides {row['slides_seconds']} s" if "slides_seconds" in row else "")
        )
    return "\n".join(lines)


def _both_sizes(name: str, size: int, runtime: Runtime) -> list[dict[str, Any]]:
    method, architecture = CASES[name]
    network, dimensions = _built(method, architecture)
    small = (size,) * 2 if dimensions == 2 else (size // 4,) * 3
    every = _ways(runtime.device)
    return [_row(name, network, (1, *(n * edge for edge in small)), every, runtime, _REPEATS) for n in (1, 2)]


def _slide(name: str, runtime: Runtime) -> dict[str, Any]:
    """The photograph once, in the way of MedSR's inference."""
    seconds, scale = SLIDES[name]
    network, _ = _built(name, {"channels_in": 3, "scale": scale})
    row = _row(name, network, (3, *SLIDES_SIZE), _ways(runtime.device)[-1:], runtime, 1)
    return {**row, "slides_seconds": seconds, "ratio": round(seconds / row["seconds"], 1)}


def _row(
    name: str, network: nn.Module, shape: tuple[int, ...], ways: list[Way], runtime: Runtime, repeats: int
) -> dict[str, Any]:
    """All numbers of one network on an image of (channels, *size), but for the share of the peak."""
    times: dict[Way, float] = {}
    memory: dict[Way, int] = {}
    for way in ways:
        with peak_memory() as peak:
            times[way], operations = _measured(network, shape, way, runtime, repeats)
        memory[way] = peak[0]
    best = min(ways, key=lambda way: times[way])
    seconds = times[best]
    scale = getattr(network, "scale", None) or (1,) * (len(shape) - 1)
    return {
        "network": name,
        "parameters": sum(p.numel() for p in network.parameters()),
        "input": list(shape[1:]),
        "way": list(best),
        "seconds": round(seconds, 4),
        "voxels_per_s": round(prod(shape[1:]) * prod(scale) / seconds),
        "gflop": round(operations / 1e9, 3),
        "gflop_per_s": round(operations / seconds / 1e9, 1),
        "peak_memory_mib": round(memory[best] / 2**20),
        "ways": {", ".join(way): round(value, 4) for way, value in times.items()},
    }


def _built(method: str, architecture: dict[str, Any]) -> tuple[nn.Module, int]:
    """The network itself, and how many dimensions its images have."""
    network: Any = catalogue.build(method, architecture)
    if catalogue.kind(method) == "slices":
        return network.eval(), 2
    body = network.body.body if architecture.get("channels_in") == 3 else network.body
    fold(body)
    return body.eval(), network.dimensions


@torch.inference_mode()
def _measured(
    network: nn.Module, shape: tuple[int, ...], way: Way, runtime: Runtime, repeats: int
) -> tuple[float, float]:
    """Seconds, and floating-point operations, on an image of (channels, *size)."""
    precision, layout = way
    ready = network.to(runtime.device)
    if layout == "channels together":
        channels_last(ready)
    else:
        for parameter in ready.parameters():
            parameter.data = parameter.data.contiguous()
    asked = _asked(ready, shape, runtime)
    kind = torch.device(runtime.device).type
    counter = FlopCounterMode(display=False)

    def work() -> Tensor:
        with nullcontext() if precision == "float32" else torch.autocast(kind, torch.bfloat16):
            found: Tensor = ready(*asked)
        return found

    def counted() -> Tensor:
        with counter:
            return work()

    times = [timed(counted, runtime, 1)[1]] + [timed(work, runtime, 1)[1] for _ in range(repeats - 1)]
    return min(times), float(counter.get_total_flops())


def _asked(network: nn.Module, shape: tuple[int, ...], runtime: Runtime) -> list[Tensor]:
    """An image of (channels, *size), and for a guided network a guide on the grid of its result."""
    generator = torch.Generator().manual_seed(runtime.seed)
    images = [torch.rand(1, *shape, generator=generator)]
    guides = getattr(getattr(network, "config", None), "guides", 0)
    if guides:
        factors = getattr(network, "scale", None) or (1,) * (len(shape) - 1)
        fine = (edge * factor for edge, factor in zip(shape[1:], factors, strict=True))
        images.append(torch.rand(1, guides, *fine, generator=generator))
    return [image.to(runtime.device) for image in images]


def _peak(precision: str, runtime: Runtime) -> float:
    """Operations a second of a product of large matrices."""
    n = _MATRIX.get(torch.device(runtime.device).type, 1536)
    matrix = torch.rand(n, n, device=runtime.device, dtype=getattr(torch, precision))
    seconds = min(timed(lambda: matrix @ matrix, runtime, _REPEATS)[1] for _ in range(3))
    return 2.0 * n**3 / seconds


def _precisions(device: str) -> list[str]:
    return ["float32", "bfloat16"] if has_fast_bfloat16(device) else ["float32"]


def _ways(device: str) -> list[Way]:
    return [(p, layout) for p in _precisions(device) for layout in ("channels apart", "channels together")]
