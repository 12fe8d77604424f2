"""Figures of a benchmark: the spread over volumes, and curves over slices and rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from MedSRLib.evaluation.charts import plain, styles
from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.evaluation.sheet import figure
from MedSRLib.protocols.columns import Column
from MedSRLib.protocols.summary import by_volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Besides colour and dash, so that few points are told apart too.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_MOST_IN_A_ROW = 3
_BOX = 0.8

Style = dict[str, Any]
Entry = Mapping[str, Any]


def boxes(rows: Sequence[Entry], shown: Sequence[Column], scales: Sequence[str], methods: Sequence[str]) -> Figure:
    """Box plots over volumes: one picture a measure, scales side by side, a box a method.

    Boxes reach from quartile to quartile with the median inside, whiskers to 1.5 times their length; each volume is a
    dot.
    """
    fig, pictures = _panels(len(shown))
    looks = styles(methods)
    step = _BOX / len(methods)
    for axes, column in zip(pictures, shown, strict=True):
        for n, method in enumerate(methods):
            places, values = [], []
            for s, scale in enumerate(scales):
                own = [row for row in rows if (row["scale"], row["method"]) == (scale, method)]
                values.append([v for v in by_volume(own, column).values() if v == v])
                places.append(s - _BOX / 2 + (n + 0.5) * step)
            _boxes_of_method(axes, values, places, step, looks[method]["color"])
        axes.set_xticks(range(len(scales)), [f"×{scale}" for scale in scales])
        axes.set_ylabel(column.title.removesuffix(" ↑").removesuffix(" ↓"))
        plain(axes)
        axes.grid(visible=False, axis="x")
        axes.set_xlim(-0.5, len(scales) - 0.5)
    _legend(fig, {method: {"color": looks[method]["color"], "linewidth": 5} for method in methods})
    return fig


def slice_curves(curves: Sequence[Entry], measure: str, scales: Sequence[str], methods: Sequence[str]) -> Figure:
    """The mean of a measure over volumes against the number of the slice: one picture a scale."""
    fig, pictures = _panels(len(scales))
    looks = styles(methods)
    for axes, scale in zip(pictures, scales, strict=True):
        for method in methods:
            for curve in curves:
                if (curve["scale"], curve["method"], curve["measure"]) == (scale, method, measure):
                    axes.plot(curve["index"], curve["mean"], **looks[method], linewidth=1.3)
        axes.set_title(f"×{scale}", size=10, loc="left")
        axes.set_xlabel("Slice")
        axes.set_ylabel(measure_title(measure))
        plain(axes)
    _legend(fig, looks)
    return fig


def rotation_curves(entries: Sequence[Entry], column: Column, scales: Sequence[str], methods: Sequence[str]) -> Figure:
    """The mean of a measure over volumes against the angle: one picture a scale."""
    fig, pictures = _panels(len(scales))
    looks = styles(methods)
    for axes, scale in zip(pictures, scales, strict=True):
        for n, method in enumerate(methods):
            own = [e for e in entries if (e["scale"], e["method"]) == (scale, method)]
            angles, means = [e["rotation"] for e in own], [e[column.key] for e in own]
            axes.plot(angles, means, **looks[method], marker=_MARKERS[n % len(_MARKERS)], markersize=5)
        axes.set_xticks(sorted({e["rotation"] for e in entries}))
        axes.set_title(f"×{scale}", size=10, loc="left")
        axes.set_xlabel("Rotation in the plane of the slices, degrees")
        axes.set_ylabel(column.title.removesuffix(" ↑").removesuffix(" ↓"))
        plain(axes)
    _legend(fig, looks)
    return fig


def measure_title(name: str) -> str:
    """Title and unit of a measure."""
    measure = MEASURES[name]
    return f"{measure.title}, {measure.unit}" if measure.unit else measure.title


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many pictures, at most three in a row, and room for the legend below."""
    across = min(count, _MOST_IN_A_ROW)
    down = -(-count // across)
    fig = figure(12.5 if across > 1 else 7.5, 3.4 * down + 0.5)
    pictures = fig.subplots(down, across, squeeze=False).ravel()
    for spare in pictures[count:]:
        spare.remove()
    room = 0.75 / fig.get_figheight()
    fig.subplots_adjust(
        left=0.075 if across > 1 else 0.12,
        right=0.985,
        top=1 - room * 0.55,
        bottom=room * 1.3,
        wspace=0.28,
        hspace=0.4,
    )
    return fig, list(pictures[:count])


def _boxes_of_method(
    axes: Axes, values: Sequence[Sequence[float]], places: Sequence[float], step: float, colour: str
) -> None:
    axes.boxplot(
        values,
        positions=places,
        widths=0.75 * step,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.35, "edgecolor": colour},
        medianprops={"color": "black"},
        whiskerprops={"color": colour},
        capprops={"color": colour},
    )
    for place, numbers in zip(places, values, strict=True):
        axes.plot([place] * len(numbers), numbers, ".", color=colour, markersize=3, alpha=0.7)


def _legend(fig: Figure, looks: Mapping[str, Style]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **style) for style in looks.values()]
    fig.legend(handles, list(looks), loc="lower center", ncols=min(len(looks), 6), frameon=False, fontsize=9,
               handlelength=3.2)  # fmt: skip
