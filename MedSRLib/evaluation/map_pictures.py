"""Figures of maps that have no sign: one column a map, all in one scale with its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.evaluation.sheet import LEFT, Row, Sheet, show
from MedSRLib.evaluation.views import VIEWS, Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = "viridis"
"""Even in lightness and told apart by all common colour visions."""

_BOTTOM = 0.62


def maps_figure(
    scene: Scene,
    names: Sequence[str],
    maps: Mapping[str, np.ndarray],
    limit: float,
    span: float,
    centre: np.ndarray,
    captions: Mapping[str, str],
) -> Figure:
    """The three views of each map.

    Args:
        scene: whose grid the maps lie on.
        names: which maps, in order of the columns.
        maps: not negative, (k, j, i), by name; NaN is left white.
        limit: the colours run from 0 to limit.
        span: the range of the intensities, for the legend's second scale.
        centre: physical point through which the views are cut.
        captions: a second line under a column's name.
    """
    sheet = Sheet(scene, len(names), [Row(view, None, view.name) for view in VIEWS], bottom=_BOTTOM)
    shown: Any = None
    for column, name in enumerate(names):
        sheet.head(column, name, captions.get(name, ""))
        for row, view in enumerate(VIEWS):
            axes = sheet.panel(row, column)
            picture = view.cut(maps[name], scene.slice_of(view, centre))
            shown = show(axes, picture, view, scene, cmap=_COLOURS, vmin=0.0, vmax=limit, zoom=False)
            sheet.dress(axes, row)
    _legend(sheet, shown, limit, span)
    return sheet.fig


def _legend(sheet: Sheet, shown: Any, limit: float, span: float) -> None:
    """A horizontal bar under the maps: intensity units below it, per cent of the range above it."""
    width = min(sheet.width - LEFT - 0.3, 5.0)
    axes = sheet.axes(LEFT + (sheet.width - LEFT - width) / 2, sheet.height - 0.40, width, 0.11)
    bar = sheet.fig.colorbar(shown, cax=axes, orientation="horizontal", extend="max", extendfrac=0.02)
    ticks = [limit * part / 4 for part in range(5)]
    bar.set_ticks(ticks, labels=[f"{t:.4g}" for t in ticks])
    axes.tick_params(labelsize=7.5, pad=1.5)
    axes.set_xlabel("intensity units (above: of the range)", size=7.5, labelpad=1)
    above = axes.secondary_xaxis("top")
    above.set_xticks(ticks, labels=[f"{100 * t / span:.3g} %" if t else "0" for t in ticks])
    above.tick_params(labelsize=7.5, pad=1)
