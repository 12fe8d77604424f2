"""The charts under the views: what is plotted, over what, from the measures of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from MedSRComparePanel.entries import Shown

NONE, PROFILE, SLICES_MAE, SLICES_PSNR, HISTOGRAM, BLAND_ALTMAN = (
    "none",
    "profile",
    "slices_mae",
    "slices_psnr",
    "histogram",
    "bland_altman",
)
AXES = ("i", "j", "k")


@dataclass(frozen=True)
class Chart:
    """What `MedSRScene.plots.Plot` draws: columns by title over x.

    Attributes:
        kind: "line" or "scatter".
        x: for all columns, or for each by its title.
    """

    kind: str
    columns: dict[str, np.ndarray]
    x: np.ndarray | dict[str, np.ndarray]
    title: str
    xTitle: str
    yTitle: str
    colors: list[str] = field(default_factory=list)


def titles() -> dict[str, str]:
    """What can be plotted, by its name in the parameter node."""
    return {
        NONE: _("Nothing"),
        PROFILE: _("Profile along the line"),
        SLICES_MAE: _("Mean absolute difference per slice"),
        SLICES_PSNR: _("PSNR per slice"),
        HISTOGRAM: _("Histogram of the differences"),
        BLAND_ALTMAN: _("Bland–Altman"),
    }


def of_profile(profiles: Any, shown: Sequence[Shown]) -> Chart:
    """Intensity over mm."""
    kept = [each for each in shown if each.node.GetID() in profiles.values]
    return Chart(
        "line",
        {each.title: profiles.values[each.node.GetID()] for each in kept},
        profiles.positions_mm,
        "",
        _("Position (mm)"),
        _("Intensity"),
        [each.color for each in kept],
    )


def of_measures(name: str, measures: Mapping[str, Any], shown: Sequence[Shown], axis: str = "k") -> Chart | None:
    """The chart of this name from the measures; None where they do not hold it.

    Args:
        measures: as `CompareRun.measures`; its keys are the IDs of the volumes themselves.
        axis: of the reference's grid, along which slices are counted.
    """
    if name in (SLICES_MAE, SLICES_PSNR):
        return _slices(name.removeprefix("slices_"), measures.get("slices") or {}, shown, axis)
    if name == HISTOGRAM:
        return _histogram(measures.get("histogram") or {}, shown)
    if name == BLAND_ALTMAN:
        return _blandAltman(measures.get("bland_altman") or {}, shown)
    return None


def agreement(measures: Mapping[str, Any], shown: Sequence[Shown]) -> str:
    """Bias and limits of agreement of each volume, in words."""
    found = measures.get("bland_altman") or {}
    lines = []
    for each in shown:
        part = found.get(each.source.GetID())
        if part and part.get("bias") is not None:
            lines.append(
                _("{title}: bias {bias}, 95 % of the differences between {low} and {high}").format(
                    title=each.title, bias=f"{part['bias']:.3g}", low=f"{part['low']:.3g}", high=f"{part['high']:.3g}"
                )
            )
    return "\n".join(lines)


def _slices(metric: str, slices: Mapping[str, Any], shown: Sequence[Shown], axis: str) -> Chart | None:
    part = slices.get(axis) or {}
    curves = _of(part.get(metric) or {}, shown)
    if not curves:
        return None
    label = _("PSNR (dB)") if metric == "psnr" else _("Mean absolute difference")
    first = next(iter(curves.values()))
    position = part.get("position_mm")
    x = np.arange(len(first), dtype=float) if position is None else _numbers(position)
    unit = _("Slice along {axis}") if position is None else _("Position along {axis} (mm)")
    return Chart("line", curves, x, "", unit.format(axis=axis), label, _colors(curves, shown))


def _histogram(histogram: Mapping[str, Any], shown: Sequence[Shown]) -> Chart | None:
    curves = _of(histogram.get("counts") or {}, shown)
    if not curves:
        return None
    edges = _numbers(histogram["edges"])
    x = (edges[1:] + edges[:-1]) / 2
    return Chart("line", curves, x, "", _("Difference to the reference"), _("Voxels"), _colors(curves, shown))


def _blandAltman(found: Mapping[str, Any], shown: Sequence[Shown]) -> Chart | None:
    parts = {each.title: found[each.source.GetID()] for each in shown if found.get(each.source.GetID())}
    if not parts:
        return None
    return Chart(
        "scatter",
        {title: _numbers(part["difference"]) for title, part in parts.items()},
        {title: _numbers(part["mean"]) for title, part in parts.items()},
        "",
        _("Mean of volume and reference"),
        _("Volume − reference"),
        _colors(parts, shown),
    )


def _of(values: Mapping[str, Any], shown: Sequence[Shown]) -> dict[str, np.ndarray]:
    known = {each.title: values.get(each.source.GetID()) for each in shown}
    return {title: _numbers(value) for title, value in known.items() if value is not None}


def _numbers(values: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _colors(curves: Mapping[str, Any], shown: Sequence[Shown]) -> list[str]:
    return [each.color for each in shown if each.title in curves]
