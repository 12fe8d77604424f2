"""From measurements and scenes to one HTML page with everything inside it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib._optional import require
from MedSRLib.evaluation.charts import curves_figure
from MedSRLib.evaluation.differences import signed, symmetric_limit
from MedSRLib.evaluation.metrics import LARGER_IS_BETTER, METRICS
from MedSRLib.evaluation.pictures import differences_figure, slices_figure
from MedSRLib.evaluation.profiles import Line, Profile
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.views import INPUT, REFERENCE, Scene, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_BYTES = 15_000_000
RESULTS_PER_FIGURE = 4
_CSS_PER_INCH = 118


@dataclass(frozen=True, eq=False)
class Comparison:
    """One section, measured.

    Attributes:
        title: of the section.
        measured: what `metrics.measure` found, and edge width and provenance, by name of the result.
        scene: reference, input and results on one canonical grid.
        detail: the view that is zoomed.
        line: where the profiles were taken, in the plane of that view.
        profiles: by name.
        reference_width: 10-90 % width of the marked edge in the reference, mm; None if it has no edge.
        input_spacing: of the input, mm; None without one.
    """

    title: str
    measured: Mapping[str, dict[str, Any]]
    scene: Scene
    detail: View
    line: Line
    profiles: Mapping[str, Profile]
    reference_width: float | None
    input_spacing: tuple[float, float, float] | None


def page(
    content: Mapping[str, Any],
    truth: Reference,
    comparisons: Sequence[Comparison],
    title: str,
    introduction: str,
    dpi: int,
) -> str:
    """The whole report as HTML.

    Args:
        content: what metrics.json holds.
        dpi: of the pictures.
    """
    jinja = require("jinja2", "evaluation")
    environment = jinja.Environment(autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=True)
    template = environment.from_string(Path(__file__).with_name("report.html.j2").read_text(encoding="utf-8"))
    low, high = comparisons[0].scene.window()
    return str(
        template.render(
            title=title,
            introduction=introduction,
            content=content,
            # The page says it once, at its top.
            record={k: v for k, v in content["record"].items() if "research use" not in str(v).lower()},
            grid=truth.grid,
            window=f"{low:.4g} to {high:.4g}",
            sections=[_section(truth, comparison, dpi) for comparison in comparisons],
            tables=[_table(comparison) for comparison in comparisons],
        )
    )


def _section(truth: Reference, comparison: Comparison, dpi: int) -> dict[str, Any]:
    """Title and figures (data URIs with their descriptions) of a section."""
    scene, names = comparison.scene, list(comparison.measured)
    differences = {name: signed(scene.volumes[REFERENCE], scene.volumes[name]) for name in names}
    limit = symmetric_limit(differences.values(), scene.mask)
    centre = np.mean([comparison.line.start, comparison.line.end], axis=0)
    given = [name for name in (REFERENCE, INPUT) if name in scene.volumes]
    captions = _captions(comparison, truth)
    chunks = [names[i : i + RESULTS_PER_FIGURE] for i in range(0, len(names), RESULTS_PER_FIGURE)]
    return {
        "title": comparison.title,
        "has_input": INPUT in scene.volumes,
        "limit": f"{limit:.4g}",
        "limit_percent": f"{100 * limit / truth.data_range:.3g}",
        "slices": [
            _embedded(slices_figure(scene, given + chunk, captions, comparison.line, comparison.detail, centre), dpi)
            for chunk in chunks
        ],
        "differences": [
            _embedded(differences_figure(scene, chunk, differences, limit, truth.data_range, centre), dpi)
            for chunk in chunks
        ],
        "curves": _embedded(curves_figure(comparison.profiles, comparison.line, differences, scene.mask, limit), dpi),
        "detail": comparison.detail.name,
        "names": ", ".join(given + names),
        "edges": _edges(comparison),
    }


def _captions(comparison: Comparison, truth: Reference) -> dict[str, str]:
    """The line under each column's name: spacing for what is given, the masked numbers for results."""
    captions = {REFERENCE: f"{_spacing(truth.grid.spacing)} mm"}
    if comparison.input_spacing:
        captions[INPUT] = f"{_spacing(comparison.input_spacing)} mm, its own voxels"
    for name, entry in comparison.measured.items():
        captions[name] = f"{_shown(entry['psnr']['mask'], 2)} dB · SSIM {_shown(entry['ssim']['mask'], 4)} (mask)"
    return captions


def _edges(comparison: Comparison) -> list[tuple[str, str]]:
    """Name and edge width of reference and results."""
    widths = [(REFERENCE, comparison.reference_width)]
    widths += [(name, entry["edge_width_mm"]) for name, entry in comparison.measured.items()]
    return [(name, _shown(width, 2)) for name, width in widths]


def _table(comparison: Comparison) -> dict[str, Any]:
    """The numbers of a section as text, the best of each column marked."""
    columns = [(metric, where) for metric in METRICS for where in ("mask", "whole")]
    rows = [[entry[metric][where] for metric, where in columns] for entry in comparison.measured.values()]
    digits = {"psnr": 2, "ssim": 4, "nrmse": 4, "ncc": 4}
    best = [
        (max if metric in LARGER_IS_BETTER else min)(row[i] for row in rows) for i, (metric, _) in enumerate(columns)
    ]
    cells = [
        [
            # Equal to the shown digits is equally good.
            (text := _shown(v, digits.get(m)), len(rows) > 1 and text == _shown(b, digits.get(m)))
            for v, b, (m, _) in zip(row, best, columns, strict=True)
        ]
        for row in rows
    ]
    return {"title": comparison.title, "rows": list(zip(comparison.measured, cells, strict=True))}


def _embedded(fig: Figure, dpi: int) -> dict[str, Any]:
    """A figure as a PNG data URI with its width in CSS pixels."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"uri": f"data:image/png;base64,{code}", "width": round(fig.get_figwidth() * _CSS_PER_INCH)}


def _spacing(spacing: Sequence[float]) -> str:
    return " × ".join(f"{h:.3g}" for h in spacing)


def _shown(value: float | None, digits: int | None) -> str:
    """A number for people: fixed digits, or four significant ones."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"
