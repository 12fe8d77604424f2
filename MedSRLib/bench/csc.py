"""How fast convolutional coding runs: ours beside sporco's, in one run, to the same objective.

    medsr bench csc --json

A slice of a made-up head (256 × 256 pixels, 64 filters of 8²) and a crop of it (64³ voxels, 32 filters of 5³), both
without their smooth part; the filters are patches of the image. sporco (B. Wohlberg, BSD licence) runs in float32 with
pyfftw and, where it is installed, numexpr, in two ways: as it comes (ρ is balanced), and with its shortcut, FastSolve
(fixed ρ, no residuals). For each way: sporco runs `ITERATIONS` iterations; ours runs as many as it needs to reach an
objective as low, which is counted beforehand. Both are timed by turns, on as many threads; the shortest of three runs
counts. Objectives are those of the sparse maps, in float64, by the same function.

seconds   by the clock
cpu       seconds of processor time, which other work on the machine spoils less
ratio     sporco's seconds over ours, against the way of sporco's that comes off best
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from MedSRLib.bench.measuring import machine
from MedSRLib.bench.metrics import pair
from MedSRLib.errors import OptionError
from MedSRLib.sparse import coding, filters, smooth
from MedSRLib.sparse.coding import Settings

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.progress import Progress

PENALTY = 0.01
"""λ, for intensities of 0 to 1."""
ITERATIONS = 50
_SMOOTH = 5.0
_REPEATS = 3
_LONGEST = 4


@dataclass(frozen=True)
class Case:
    """One image (1, *size) with its filters (K, *support)."""

    name: str
    image: Tensor
    filters: Tensor


def run(size: int, *, iterations: int = ITERATIONS, runtime: Runtime, progress: Progress) -> dict[str, Any]:
    """Time both; see the module.

    Args:
        size: pixels along an edge of the slice, at least 48; the crop has a quarter of it.
        iterations: of sporco.
        runtime: its seed; everything runs on the processor.
        progress: told what is being timed.

    Returns:
        Under "cases" an entry an image: ours, and sporco's two ways or a note that it is not installed.

    Raises:
        OptionError: for a size that cannot be used.
    """
    if size < 48:
        raise OptionError(f"A size of {size} cannot be timed.", "The crop has a quarter of it.", "Use 256.")
    entries = []
    for number, case in enumerate(cases(size, runtime.seed)):
        progress.stage(f"Timing {case.name}")
        entries.append(_entry(case, iterations))
        progress.update((number + 1) / 2)
    return {"benchmark": "csc", "penalty": PENALTY, "cases": entries, "machine": machine(runtime)}


def table(found: dict[str, Any]) -> str:
    """What `run` found, as lines to read."""
    lines = [f"{'image':12}{'way':36}{'iterations':>11}{'seconds':>10}{'cpu':>10}{'objective':>14}{'ratio':>8}"]
    for case in found["cases"]:
        if "note" in case:
            lines.append(f"{case['image']:12}{case['note']}")
        for row in case["ways"]:
            ratio = f"{row['ratio']:8.1f}" if "ratio" in row else ""
            lines.append(
                f"{case['image']:12}{row['way']:36}{row['iterations']:11d}{row['seconds']:10.3f}{row['cpu']:10.3f}"
                f"{row['objective']:14.6f}{ratio}"
            )
    return "\n".join(lines)


def cases(size: int, seed: int) -> list[Case]:
    """The slice and the crop, with their filters."""
    head = torch.from_numpy(pair(size, seed)[0] / 255)
    middle, quarter = size // 2, size // 4
    crop = head[middle : middle + quarter, middle : middle + quarter, middle - quarter : middle]
    generator = torch.Generator().manual_seed(seed)
    made = []
    for image, count, support in ((head[middle], 64, (8, 8)), (crop, 32, (5, 5, 5))):
        high = smooth.split(image[None], _SMOOTH)[1].contiguous()
        name = "×".join(str(n) for n in image.shape)
        made.append(Case(name, high, filters.drawn(high, count, support, generator)))
    return made


def _entry(case: Case, iterations: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": case.name, "filters": len(case.filters), "ways": []}
    try:
        other = sporco_ways(case, iterations)
    except ImportError:
        seconds, cpu, maps = _timed(lambda: _ours(case, iterations))
        entry["note"] = "sporco is not installed: pip install sporco pyfftw numexpr"
        entry["ways"] = [_row("ours", iterations, seconds, cpu, _objective(case, maps))]
        return entry
    for name, work in other.items():
        target = _objective(case, work())  # also plans the transforms
        needed = _needed(case, target, iterations)
        theirs, mine = _by_turns(work, partial(_ours, case, needed))
        row = _row(name, iterations, theirs[0], theirs[1], target)
        entry["ways"] += [row, _row(f"ours, as low as {name}", needed, mine[0], mine[1], _objective(case, mine[2]))]
        row["ratio"], row["cpu_ratio"] = round(theirs[0] / mine[0], 2), round(theirs[1] / mine[1], 2)
    entry["ratio"] = min(row["ratio"] for row in entry["ways"] if "ratio" in row)
    return entry


def sporco_ways(case: Case, iterations: int) -> dict[str, Callable[[], Tensor]]:
    """Calls that code the case by sporco on as many threads as torch has, and give the maps (1, K, *size).

    Raises:
        ImportError: if sporco is not installed.
    """
    cbpdn = importlib.import_module("sporco.admm.cbpdn")
    fft: Any = importlib.import_module("sporco.fft")
    fft.pyfftw_threads = torch.get_num_threads()
    if importlib.util.find_spec("numexpr"):
        importlib.import_module("numexpr").set_num_threads(torch.get_num_threads())
    dictionary = np.ascontiguousarray(np.moveaxis(case.filters.numpy(), 0, -1))
    image = case.image[0].numpy()

    def coded(options: dict[str, Any]) -> Tensor:
        settings = {"Verbose": False, "MaxMainIter": iterations, "RelStopTol": 0.0, **options}
        solver = cbpdn.ConvBPDN(dictionary, image, PENALTY, cbpdn.ConvBPDN.Options(settings), dimK=0, dimN=image.ndim)
        solver.solve()
        found = torch.from_numpy(solver.Y.reshape(*image.shape, -1)).movedim(-1, 0)
        # sporco lays a filter's first value on the place of its coefficient, we lay its middle there.
        return found.roll([n // 2 for n in case.filters.shape[1:]], dims=tuple(range(1, found.ndim)))[None]

    shortcut = {"FastSolve": True, "AutoRho": {"Enabled": False}}
    return {"sporco": lambda: coded({}), "sporco, FastSolve": lambda: coded(shortcut)}


def _ours(case: Case, iterations: int) -> Tensor:
    return coding.code(case.filters, case.image, Settings(PENALTY, iterations, tolerance=0.0)).maps


def _needed(case: Case, target: float, iterations: int) -> int:
    """The fewest of our iterations whose objective is no higher, to within five, found by halving."""
    low, high = 0, iterations
    while _objective(case, _ours(case, high)) > target and high < _LONGEST * iterations:
        low, high = high, 2 * high
    while high - low > 5:
        middle = (low + high) // 2
        low, high = (low, middle) if _objective(case, _ours(case, middle)) <= target else (middle, high)
    return high


def _by_turns(*works: Callable[[], Tensor]) -> list[tuple[float, float, Tensor]]:
    """The shortest seconds and processor seconds of each, and what it gave."""
    runs = [[_timed(work) for work in works] for _ in range(_REPEATS)]
    found = []
    for number in range(len(works)):
        mine = [row[number] for row in runs]
        found.append((min(m[0] for m in mine), min(m[1] for m in mine), mine[0][2]))
    return found


def _timed(work: Callable[[], Tensor]) -> tuple[float, float, Tensor]:
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - clock, time.process_time() - processor, found


def _objective(case: Case, maps: Tensor) -> float:
    return coding.objective(case.filters, case.image, maps, PENALTY)


def _row(way: str, iterations: int, seconds: float, cpu: float, objective: float) -> dict[str, Any]:
    return {
        "way": way,
        "iterations": iterations,
        "seconds": round(seconds, 4),
        "cpu": round(cpu, 4),
        "objective": round(objective, 6),
    }
