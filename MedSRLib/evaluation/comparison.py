"""Results beside a reference, as a window shows them: volumes on one grid, differences, and all numbers.

Everything lies in one frame of coordinates, the reference's. A result that is bent against it comes with a field of
displacements. The folder receives, in the order of the results,

    <n>.nrrd               the result on the reference's grid
    <n>-difference.nrrd    result - reference
    measures.json          metrics, curves by slice, histogram of the differences, agreement
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.evaluation import agreement, differences, metrics, resampling, slices
from MedSRLib.evaluation.reference import Reference
from MedSRLib.files import write_text_atomic
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

MEASURES_FILE = "measures.json"
_DIGITS = 6


@dataclass(frozen=True)
class Result:
    """One result; ``field`` as in `resampling.onto`, None where frame and result share coordinates."""

    image: sitk.Image
    field: sitk.Image | None = None
    name: str = ""


def compare(
    folder: Path,
    results: Mapping[str, Result],
    reference: sitk.Image,
    mask: sitk.Image | None = None,
    *,
    measures: bool = True,
    progress: Progress,
) -> dict[str, Any]:
    """Write the volumes and `MEASURES_FILE`; return the measures.

    Args:
        folder: exists.
        results: by key, in the order of the files.
        reference: the true image; its grid is that of all volumes written.
        mask: where the masked numbers are taken; default: the patient without the surrounding air.
        measures: False writes the volumes alone.
        progress: told how far the work is.

    Raises:
        InputError: for images that cannot be compared; it names the result.
        OutputError: if the folder cannot be written.
    """
    progress.stage("Reading the reference")
    truth = Reference.of(reference, mask, progress)
    found: dict[str, dict[str, Any]] = {}
    for number, (key, result) in enumerate(results.items()):
        part = progress.part(number / len(results) * 0.9, (number + 1) / len(results) * 0.9)
        part.stage(f"Comparing {number + 1} of {len(results)}")
        found[key] = _compared(folder, number, result, truth, measures, part)
    content: dict[str, Any] = {"keys": list(results), "notes": {key: one["notes"] for key, one in found.items()}}
    if measures:
        progress.stage("Counting the differences")
        content |= _content(truth, found) | _histograms(truth, found, folder)
    return _written(folder, content)


def place(folder: Path, results: Mapping[str, Result], *, progress: Progress) -> dict[str, Any]:
    """Without a reference: every result on the grid of the first; nothing can be measured.

    Raises:
        InputError: for images that cannot be used.
        OutputError: if the folder cannot be written.
    """
    grid: Grid | None = None
    for number, result in enumerate(results.values()):
        progress.stage(f"Placing {number + 1} of {len(results)}")
        prepared = images.prepared(result.image, progress)
        grid = grid or Grid.of(prepared)
        images.write(resampling.onto(grid, prepared, result.field), folder / f"{number}.nrrd")
        progress.update((number + 1) / len(results))
    return _written(folder, {"keys": list(results), "notes": {key: [] for key in results}})


def _compared(
    folder: Path, number: int, result: Result, truth: Reference, measures: bool, progress: Progress
) -> dict[str, Any]:
    """Write the volumes of one result; return its notes and, if wanted, what was measured."""
    name = f"volume '{result.name}'" if result.name else f"result {number + 1}"
    array, notes = truth.array_of(result.image, name, progress, result.field)
    progress.update(0.4)
    difference = differences.signed(truth.array, array)
    images.write(images.from_array(array, truth.grid), folder / f"{number}.nrrd")
    images.write(images.from_array(difference, truth.grid), folder / f"{number}-difference.nrrd")
    progress.update(0.6)
    measured = _measured(truth, array, difference) if measures else {}
    progress.update(1.0)
    return {"notes": notes} | measured


def _measured(truth: Reference, array: np.ndarray, difference: np.ndarray) -> dict[str, Any]:
    mask = truth.mask
    pairs = agreement.bland_altman(truth.array, difference, mask)
    return {
        "metrics": metrics.measure_arrays(truth, array),
        "limit": differences.symmetric_limit([difference], mask),
        "slices": slices.curves(difference, mask, truth.data_range),
        "bland_altman": {
            "mean": _numbers(pairs.means),
            "difference": _numbers(pairs.differences),
            "bias": pairs.bias,
            "low": pairs.low,
            "high": pairs.high,
        },
    }


def _content(truth: Reference, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    names = metrics.METRICS
    return {
        "metrics": {key: {name: one["metrics"][name] for name in names} for key, one in found.items()},
        **truth.settings(),
        "limit": max(one["limit"] for one in found.values()),
        "slices": slices.gathered({key: one["slices"] for key, one in found.items()}, truth.grid),
        "bland_altman": {key: one["bland_altman"] for key, one in found.items()},
    }


def _histograms(truth: Reference, found: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, Any]:
    """All with the limit of the largest; the differences are read again, so that one is in memory at a time."""
    limit, counts, edges = max(one["limit"] for one in found.values()), {}, np.zeros(0)
    for number, key in enumerate(found):
        difference = images.to_array(images.read(folder / f"{number}-difference.nrrd"))
        edges, count = differences.histogram(difference, truth.mask, limit)
        counts[key] = count.tolist()
    return {"histogram": {"edges": _numbers(edges), "counts": counts}}


def _numbers(values: np.ndarray) -> list[float]:
    """Six digits are more than a plot can show."""
    return [float(f"{value:.{_DIGITS}g}") for value in values.tolist()]


def _written(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = metrics.json_ready(content)
    write_text_atomic(folder / MEASURES_FILE, json.dumps(plain, ensure_ascii=False) + "\n")
    return plain
