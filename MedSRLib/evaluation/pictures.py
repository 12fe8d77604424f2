"""Figures of volumes: slices side by side in one window, zoomed places, and signed difference maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib._optional import require
from MedSRLib.evaluation.profiles import Line
from MedSRLib.evaluation.sheet import LEFT, Box, Row, Sheet, outline, show
from MedSRLib.evaluation.views import INPUT, REFERENCE, VIEWS, Scene, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_BOTTOM = 0.72
_ZOOM_MM = (18.0, 56.0)
_MARKS = ("#F0E442", "#E69F00")
_LINE = "#56B4E9"
# Dark blue, blue, light blue, white, light red, red, dark red: told apart by all common colour visions.
_DIVERGING = ("#053061", "#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2182b", "#67001f")


def diverging_map() -> Colormap:
    """Blue - white - red with pure white exactly in the middle."""
    colors = require("matplotlib.colors", "evaluation")
    return colors.LinearSegmentedColormap.from_list("medsr-difference", _DIVERGING, N=257)


@dataclass(frozen=True, eq=False)
class Focus:
    """Where a scene is looked at.

    Attributes:
        detail: the view that is zoomed and that holds the line.
        line: of the profile, drawn on the base of the scene.
        boxes: the zoomed parts of the detail: the line's, and where the results differ most, if there is room.
    """

    detail: View
    line: Line
    boxes: tuple[Box, ...]

    @property
    def centre(self) -> np.ndarray:
        """The physical point through which all views are cut."""
        return np.mean([self.line.start, self.line.end], axis=0)

    @classmethod
    def of(cls, scene: Scene, detail: View, line: Line) -> Focus:
        """With the boxes found."""
        first = zoom_box(scene, detail, np.mean([line.start, line.end], axis=0))
        second = _most_different(scene, detail, cls(detail, line, ()).centre, first)
        return cls(detail, line, (first,) if second is None else (first, second))


def zoom_box(scene: Scene, detail: View, centre: np.ndarray) -> Box:
    """A square of a view around a physical point, kept inside the picture."""
    width, height = detail.size_mm(scene.grid)
    side = min(float(np.clip(0.3 * min(width, height), *_ZOOM_MM)), width, height)
    x, y = detail.place(scene.grid, centre)
    return _kept_inside(x - side / 2, y - side / 2, side, (width, height))


def _kept_inside(left: float, top: float, side: float, size: tuple[float, float]) -> Box:
    width, height = size
    return Box(float(np.clip(left, 0, width - side)), float(np.clip(top, 0, height - side)), side, side)


def _most_different(scene: Scene, detail: View, centre: np.ndarray, first: Box) -> Box | None:
    """The box of the same picture, beside the first, in which the results differ most; None if there is none.

    From one another; a single result from the base of the scene.
    """
    from scipy.ndimage import uniform_filter

    cut = scene.slice_of(detail, centre)
    results = [detail.cut(a, cut) for name, a in scene.volumes.items() if name not in (REFERENCE, INPUT)]
    compared = results if len(results) > 1 else [*results, detail.cut(scene.volumes[scene.base], cut)]
    spread = np.var(np.stack(compared).astype(np.float64), axis=0) * detail.cut(scene.mask, cut)
    width, height = detail.size_mm(scene.grid)
    step = (height / spread.shape[0], width / spread.shape[1])
    density = uniform_filter(spread, [max(1, round(first.width / h)) for h in step], mode="constant")
    y, x = (
        (np.arange(n) + 0.5) * h - corner
        for n, h, corner in zip(spread.shape, step, (first.top, first.left), strict=True)
    )
    # Where the centre of a box may lie so that it is inside the picture and does not touch the first.
    half, side = first.width / 2, first.width
    apart = (np.abs(y - half)[:, None] >= side) | (np.abs(x - half)[None, :] >= side)
    inside = _within(y + first.top, half, height)[:, None] & _within(x + first.left, half, width)[None, :]
    density = np.where(apart & inside, density, 0)
    if density.max() <= 1e-9 * max(float(spread.max()), 1e-300):
        return None
    row, column = np.unravel_index(int(density.argmax()), density.shape)
    left, top = (column + 0.5) * step[1] - half, (row + 0.5) * step[0] - half
    return _kept_inside(float(left), float(top), side, (width, height))


def _within(positions: np.ndarray, margin: float, length: float) -> np.ndarray:
    return np.asarray((positions >= margin) & (positions <= length - margin))


def detail_figure(scene: Scene, names: Sequence[str], captions: Mapping[str, str], focus: Focus) -> Figure:
    """The detail view of each volume and its zoomed boxes, one column a volume, all in one window.

    Args:
        names: which volumes of the scene, in order of the columns.
        captions: a second line under a column's name.
    """
    name = focus.detail.name
    rows = [Row(focus.detail, None, name)]
    rows += [Row(focus.detail, box, f"{name}, box {n}") for n, box in enumerate(focus.boxes, 1)]
    return _slices(scene, names, captions, focus, rows)


def views_figure(scene: Scene, names: Sequence[str], captions: Mapping[str, str], focus: Focus) -> Figure:
    """As `detail_figure`, the two other views through the same point."""
    rows = [Row(view, None, view.name) for view in VIEWS if view is not focus.detail]
    return _slices(scene, names, captions, focus, rows)


def _slices(
    scene: Scene, names: Sequence[str], captions: Mapping[str, str], focus: Focus, rows: Sequence[Row]
) -> Figure:
    low, high = scene.window()
    sheet = Sheet(scene, len(names), rows)
    for column, name in enumerate(names):
        sheet.head(column, name, captions.get(name, ""))
        for number, row in enumerate(rows):
            axes = sheet.panel(number, column, ground="black")
            picture = row.view.cut(scene.volumes[name], scene.slice_of(row.view, focus.centre))
            zoom = row.box is not None
            show(axes, picture, row.view, scene, cmap="gray", vmin=low, vmax=high, zoom=zoom)
            sheet.dress(axes, number)
            if row.view is focus.detail and not zoom:
                for n, (box, colour) in enumerate(zip(focus.boxes, _MARKS, strict=False), 1):
                    _mark_box(axes, box, colour, str(n))
            if row.view is focus.detail and name == scene.base:
                _mark_line(axes, row.view, scene, focus.line)
            if zoom:
                _frame(axes, _MARKS[number - 1])
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
    sheet = Sheet(scene, len(names), [Row(view, None, view.name) for view in VIEWS], bottom=_BOTTOM)
    shown: Any = None
    for column, name in enumerate(names):
        sheet.head(column, name, "result − reference")
        for row, view in enumerate(VIEWS):
            axes = sheet.panel(row, column)
            picture = view.cut(differences[name], scene.slice_of(view, centre))
            shown = show(axes, picture, view, scene, cmap=cmap, vmin=-limit, vmax=limit, zoom=False)
            sheet.dress(axes, row, dark=True)
    _legend(sheet, shown, limit, data_range)
    return sheet.fig


def _mark_box(axes: Axes, box: Box, colour: str, number: str) -> None:
    x = [box.left, box.left + box.width, box.left + box.width, box.left, box.left]
    y = [box.top, box.top, box.top + box.height, box.top + box.height, box.top]
    axes.plot(x, y, color=colour, linewidth=1.1)
    style: dict[str, Any] = {"size": 8, "color": colour, "weight": "bold", "path_effects": outline(dark=False)}
    axes.text(box.left, box.top, number, ha="left", va="bottom", **style)


def _frame(axes: Axes, colour: str) -> None:
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=colour, linewidth=1.6)


def _mark_line(axes: Axes, view: View, scene: Scene, line: Line) -> None:
    (x0, y0), (x1, y1) = (view.place(scene.grid, np.array(p)) for p in (line.start, line.end))
    axes.plot([x0, x1], [y0, y1], color=_LINE, linewidth=1.3, clip_on=True)


def _legend(sheet: Sheet, shown: Any, limit: float, data_range: float) -> None:
    """A horizontal bar under the maps: intensity units below it, per cent of the data range above it."""
    width = min(sheet.width - LEFT - 0.3, 5.5)
    left = LEFT + (sheet.width - LEFT - width) / 2
    axes = sheet.axes(left, sheet.height - 0.44, width, 0.12)
    bar = sheet.fig.colorbar(shown, cax=axes, orientation="horizontal")
    ticks = [-limit, -limit / 2, 0.0, limit / 2, limit]
    bar.set_ticks(ticks, labels=[f"{t:+.4g}" if t else "0" for t in ticks])
    axes.tick_params(labelsize=7.5, pad=1.5)
    axes.set_xlabel("too dark  ←  intensity units  →  too bright", size=7.5, labelpad=1)
    above = axes.secondary_xaxis("top")
    above.set_xticks(ticks, labels=[f"{100 * t / data_range:+.3g} %" if t else "0" for t in ticks])
    above.tick_params(labelsize=7.5, pad=1)
