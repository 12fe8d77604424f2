"""The report of a comparison: one self-contained page with pictures and numbers, and the numbers as data.

report.html    pictures, difference maps, profile, histograms, curves, tables, provenance; opens offline, prints
metrics.json   {"results": {name: {"psnr": {"whole", "mask"}, ..., "slices"}}, "reference", "data_range", "mask",
               "settings"}; a number that is not finite is null
metrics.csv    one row a result
slices.csv     one row a slice of a result, with its position in mm
metrics.tex    the tables for a manuscript
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from MedSRLib._optional import require
from MedSRLib.errors import OptionError, OutputError
from MedSRLib.evaluation import records, slices
from MedSRLib.evaluation.differences import signed
from MedSRLib.evaluation.html import write_page
from MedSRLib.evaluation.measures import Found, Measurer
from MedSRLib.evaluation.metrics import json_ready, ssim_window
from MedSRLib.evaluation.page import Comparison, page
from MedSRLib.evaluation.pictures import Focus
from MedSRLib.evaluation.profiles import edge_widths, sample, steepest_line
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.tables import latex, tables
from MedSRLib.evaluation.views import INPUT, REFERENCE, detail_view, scene
from MedSRLib.files import write_text_atomic
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

_EDGE_BLUR_MM = 3.0
_NIFTI_DESCRIPTION = "ITK_FileNotes"


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


@dataclass(frozen=True)
class Wanted:
    """What is measured beside the pictures.

    Attributes:
        measures: names and sets of `evaluation.measures`.
        labels: whole numbers, the true segmentation, for Dice and volume error; without it three tissues are found.
        lesions: mask, for the measures of lesions.
        device: "cpu" or a CUDA device.
    """

    measures: Sequence[str] = ("default",)
    labels: sitk.Image | None = None
    lesions: sitk.Image | None = None
    device: str = "cpu"


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
    wanted: Wanted = Wanted(),
) -> Path:
    """Compare results with the reference and write the files named above.

    Args:
        folder: made if it does not exist.
        reference: the true image; results on other grids are resampled to its grid, and the report says so.
        results: image by the name to show.
        input: the image that the results were made from.
        mask: where the masked numbers are taken; default: the patient without the surrounding air.
        provenance: how each result was made, by name; default: the image's "MedSR_..." metadata.
        wanted: which measures, and what they need.

    Returns:
        The path of report.html.

    Raises:
        InputError: for images that cannot be compared.
        OutputError: if the folder cannot be written.
        OptionError: for an unknown measure.
        MissingPackageError: without matplotlib or Jinja2, or what a measure needs.
    """
    section = Section("", results, input, provenance or {})
    return write_sections(folder, reference, [section], mask, progress, title=title, wanted=wanted)


def write_sections(
    folder: str | Path,
    reference: sitk.Image,
    sections: Sequence[Section],
    mask: sitk.Image | None = None,
    progress: Progress | None = None,
    *,
    title: str = "Comparison with the reference",
    introduction: str = "",
    wanted: Wanted = Wanted(),
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
    truth = Reference.of(reference, mask, progress)
    measurer = Measurer(truth, wanted.measures, device=wanted.device, labels=wanted.labels, lesions=wanted.lesions)
    progress.stage("Measuring the reference")
    of_reference = measurer.measured_reference(progress.part(0, 0.1))
    comparisons = []
    for i, section in enumerate(sections):
        progress.stage(f"Measuring {section.title}".strip())
        part = progress.part(0.1 + i / len(sections) * 0.6, 0.1 + (i + 1) / len(sections) * 0.6)
        comparisons.append(_compared(measurer, truth, section, part))
    found = [(c.title, c.measured) for c in comparisons]
    content = records.content(title, truth, measurer.names, found, _plain(of_reference))
    folder = made_folder(folder)
    _write_records(folder, content, comparisons, measurer.names)
    return write_page(
        folder, lambda dpi: page(content, truth, comparisons, measurer.names, title, introduction, dpi), progress
    )


def _compared(measurer: Measurer, truth: Reference, section: Section, progress: Progress) -> Comparison:
    """Measure the results of a section and gather what its pictures need."""
    volumes: dict[str, np.ndarray] = {}
    measured: dict[str, dict[str, Any]] = {}
    for i, (name, image) in enumerate(section.results.items()):
        part = progress.part(i / len(section.results) * 0.9, (i + 1) / len(section.results) * 0.9)
        volumes[name], notes = truth.array_of(image, f"result '{name}'", progress)
        by_slice = slices.curves(signed(truth.array, volumes[name]), truth.mask, truth.data_range)
        entry = _plain(measurer.measured(volumes[name], part))
        for axis, curves in by_slice.items():
            for measure, curve in curves.items():
                entry["slices"].setdefault(measure, {})[axis] = curve
        made_by = dict(section.provenance.get(name) or metadata(image))
        entry |= {"name": name, "section": section.title, "notes": notes, "provenance": made_by}
        measured[name] = entry | {"ssim_window": list(ssim_window(truth.array.shape))}
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
    return Comparison(section.title, measured, view, Focus.of(view, detail, line), profiles, widths[REFERENCE], spacing)


def _plain(found: Found) -> dict[str, Any]:
    """Numbers by region by measure, and under "slices" those of slices as lists."""
    by_slice = {name: {axis: v.tolist() for axis, v in axes.items()} for name, axes in found.slices.items()}
    return {**found.values, "slices": by_slice}


def _write_records(
    folder: Path, content: Mapping[str, Any], comparisons: Sequence[Comparison], names: Sequence[str]
) -> None:
    """Everything but the page."""
    write_text_atomic(folder / "metrics.json", json.dumps(json_ready(content), indent=1, ensure_ascii=False) + "\n")
    write_text_atomic(folder / "metrics.csv", records.metrics_csv(content["results"], names))
    write_text_atomic(folder / "slices.csv", records.slices_csv(content["results"], content["slice_positions_mm"]))
    found = [table for c in comparisons for table in tables(c.title, names, c.measured, content["reference"])]
    note = (
        f"Mask: {content['mask']}.\nData range: {content['data_range']:.6g}, {content['settings']['data_range_rule']}."
    )
    write_text_atomic(folder / "metrics.tex", latex(found, note))


def metadata(image: sitk.Image) -> dict[str, str]:
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


def made_folder(folder: str | Path) -> Path:
    """The folder, made if it did not exist; `OutputError` if that fails."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{path}' cannot be made.", f"{error.strerror}.") from error
    return path
