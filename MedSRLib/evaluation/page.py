"""From measurements and scenes to one HTML page with everything inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from MedSRLib.evaluation.agreement import bland_altman
from MedSRLib.evaluation.charts import histograms_figure, profile_figure
from MedSRLib.evaluation.curve_charts import ROWS, SliceCurves, agreement_figure, slices_figure
from MedSRLib.evaluation.differences import signed, symmetric_limit
from MedSRLib.evaluation.html import as_data, rendered
from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.evaluation.pictures import Focus, detail_figure, differences_figure, views_figure
from MedSRLib.evaluation.profiles import Profile
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.tables import heading, shown, tables
from MedSRLib.evaluation.views import INPUT, REFERENCE, Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS_PER_FIGURE = 4
_SECOND_BOX = (
    "Box 2 lies where the result differs most from the reference.",
    "Box 2 lies where the results differ most from one another.",
)
"""For one result, and for more."""
_CHECKSUM = 12
"""Digits shown of a checksum; metrics.json has all."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One section, measured.

    Attributes:
        title: of the section.
        measured: numbers by region by measure, their slices, edge width and provenance, by name of the result.
        scene: reference, input and results on one canonical grid.
        focus: where it is looked at.
        profiles: by name.
        reference_width: 10-90 % width of the marked edge in the reference, mm; None if it has no edge.
        input_spacing: of the input, mm; None without one.
    """

    title: str
    measured: Mapping[str, dict[str, Any]]
    scene: Scene
    focus: Focus
    profiles: Mapping[str, Profile]
    reference_width: float | None
    input_spacing: tuple[float, float, float] | None


def page(
    content: Mapping[str, Any],
    truth: Reference,
    comparisons: Sequence[Comparison],
    names: Sequence[str],
    title: str,
    introduction: str,
    dpi: int,
) -> str:
    """The whole report as HTML.

    Args:
        content: what metrics.json holds.
        names: of the measures.
        dpi: of the pictures.
    """
    low, high = comparisons[0].scene.window()
    reference = content["reference"]
    return rendered(
        "report.html.j2",
        title=title,
        introduction=introduction,
        content=content,
        # The page says it once, at its top.
        record={k: v for k, v in content["record"].items() if "research use" not in str(v).lower()},
        origins={name: told(entry["provenance"]) for name, entry in content["results"].items()},
        grid=truth.grid,
        window=f"{low:.4g} to {high:.4g}",
        sections=[_section(truth, comparison, names, reference, dpi) for comparison in comparisons],
        tables=[table for c in comparisons for table in tables(c.title, names, c.measured, reference)],
        measures=[(heading(MEASURES[name]), MEASURES[name].description) for name in names],
        without_reference=[MEASURES[name].title for name in names if not MEASURES[name].needs_reference],
    )


def _section(
    truth: Reference, comparison: Comparison, measures: Sequence[str], reference: Mapping[str, Any], dpi: int
) -> dict[str, Any]:
    """Title and figures (data URIs with their descriptions) of a section."""
    scene, focus, names = comparison.scene, comparison.focus, list(comparison.measured)
    differences = {name: signed(scene.volumes[REFERENCE], scene.volumes[name]) for name in names}
    limit = symmetric_limit(differences.values(), scene.mask)
    given = [name for name in (REFERENCE, INPUT) if name in scene.volumes]
    captions = _captions(comparison, truth, measures)
    chunks = [names[i : i + RESULTS_PER_FIGURE] for i in range(0, len(names), RESULTS_PER_FIGURE)]
    pairs = {name: bland_altman(scene.volumes[REFERENCE], differences[name], scene.mask) for name in names}
    curves = _curves(comparison, measures, reference)

    def embedded(*figures: Figure) -> list[dict[str, Any]]:
        return [as_data(figure, dpi) for figure in figures]

    return {
        "title": comparison.title,
        "has_input": INPUT in scene.volumes,
        "second_box": _SECOND_BOX[len(names) > 1] if len(focus.boxes) > 1 else "",
        "limit": f"{limit:.4g}",
        "limit_percent": f"{100 * limit / truth.data_range:.3g}",
        "details": embedded(*(detail_figure(scene, given + chunk, captions, focus) for chunk in chunks)),
        "views": embedded(*(views_figure(scene, given + chunk, captions, focus) for chunk in chunks)),
        "differences": embedded(
            *(differences_figure(scene, chunk, differences, limit, truth.data_range, focus.centre) for chunk in chunks)
        ),
        "profile": as_data(profile_figure(comparison.profiles, focus.line), dpi),
        "histograms": as_data(histograms_figure(differences, scene.mask, limit, truth.data_range), dpi),
        "curves": embedded(*(slices_figure(curves[i : i + ROWS], truth.grid) for i in range(0, len(curves), ROWS))),
        "agreement": as_data(agreement_figure(pairs), dpi),
        "detail": focus.detail.name,
        "names": ", ".join(given + names),
        "edges": _edges(comparison),
    }


def _curves(comparison: Comparison, measures: Sequence[str], reference: Mapping[str, Any]) -> list[SliceCurves]:
    """PSNR, then every measure of slices that was asked for; MAE would say once more what PSNR says."""
    found = []
    for name in ("psnr", *(m for m in measures if m not in ("psnr", "mae"))):
        by_result = {r: e["slices"][name] for r, e in comparison.measured.items() if name in e["slices"]}
        if by_result:
            own = {REFERENCE: reference["slices"][name]} if name in reference["slices"] else {}
            found.append(SliceCurves(heading(MEASURES[name]), own | by_result))
    return found


def told(provenance: Mapping[str, Any]) -> str:
    """How a result was made, for people: what says something, once, checksums shortened."""
    flat: dict[str, Any] = {}
    for key, value in provenance.items():
        inner = value if isinstance(value, Mapping) else {key: value}
        flat |= {k: v for k, v in inner.items() if k not in flat and str(v) not in ("", "None", "False", "{}", "[]")}
    texts = {k: str(v) for k, v in flat.items() if "research use" not in str(v).lower()}
    return "; ".join(f"{k}: {v[:_CHECKSUM] + '…' if k.endswith('sha256') else v}" for k, v in texts.items())


def _captions(comparison: Comparison, truth: Reference, measures: Sequence[str]) -> dict[str, str]:
    """The line under each column's name: spacing for what is given, the first two numbers for results."""
    captions = {REFERENCE: f"{spacing_text(truth.grid.spacing)} mm"}
    if comparison.input_spacing:
        captions[INPUT] = f"{spacing_text(comparison.input_spacing)} mm, its own voxels"
    for name, entry in comparison.measured.items():
        captions[name] = " · ".join(_short(entry, measure) for measure in measures[:2])
    return captions


def _short(entry: Mapping[str, Any], name: str) -> str:
    measure = MEASURES[name]
    region = measure.regions[0]
    unit = f" {measure.unit}" if measure.unit else ""
    where = "" if region == "mask" else f" ({region})"
    return f"{measure.title} {shown(entry[name][region], measure.digits)}{unit}{where}"


def _edges(comparison: Comparison) -> list[tuple[str, str]]:
    """Name and edge width of reference and results."""
    widths = [(REFERENCE, comparison.reference_width)]
    widths += [(name, entry["edge_width_mm"]) for name, entry in comparison.measured.items()]
    return [(name, shown(width, 2)) for name, width in widths]


def spacing_text(spacing: Sequence[float]) -> str:
    """Millimetres along x, y, z: 0.72 × 0.72 × 3."""
    return " × ".join(f"{h:.3g}" for h in spacing)
