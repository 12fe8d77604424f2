"""A table of pictures that all have the same number of mm an inch, zoomed rows apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib._optional import require
from MedSRLib.evaluation.views import Scene, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN = 2.6
"""Width of a picture, inches."""

GAP, LEFT = 0.05, 0.32
_TOP = 0.42


@dataclass(frozen=True)
class Box:
    """A part of a picture: its left, top, width and height in mm."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Row:
    """A row of pictures: what is looked at, the part of it that is shown (None: all), and its name at the left."""

    view: View
    box: Box | None
    label: str


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


class Sheet:
    """A figure with one column a volume and one row a view."""

    def __init__(self, scene: Scene, columns: int, rows: Sequence[Row], *, bottom: float = 0.0) -> None:
        self.scene = scene
        self.rows = list(rows)
        whole = [row.view.size_mm(scene.grid) for row in rows if row.box is None] or [(1.0, 1.0)]
        self.narrowest = min(width for width, _ in whole)
        self.mm = max(width for width, _ in whole) / COLUMN
        heights = [COLUMN if row.box else row.view.size_mm(scene.grid)[1] / self.mm for row in rows]
        self.tops = [_TOP + sum(heights[:r]) + r * GAP for r in range(len(heights))]
        self.width = LEFT + columns * (COLUMN + GAP)
        self.height = self.tops[-1] + heights[-1] + GAP + bottom
        self.fig = figure(self.width, self.height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place in inches from the top left corner."""
        low = self.height - top - height
        return self.fig.add_axes((left / self.width, low / self.height, width / self.width, height / self.height))

    def head(self, column: int, name: str, caption: str) -> None:
        """Write a column's name and caption above it."""
        x = (LEFT + column * (COLUMN + GAP) + COLUMN / 2) / self.width
        self.fig.text(x, 1 - 0.17 / self.height, name, ha="center", va="center", size=10.5, weight="bold")
        self.fig.text(x, 1 - 0.33 / self.height, caption, ha="center", va="center", size=8, color="#333333")

    def panel(self, row: int, column: int, ground: str = "") -> Axes:
        """The axes of a picture or of the box of it, in mm, on a ground of full column width."""
        left = LEFT + column * (COLUMN + GAP)
        view, box = self.rows[row].view, self.rows[row].box
        if box is not None:
            width = height = COLUMN
        else:
            width, height = (mm / self.mm for mm in view.size_mm(self.scene.grid))
        if column == 0:
            y = 1 - (self.tops[row] + height / 2) / self.height
            self.fig.text(0.14 / self.width, y, self.rows[row].label, rotation=90, ha="center", va="center", size=9)
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
        view, zoomed = self.rows[row].view, self.rows[row].box is not None
        texts = view.letters(self.scene.grid)
        places = [(0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center")]
        places += [(0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom")]
        style: dict[str, Any] = {
            "size": 7.5,
            "color": "black" if dark else "white",
            "path_effects": outline(dark),
        }
        for text, (x, y, ha, va) in zip(texts, places, strict=True):
            axes.text(x, y, text, ha=ha, va=va, transform=axes.transAxes, **style)
        left, right = sorted(axes.get_xlim())
        bottom, top = sorted(axes.get_ylim())[::-1]
        length = _round_length(0.3 * (right - left if zoomed else self.narrowest))
        x, y = left + 0.04 * (right - left), bottom - 0.05 * (bottom - top)
        (bar,) = axes.plot([x, x + length], [y, y], color=style["color"], linewidth=2, solid_capstyle="butt")
        bar.set_path_effects(outline(dark, 3.6))
        axes.text(x, y - 0.02 * (bottom - top), f"{length:g} mm", ha="left", va="bottom", **style)


def show(
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
    """A picture of a view in axes of `Sheet.panel`; a zoomed one shows its voxels as they are."""
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


def _round_length(target: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above ``target``, in mm."""
    power = 10.0 ** np.floor(np.log10(target))
    return float(max(m * power for m in (1, 2, 5) if m * power <= target * (1 + 1e-9)))


def outline(dark: bool, width: float = 1.6) -> list[Any]:
    """Strokes around letters and lines, so that they are seen on any ground."""
    effects = require("matplotlib.patheffects", "evaluation")
    return [effects.withStroke(linewidth=width, foreground="white" if dark else "black")]
