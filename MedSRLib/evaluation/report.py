"""The report of a comparison: one self-contained page with pictures and numbers, and the numbers as data.

report.html    pictures, difference maps, profile, histogram, table, provenance; opens offline, prints
metrics.json   {"results": {name: {"psnr": {"whole", "mask"}, ...}}, "reference", "data_range", "mask",
               "settings"}; a number that is not finite is null
metrics.csv    one row a result
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from MedSRLib._optional import require
from MedSRLib.errors import OptionError, OutputError
from MedSRLib.evaluation.metrics import METRICS, json_ready, measure_arrays
from MedSRLib.evaluation.page import MAX_BYTES, Comparison, page
from MedSRLib.evaluation.profiles import edge_widths, sample, steepest_line
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.views import INPUT, REFERENCE, detail_view, scene
from MedSRLib.files import write_text_atomic
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress
from MedSRLib.provenance import record

_EDGE_BLUR_MM = 3.0
_NIFTI_DESCRIPTION = "ITK_FileNotes"
_RESOLUTIONS = (130, 100, 70, 45)
"""Dots an inch of the pictures: the first with which the page stays under its limit is taken."""


@dataclass(frozen=True)
class Section:
    """Results that are shown side by side.

    Attributes:
        title: shown above them, such as "×2"; may be empty when there is one section.
        results: image by name.
        input: the image that the results were made from, shown voxel by voxel.
        provenance: by name of the result; default: the "MedSR_..." entries of the image's metadata.
    """

    title: str
    results: Mapping[str, sitk.Image]
    input: sitk.Image | None = None
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write_report(
    folder: str | Path,
    reference: sitk.Image,
    results: Mapping[str, sitk.Image],
    input: sitk.Image | None = None,
    mask: sitk.Image | None = None,
    progress: Progress | None = None,
    *,
    title: str = "Comparison with the reference",
    provenance: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Compare results with the reference and write report.html, metrics.json and metrics.csv.

    Args:
        folder: made if it does not exist.
        reference: the true image; results on other grids are resampled to its grid, and the report says so.
        results: image by the name to show.
        input: the image that the results were made from.
        mask: where the masked numbers are taken; default: the patient without the surrounding air.
        provenance: how each result was made, by name; default: the image's "MedSR_..." metadata.

    Returns:
        The path of report.html.

    Raises:
        InputError: for images that cannot be compared.
        OutputError: if the folder cannot be written.
        MissingPackageError: without matplotlib or Jinja2.
    """
    section = Section("", results, input, provenance or {})
    return write_sections(folder, reference, [section], mask, progress, title=title)


def write_sections(
    folder: str | Path,
    reference: sitk.Image,
    sections: Sequence[Section],
    mask: sitk.Image | None = None,
    progress: Progress | None = None,
    *,
    title: str = "Comparison with the reference",
    introduction: str = "",
) -> Path:
    """As `write_report`, for several groups of results (scales, say) with the same reference.

    In metrics.json a result is called "NAME TITLE" ("ArSSR ×2"); ``name`` and ``section`` hold the parts.

    Args:
        introduction: a paragraph under the title: what the data are.
    """
    progress = progress or Progress()
    require("jinja2", "evaluation")
    require("matplotlib", "evaluation")
    _refuse_unclear_names(sections)
    folder = _made(folder)
    truth = Reference.of(reference, mask, progress)
    comparisons = []
    for i, section in enumerate(sections):
        progress.stage(f"Measuring {section.title}".strip())
        part = progress.part(i / len(sections) * 0.7, (i + 1) / len(sections) * 0.7)
        comparisons.append(_compared(truth, section, part))
    content = _content(truth, comparisons, title)
    write_text_atomic(folder / "metrics.json", json.dumps(json_ready(content), indent=1, ensure_ascii=False) + "\n")
    write_text_atomic(folder / "metrics.csv", _csv(content["results"]))
    progress.stage("Writing the report")
    for dpi in _RESOLUTIONS:
        text = page(content, truth, comparisons, title, introduction, dpi)
        progress.check()
        if len(text.encode()) < MAX_BYTES:
            break
    write_text_atomic(folder / "report.html", text)
    progress.update(1.0)
    return folder / "report.html"


def _compared(truth: Reference, section: Section, progress: Progress) -> Comparison:
    """Measure the results of a section and gather what its pictures need."""
    volumes: dict[str, np.ndarray] = {}
    measured: dict[str, dict[str, Any]] = {}
    for i, (name, image) in enumerate(section.results.items()):
        volumes[name], notes = truth.array_of(image, f"result '{name}'", progress)
        made_by = dict(section.provenance.get(name) or _metadata(image))
        entry: dict[str, Any] = {
            "name": name,
            "section": section.title,
            "notes": notes,
            "provenance": made_by,
        }
        measured[name] = entry | measure_arrays(truth, volumes[name])
        progress.update((i + 1) / (len(section.results) + 1))
    shown = {} if section.input is None else {INPUT: truth.displayed(section.input)}
    view = scene(truth, shown | volumes)
    detail, axes = detail_view(view.grid, None if section.input is None else Grid.of(section.input))
    line = steepest_line(view.volumes[REFERENCE], view.mask, view.grid, axes)
    profiles = {
        name: sample(view.volumes[name], view.grid, line, order=0 if name == INPUT else 3) for name in view.volumes
    }
    spacing = None if section.input is None else section.input.GetSpacing()
    blur = max(_EDGE_BLUR_MM, *truth.grid.spacing, *(spacing or ()))
    widths = edge_widths({k: p for k, p in profiles.items() if k != INPUT}, REFERENCE, blur=blur)
    for name, entry in measured.items():
        entry |= {"edge_width_mm": widths[name], "reference_edge_width_mm": widths[REFERENCE]}
    return Comparison(section.title, measured, view, detail, line, profiles, widths[REFERENCE], spacing)


def _content(truth: Reference, comparisons: Sequence[Comparison], title: str) -> dict[str, Any]:
    """What metrics.json holds."""
    settings = truth.settings()
    results = {
        f"{name} {comparison.title}".strip(): {k: v for k, v in entry.items() if k not in settings}
        for comparison in comparisons
        for name, entry in comparison.measured.items()
    }
    return {
        "title": title,
        "results": results,
        "reference": {
            "size": list(truth.grid.size),
            "spacing_mm": list(truth.grid.spacing),
        },
        "data_range": settings["data_range"],
        "mask": settings["mask"],
        "settings": settings
        | {
            "psnr": "20 log10(data range / RMSE), dB",
            "ssim": "mean over a uniform window (ssim_window, k j i), K = (0.01, 0.03), sample covariance",
            "nrmse": "RMSE / data range",
            "ncc": "Pearson correlation of the intensities",
            "edge_width_mm": "10-90 % of the step across the marked edge, cubic B-spline along the line",
        },
        "record": record(task="evaluate"),
    }


def _csv(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a result, one column a number."""
    columns = [f"{metric}_{where}" for metric in METRICS for where in ("whole", "mask")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["result", "name", "section", *columns, "edge_width_mm"])
    for key, entry in results.items():
        numbers = [entry[metric][where] for metric in METRICS for where in ("whole", "mask")]
        writer.writerow([key, entry["name"], entry["section"], *numbers, entry["edge_width_mm"]])
    return text.getvalue()


def _metadata(image: sitk.Image) -> dict[str, str]:
    """What MedSR wrote into the image about its making; a NIfTI header has room for a summary only."""
    keys = sorted(image.GetMetaDataKeys())
    known = {key.removeprefix("MedSR_"): image.GetMetaData(key) for key in keys if key.startswith("MedSR_")}
    summary = image.GetMetaData(_NIFTI_DESCRIPTION) if _NIFTI_DESCRIPTION in keys else ""
    return known or ({"header": summary} if summary.startswith("MedSR") else {})


def _refuse_unclear_names(sections: Sequence[Section]) -> None:
    names = [f"{name} {section.title}".strip() for section in sections for name in section.results]
    twice = sorted({name for name in names if names.count(name) > 1})
    reserved = sorted({name for s in sections for name in s.results if name in (REFERENCE, INPUT)})
    if not names or not all(section.results for section in sections):
        raise OptionError("There is no result to compare with the reference.", "", "Give at least one.")
    if twice or reserved:
        raise OptionError(
            f"A result cannot be called '{(twice or reserved)[0]}'.",
            "Every result needs a name of its own.",
            "Give the results different names.",
        )


def _made(folder: str | Path) -> Path:
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{path}' cannot be made.", f"{error.strerror}.") from error
    return path
