"""Pictures and page of a report without a reference: the scan by its own voxels, the results, and their maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSRLib import images
from MedSRLib.evaluation import resampling
from MedSRLib.evaluation.charts import profile_figure
from MedSRLib.evaluation.differences import symmetric_limit
from MedSRLib.evaluation.html import as_data, rendered
from MedSRLib.evaluation.map_pictures import maps_figure
from MedSRLib.evaluation.page import RESULTS_PER_FIGURE, spacing_text, told
from MedSRLib.evaluation.pictures import Focus, detail_figure, views_figure
from MedSRLib.evaluation.profiles import Profile, edge_widths, sample, steepest_line
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.scan import Scan
from MedSRLib.evaluation.tables import shown
from MedSRLib.evaluation.views import INPUT, Scene, detail_view, scene
from MedSRLib.grids import Grid

BASELINE = "Input, interpolated"
"""The scan by cubic B-splines on the results' grid: what can be had without a guess."""

_EDGE_BLUR_MM = 3.0
_EDGE_REACH_MM = 3.0
_MAPS_PER_FIGURE = 5
_LEAST = 1e-5
"""Smaller residuals are those of arithmetic."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One result, measured.

    Attributes:
        name: of the result.
        entry: what metrics.json holds of it.
        array: float32 (k, j, i) on the frame.
        residual: how far it contradicts the scan, (k, j, i) on the frame; None if that cannot be had.
        spread: its uncertainty, (k, j, i) on the frame; None if none was given.
        frame: the grid on which all is shown, that of the first result.
    """

    name: str
    entry: Mapping[str, Any]
    array: np.ndarray
    residual: np.ndarray | None
    spread: np.ndarray | None
    frame: Grid


@dataclass(frozen=True, eq=False)
class Pictured:
    """What the pictures show.

    Attributes:
        scene: scan (by its voxels), interpolated scan and results on one canonical grid.
        maps: "residual" and "spread", each (k, j, i) on the scene's grid by name of the result.
        focus: where it is looked at.
        profiles: by name.
        widths: 10-90 % width in mm of the marked edge, by name; None where there is no edge.
    """

    scene: Scene
    maps: Mapping[str, Mapping[str, np.ndarray]]
    focus: Focus
    profiles: Mapping[str, Profile]
    widths: Mapping[str, float | None]


def pictured(scan: Scan, judged: Sequence[Judged]) -> Pictured:
    """Everything on one canonical grid, and the edge that is looked at: the steepest of the interpolated scan."""
    frame = judged[0].frame
    voxels = images.to_array(resampling.onto(frame, scan.image, nearest=True))
    mask = images.from_array(scan.mask.astype(np.float32), scan.grid)
    inside = images.to_array(resampling.onto(frame, mask, nearest=True)) > 0
    stand_in = Reference(frame, voxels, inside if inside.any() else np.ones_like(inside), scan.mask_origin)
    view = scene(stand_in, {one.name: one.array for one in judged}, base=INPUT)
    maps = {
        kind: scene(
            stand_in, {one.name: found for one in judged if (found := getattr(one, kind)) is not None}, base=INPUT
        ).volumes
        for kind in ("residual", "spread")
    }
    detail, axes = detail_view(view.grid, scan.grid)
    line = steepest_line(view.volumes[BASELINE], view.mask, view.grid, axes)
    profiles = {
        name: sample(array, view.grid, line, order=0 if name == INPUT else 3) for name, array in view.volumes.items()
    }
    coarsest = max(*scan.grid.spacing, *frame.spacing)
    widths = edge_widths(
        {name: profile for name, profile in profiles.items() if name != INPUT},
        BASELINE,
        reach=max(_EDGE_REACH_MM, coarsest),
        blur=max(_EDGE_BLUR_MM, coarsest),
    )
    kept = {kind: {name: found[name] for name in found if name != INPUT} for kind, found in maps.items()}
    return Pictured(view, kept, Focus.of(view, detail, line), profiles, widths)


def page(content: Mapping[str, Any], scan: Scan, judged: Sequence[Judged], view: Pictured, dpi: int) -> str:
    """The whole report as HTML.

    Args:
        content: what metrics.json holds.
        dpi: of the pictures.
    """
    low, high = view.scene.window()
    return rendered(
        "unreferenced.html.j2",
        content=content,
        record={k: v for k, v in content["record"].items() if "research use" not in str(v).lower()},
        grid=scan.grid,
        noise=f"{shown(scan.noise, None)} intensity units" if scan.noise > 0 else "none found",
        origins={name: told(entry["provenance"]) for name, entry in content["results"].items()},
        window=f"{low:.4g} to {high:.4g}",
        detail=view.focus.detail.name,
        boxes=len(view.focus.boxes),
        **_slices(content, scan, view, dpi),
        residuals=_maps(view, "residual", scan, _residual_captions(content), dpi),
        spreads=_maps(view, "spread", scan, _spread_captions(content), dpi),
        curve=as_data(profile_figure(view.profiles, view.focus.line), dpi),
        rows=[_row(one.name, content["results"][one.name]) for one in judged],
        with_uncertainty=bool(view.maps["spread"]),
    )


def _slices(content: Mapping[str, Any], scan: Scan, view: Pictured, dpi: int) -> dict[str, list[dict[str, Any]]]:
    names = [name for name in view.scene.volumes if name not in (INPUT, BASELINE)]
    captions = {INPUT: f"{spacing_text(scan.grid.spacing)} mm, its own voxels", BASELINE: "cubic B-spline, no guess"}
    captions |= {name: _method(content["results"][name]["provenance"]) for name in names}
    chunks = [names[i : i + RESULTS_PER_FIGURE] for i in range(0, len(names), RESULTS_PER_FIGURE)]
    return {
        kind: [as_data(figure(view.scene, [INPUT, BASELINE, *chunk], captions, view.focus), dpi) for chunk in chunks]
        for kind, figure in (("details", detail_figure), ("views", views_figure))
    }


def _maps(view: Pictured, kind: str, scan: Scan, captions: Mapping[str, str], dpi: int) -> list[dict[str, Any]]:
    """Figures of the maps of one kind, all in one scale; none without maps."""
    maps = view.maps[kind]
    if not maps:
        return []
    known = [np.nan_to_num(found) for found in maps.values()]
    limit, (low, high) = symmetric_limit(known, view.scene.mask), scan.span
    names = list(maps)
    chunks = [names[i : i + _MAPS_PER_FIGURE] for i in range(0, len(names), _MAPS_PER_FIGURE)]
    return [
        as_data(maps_figure(view.scene, chunk, maps, limit, high - low, view.focus.centre, captions), dpi)
        for chunk in chunks
    ]


def _method(made_by: Mapping[str, Any]) -> str:
    parts = [str(made_by[key]) for key in ("method", "model") if made_by.get(key)]
    return " · ".join(parts) or "origin not recorded"


def _residual_captions(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"residual {_percent(entry['consistency']['relative']['mask'])} of the range (mask)"
        for name, entry in content["results"].items()
        if entry["consistency"] is not None
    }


def _spread_captions(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"mean {_percent(entry['uncertainty']['relative_mean'])} of the range (mask)"
        for name, entry in content["results"].items()
        if entry["uncertainty"] is not None
    }


def _row(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a result in the table of numbers."""
    found, spread = entry["consistency"], entry["uncertainty"]
    seen = ["–"] * 3
    if found is not None:
        seen = [_percent(found["relative"][where]) for where in ("mask", "whole")]
        seen.append(shown(found["over_noise"]["mask"], 2))
    rest = [(entry["psi"], 4), (entry["lpc_si"], 4), (entry["noise"], None), (entry["edge_width_mm"], 2)]
    cells = seen + [shown(value, digits) for value, digits in rest]
    spreads = ["–", "–"] if spread is None else [shown(spread[key], None) for key in ("mean", "p95")]
    return {"name": name, "cells": cells, "spreads": spreads}


def _percent(value: float | None) -> str:
    if value is None or not np.isfinite(value):
        return "–"
    return f"{100 * value:.3g} %" if value >= _LEAST else f"< {100 * _LEAST:g} %"
