"""Figures of volumes: slices side by side in one window, a zoom, and signed difference maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib._optional import require
from MedSRLib.evaluation.profiles import Line
from MedSRLib.evaluation.views import REFERENCE, VIEWS, Scene, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

COLUMN = 2.6
"""Width of a picture, inches."""

_GAP, _LEFT, _TOP, _BOTTOM = 0.05, 0.32, 0.42, 0.72
_ZOOM_MM = (18.0, 56.0)
_MARK = "#F0E442"
# Dark blue, blue, light blue, white, light red, red, dark red: told apart by all common colour visions.
_DIVERGING = ("#053061", "#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2182b", "#67001f")


@dataclass(frozen=True)
class Box:
    """The zoomed part of a picture: its left, top, width and height in mm."""

    left: float
    top: float
    width: float
    height: float


def figure(width: float, height: float) -> Figure:
    """An empty figure in inches, of matplotlib's object interface: no global state, no display.

    Raises:
        MissingPackageError: without matplotlib.
    """
    figures = require("matplotlib.figure", "evaluation")
    backend = require("matplotlib.backends.backend_agg", "evaluation")
    fig = figures.Figure(figsize=(width, height), facecolor="white")
    backend.FigureCanvasAgg(fig)
    return fig


def diverging_map() -> Colormap:
    """Blue - white - red with pure white exactly in the middle."""
    colors = require("matplotlib.colors", "evaluation")
    return colors.LinearSegmentedColormap.from_list("medsr-difference", _DIVERGING, N=257)


def zoom_box(scene: Scene, detail: View, centre: np.ndarray) -> Box:
    """A square of a view around a physical point, kept inside the picture."""
    width, height = detail.size_mm(scene.grid)
    side = min(float(np.clip(0.3 * min(width, height), *_ZOOM_MM)), width, height)
    x, y = detail.place(scene.grid, centre)
    return Box(
        float(np.clip(x - side / 2, 0, width - side)),
        float(np.clip(y - side / 2, 0, height - side)),
        side,
        side,
    )


def slices_figure(
    scene: Scene,
    names: Sequence[str],
    captions: Mapping[str, str],
    line: Line,
    detail: View,
    centre: np.ndarray,
) -> Figure:
    """The three views of each volume and a zoom, one column a volume, all in the reference's window.

    Args:
        names: which volumes of the scene, in order of the columns.
        captions: a second line under a column's name.
        line: drawn on the reference.
        detail: the view that is zoomed and that holds the line.
        centre: physical point through which the views are cut.
    """
    low, high = scene.window()
    sheet = _Sheet(scene, len(names), detail)
    box = zoom_box(scene, detail, centre)
    for column, name in enumerate(names):
        sheet.head(column, name, captions.get(name, ""))
        for row, (view, zoomed) in enumerate(sheet.rows):
            axes = sheet.panel(row, column, box if zoomed else None, ground="black")
            picture = view.cut(scene.volumes[name], scene.slice_of(view, centre))
            _show(axes, picture, view, scene, cmap="gray", vmin=low, vmax=high, zoom=zoomed)
            sheet.dress(axes, row)
            if view is detail and not zoomed:
                _mark_box(axes, box)
            if view is detail and name == REFERENCE:
                _mark_line(axes, view, scene, line)
    return sheet.fig


def differences_figure(
    scene: Scene,
    names: Sequence[str],
    differences: Mapping[str, np.ndarray],
    limit: float,
    data_range: float,
    centre: np.ndarray,
) -> Figure:
    """Signed difference maps of each result, one column a result, in one symmetric scale with its legend.

    Args:
        differences: result - reference by name, (k, j, i), on the scene's grid.
        limit: the colours run from -limit to limit; zero is white.
        data_range: for the legend's second scale, in per cent of it.
    """
    cmap = diverging_map()
    sheet = _Sheet(scene, len(names), None, bottom=_BOTTOM)
    shown: Any = None
    for column, name in enumerate(names):
        sheet.head(column, name, "result − reference")
        for row, view in enumerate(VIEWS):
            axes = sheet.panel(row, column, None)
            picture = view.cut(differences[name], scene.slice_of(view, centre))
            shown = _show(axes, picture, view, scene, cmap=cmap, vmin=-limit, vmax=limit, zoom=False)
            sheet.dress(axes, row, dark=True)
    _legend(sheet, shown, limit, data_range)
    return sheet.fig


class _Sheet:
    """A table of pictures that all have the same number of mm an inch (the zoom apart)."""

    def __init__(self, scene: Scene, columns: int, detail: View | None, *, bottom: float = 0.0) -> None:
        self.scene = scene
        self.rows = [(v, zoomed) for v in VIEWS for zoomed in ((False, True) if v is detail else (False,))]
        self.narrowest = min(view.size_mm(scene.grid)[0] for view in VIEWS)
        self.mm = max(view.size_mm(scene.grid)[0] for view in VIEWS) / COLUMN
        heights = [COLUMN if zoomed else v.size_mm(scene.grid)[1] / self.mm for v, zoomed in self.rows]
        self.tops = [_TOP + sum(heights[:r]) + r * _GAP for r in range(len(heights))]
        self.width = _LEFT + columns * (COLUMN + _GAP)
        self.height = self.tops[-1] + heights[-1] + _GAP + bottom
        self.fig = figure(self.width, self.height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place in inches from the top left corner."""
        low = self.height - top - height
        return self.fig.add_axes((left / self.width, low / self.height, width / self.width, height / self.height))

    def head(self, column: int, name: str, caption: str) -> None:
        """Write a column's name and caption above it."""
        x = (_LEFT + column * (COLUMN + _GAP) + COLUMN / 2) / self.width
        self.fig.text(x, 1 - 0.17 / self.height, name, ha="center", va="center", size=10.5, weight="bold")
        self.fig.text(x, 1 - 0.33 / self.height, caption, ha="center", va="center", size=8, color="#333333")

    def panel(self, row: int, column: int, box: Box | None, ground: str = "") -> Axes:
        """The axes of a picture or of the zoomed box of it, in mm, on a ground of full column width."""
        left = _LEFT + column * (COLUMN + _GAP)
        view, zoomed = self.rows[row]
        if zoomed:
            width = height = COLUMN
        else:
            width, height = (mm / self.mm for mm in view.size_mm(self.scene.grid))
        if column == 0:
            label = f"{view.name}, zoomed" if zoomed else view.name
            y = 1 - (self.tops[row] + height / 2) / self.height
            self.fig.text(0.14 / self.width, y, label, rotation=90, ha="center", va="center", size=9)
        if ground:
            self.axes(left, self.tops[row], COLUMN, height).set(facecolor=ground, xticks=[], yticks=[])
        axes = self.axes(left + (COLUMN - width) / 2, self.tops[row], width, height)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        if box is not None:
            axes.set_xlim(box.left, box.left + box.width)
            axes.set_ylim(box.top + box.height, box.top)
        return axes

    def dress(self, axes: Axes, row: int, *, dark: bool = False) -> None:
        """Orientation letters at the four sides and a scale bar."""
        view, zoomed = self.rows[row]
        texts = view.letters(self.scene.grid)
        places = [(0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center")]
        places += [(0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom")]
        style: dict[str, Any] = {
            "size": 7.5,
            "color": "black" if dark else "white",
            "path_effects": _outline(dark),
        }
        for text, (x, y, ha, va) in zip(texts, places, strict=True):
            axes.text(x, y, text, ha=ha, va=va, transform=axes.transAxes, **style)
        left, right = sorted(axes.get_xlim())
        bottom, top = sorted(axes.get_ylim())[::-1]
        length = _round_length(0.3 * (right - left if zoomed else self.narrowest))
        x, y = left + 0.04 * (right - left), bottom - 0.05 * (bottom - top)
        (bar,) = axes.plot([x, x + length], [y, y], color=style["color"], linewidth=2, solid_capstyle="butt")
        bar.set_path_effects(_outline(dark, 3.6))
        axes.text(x, y - 0.02 * (bottom - top), f"{length:g} mm", ha="left", va="bottom", **style)


def _show(
    axes: Axes,
    picture: np.ndarray,
    view: View,
    scene: Scene,
    *,
    cmap: Any,
    vmin: float,
    vmax: float,
    zoom: bool,
) -> Any:
    width, height = view.size_mm(scene.grid)
    limits = (axes.get_xlim(), axes.get_ylim())
    shown = axes.imshow(
        picture, cmap=cmap, vmin=vmin, vmax=vmax, extent=(0, width, height, 0), aspect="auto",
        interpolation="nearest" if zoom else "auto", interpolation_stage="data",
    )  # fmt: skip
    if zoom:
        axes.set_xlim(limits[0])
        axes.set_ylim(limits[1])
    return shown


def _mark_box(axes: Axes, box: Box) -> None:
    x = [box.left, box.left + box.width, box.left + box.width, box.left, box.left]
    y = [box.top, box.top, box.top + box.height, box.top + box.height, box.top]
    axes.plot(x, y, color=_MARK, linewidth=0.9)


def _mark_line(axes: Axes, view: View, scene: Scene, line: Line) -> None:
    (x0, y0), (x1, y1) = (view.place(scene.grid, np.array(p)) for p in (line.start, line.end))
    axes.plot([x0, x1], [y0, y1], color="#56B4E9", linewidth=1.3, clip_on=True)


def _legend(sheet: _Sheet, shown: Any, limit: float, data_range: float) -> None:
    """A horizontal bar under the maps: intensity units below it, per cent of the data range above it."""
    width = min(sheet.width - _LEFT - 0.3, 5.5)
    left = _LEFT + (sheet.width - _LEFT - width) / 2
    axes = sheet.axes(left, sheet.height - 0.44, width, 0.12)
    bar = sheet.fig.colorbar(shown, cax=axes, orientation="horizontal")
    ticks = [-limit, -limit / 2, 0.0, limit / 2, limit]
    bar.set_ticks(ticks, labels=[f"{t:+.4g}" if t else "0" for t in ticks])
    axes.tick_params(labelsize=7.5, pad=1.5)
    axes.set_xlabel("too dark  ←  intensity units  →  too bright", size=7.5, labelpad=1)
    above = axes.secondary_xaxis("top")
    above.set_xticks(ticks, labels=[f"{100 * t / data_range:+.3g} %" if t else "0" for t in ticks])
    above.tick_params(labelsize=7.5, pad=1)


def _round_length(target: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above ``target``, in mm."""
    power = 10.0 ** np.floor(np.log10(target))
    return float(max(m * power for m in (1, 2, 5) if m * power <= target * (1 + 1e-9)))


def _outline(dark: bool, width: float = 1.6) -> list[Any]:
    effects = require("matplotlib.patheffects", "evaluation")
    return [effects.withStroke(linewidth=width, foreground="white" if dark else "black")]
