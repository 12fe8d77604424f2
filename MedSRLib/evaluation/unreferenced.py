"""The report on results of which nobody has the truth: what the scan itself, and the results alone, can tell.

report.html    pictures of scan and results, maps of consistency and uncertainty, numbers; opens offline, prints
metrics.json   {"results": {name: {"consistency", "psi", "lpc_si", "noise", "edge_width_mm", ...}}, "input",
               "acquisition", "settings"}; a number that is not finite, or cannot be had, is null
metrics.csv    one row a result; the first is the scan, interpolated

No number here proves that a detail is real: a result may agree with the scan, look sharp, be the same in every turned
copy, and be wrong. Definitions: `scan` (consistency), `psi`, `lpc_si`, `acquisition.estimate_sigma`, `profiles`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib._optional import require
from MedSRLib.acquisition import Acquisition, estimate_sigma
from MedSRLib.errors import InputError, OptionError
from MedSRLib.evaluation import resampling, slicewise
from MedSRLib.evaluation.html import write_page
from MedSRLib.evaluation.metrics import json_ready
from MedSRLib.evaluation.report import made_folder, metadata
from MedSRLib.evaluation.scan import Scan, volume
from MedSRLib.evaluation.unreferenced_page import BASELINE, Judged, page, pictured
from MedSRLib.files import write_text_atomic
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress
from MedSRLib.provenance import record

MIN_COVERAGE = 0.5
"""A result that covers less of the patient than this is taken for one of another patient or position."""

TITLE = "Results without a reference"
_SHARPNESS = {"psi": "psi", "lpc_si": "lpc-si"}
_COLUMNS = (
    "consistency_mask", "consistency_whole", "consistency_over_noise", "psi", "lpc_si", "noise", "edge_width_mm",
    "uncertainty_mean", "uncertainty_p95",
)  # fmt: skip


def write_report(
    folder: str | Path,
    image: sitk.Image,
    results: Mapping[str, sitk.Image],
    *,
    mask: sitk.Image | None = None,
    uncertainty: Mapping[str, sitk.Image] | None = None,
    acquisition: Acquisition | None = None,
    provenance: Mapping[str, Mapping[str, Any]] | None = None,
    title: str = TITLE,
    progress: Progress | None = None,
) -> Path:
    """Look at results beside the scan they were made of, and write report.html, metrics.json and metrics.csv.

    Args:
        folder: made if it does not exist.
        image: the scan, 3D.
        results: image by the name to show; they are shown on the grid of the first.
        mask: where numbers are taken; default: the patient without the surrounding air.
        uncertainty: map by the name of its result.
        acquisition: what is assumed of the scan; default: `Acquisition()`, "physical" with the scan's spacing.
        provenance: how each result was made, by name; default: the image's "MedSR_..." metadata.

    Returns:
        The path of report.html.

    Raises:
        InputError: for images that cannot be used, or show another place than the scan.
        OptionError: for results without a clear name, or the uncertainty of none of them.
        OutputError: if the folder cannot be written.
        MissingPackageError: without matplotlib or Jinja2.
    """
    progress, maps = progress or Progress(), dict(uncertainty or {})
    require("jinja2", "evaluation")
    require("matplotlib", "evaluation")
    _refuse_unclear_names(results, maps)
    scan, assumed = Scan.of(image, mask, progress), acquisition or Acquisition()
    judged = _judged(scan, results, maps, assumed, provenance or {}, progress.part(0.0, 0.8))
    view = pictured(scan, judged)
    content = _content(scan, judged, view.widths, assumed, title)
    folder = made_folder(folder)
    write_text_atomic(folder / "metrics.json", json.dumps(json_ready(content), indent=1, ensure_ascii=False) + "\n")
    write_text_atomic(folder / "metrics.csv", _csv(content["results"]))
    return write_page(folder, lambda dpi: page(content, scan, judged, view, dpi), progress)


def _judged(
    scan: Scan,
    results: Mapping[str, sitk.Image],
    maps: Mapping[str, sitk.Image],
    acquisition: Acquisition,
    provenance: Mapping[str, Mapping[str, Any]],
    progress: Progress,
) -> list[Judged]:
    """The scan interpolated to the grid of the first result, then every result, measured."""
    prepared = {name: volume(one, f"result '{name}'", progress) for name, one in results.items()}
    for name, one in prepared.items():
        _refuse_elsewhere(scan, one, name)
    frame = Grid.of(next(iter(prepared.values())))
    everything = {BASELINE: resampling.onto(frame, scan.image), **prepared}
    made_by = {BASELINE: {"method": f"cubic B-spline of the input, {resampling.interpolator_name(scan.image)}"}}
    made_by |= {name: dict(provenance.get(name) or metadata(results[name])) for name in results}
    judged = []
    for number, (name, one) in enumerate(everything.items()):
        progress.stage(f"Measuring {name}")
        part = progress.part(number / len(everything), (number + 1) / len(everything))
        spread = None if name not in maps else volume(maps[name], f"uncertainty of '{name}'", progress)
        judged.append(_measured(scan, name, one, frame, spread, acquisition, made_by[name], part))
    return judged


def _measured(
    scan: Scan,
    name: str,
    result: sitk.Image,
    frame: Grid,
    spread: sitk.Image | None,
    acquisition: Acquisition,
    made_by: Mapping[str, Any],
    progress: Progress,
) -> Judged:
    notes: list[str] = []
    if not Grid.of(result).equals(frame):
        notes.append(
            f"shown and its sharpness measured on the first result's grid ({resampling.interpolator_name(result)})"
        )
    array = images.to_array(resampling.onto(frame, result)) if notes else images.to_array(result)
    residual = scan.residual_or_none(result, acquisition)
    if residual is None:
        notes.append("its axes are oblique to the scan's: its consistency is not measured")
    inside = on_frame(scan, scan.mask, frame) > 0
    low, high = scan.span
    shown = None if spread is None else np.maximum(images.to_array(resampling.onto(frame, spread)), 0)
    entry: dict[str, Any] = {
        "consistency": None if residual is None else scan.measured(residual),
        "noise": estimate_sigma(images.to_array(result)),
        **sharpness(scan, array, inside, progress),
        "uncertainty": None if shown is None else _spread(shown[inside], high - low),
        "notes": notes,
        "provenance": made_by,
    }
    known = None if residual is None else on_frame(scan, residual, frame)
    return Judged(name, entry, array, known, shown, frame)


def sharpness(scan: Scan, array: np.ndarray, mask: np.ndarray | None, progress: Progress) -> dict[str, float]:
    """PSI and LPC-SI of a result (k, j, i), its intensities scaled by the range of the scan; NaN where too small."""
    (low, high), count = scan.span, len(_SHARPNESS)
    found = {}
    for number, (key, measure) in enumerate(_SHARPNESS.items()):
        part = progress.part(number / count, (number + 1) / count)
        found[key] = slicewise.measure(measure, None, array, low=low, high=high, mask=mask, progress=part).mean
    return found


def on_frame(scan: Scan, array: np.ndarray, frame: Grid) -> np.ndarray:
    """Values on the scan's voxels (k, j, i) as they are seen on another grid, by nearest neighbour."""
    image = images.from_array(array.astype(np.float32), scan.grid)
    return images.to_array(resampling.onto(frame, image, nearest=True))


def _spread(values: np.ndarray, span: float) -> dict[str, float]:
    """Mean and 95th percentile of an uncertainty in the mask, and the mean as a part of the scan's range."""
    mean = float(values.mean(dtype=np.float64))
    return {"mean": mean, "p95": float(np.percentile(values, 95)), "relative_mean": mean / span}


def _content(
    scan: Scan, judged: list[Judged], widths: Mapping[str, float | None], acquisition: Acquisition, title: str
) -> dict[str, Any]:
    """What metrics.json holds."""
    low, high = scan.span
    return {
        "title": title,
        "results": {one.name: {**one.entry, "edge_width_mm": widths[one.name]} for one in judged},
        "input": {
            "size": list(scan.grid.size),
            "spacing_mm": list(scan.grid.spacing),
            "range": [low, high],
            "noise": scan.noise,
        },
        "acquisition": acquisition.described(),
        "settings": {
            "mask": f"{scan.mask_origin}; {int(scan.mask.sum())} voxels, {scan.mask.mean():.1%} of the input",
            "consistency": "|A x - y|: rmse in the input's unit; relative, over max - min of the input; over_noise, "
            "over the noise of the input",
            "psi": "mean over the slices of three orientations that touch the mask; range of the input as 0 to 1",
            "lpc_si": "as psi; range of the input as 0 to 255",
            "noise": "standard deviation, from fourth differences of the image's own voxels; interpolation hides it",
            "edge_width_mm": "10-90 % of the step across the marked edge, cubic B-spline along the line",
            "uncertainty": "standard deviation over turned copies, in the mask",
        },
        "record": record(task="evaluate"),
    }


def _csv(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a result, one column a number; empty where it cannot be had."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["result", *_COLUMNS])
    for name, entry in results.items():
        consistent, spread = entry["consistency"], entry["uncertainty"] or {}
        seen = [None] * 3 if consistent is None else [
            consistent["relative"]["mask"], consistent["relative"]["whole"], consistent["over_noise"]["mask"]
        ]  # fmt: skip
        rest = [entry[key] for key in ("psi", "lpc_si", "noise", "edge_width_mm")]
        writer.writerow([name, *seen, *rest, spread.get("mean"), spread.get("p95")])
    return text.getvalue()


def _refuse_unclear_names(results: Mapping[str, sitk.Image], maps: Mapping[str, sitk.Image]) -> None:
    if not results:
        raise OptionError("There is no result to look at.", "", "Give at least one.")
    if BASELINE in results or "Input" in results:
        raise OptionError("A result cannot be called as the input is.", "", "Give it another name.")
    foreign = sorted(set(maps) - set(results))
    if foreign:
        raise OptionError(
            f"There is an uncertainty of '{foreign[0]}', but no such result.", "", f"Results: {', '.join(results)}."
        )


def _refuse_elsewhere(scan: Scan, result: sitk.Image, name: str) -> None:
    covered = resampling.coverage(scan.mask, scan.grid, result)
    if covered < MIN_COVERAGE:
        raise InputError(
            f"The result '{name}' covers {covered:.0%} of the patient in the input.",
            f"At least {MIN_COVERAGE:.0%} is needed.",
            "Check that it was made of this input.",
        )
