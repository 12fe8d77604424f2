"""Charts of where in the body and at which intensities a result errs: curves by slice, and Bland and Altman's plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib import images
from MedSRLib.evaluation.agreement import Agreement
from MedSRLib.evaluation.charts import WIDTH, plain, styles
from MedSRLib.evaluation.sheet import figure
from MedSRLib.evaluation.views import REFERENCE, VIEWS, letters
from MedSRLib.grids import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = 4
"""Measures in one figure of curves: as many as a page holds."""
AGREEMENTS = 4
"""Plots of agreement in one row."""

_AXES = ("i", "j", "k")
_LIMITS_COLOUR = "#D55E00"


@dataclass(frozen=True, eq=False)
class SliceCurves:
    """A measure slice by slice.

    Attributes:
        title: of the measure, with its unit and the arrow of the better direction.
        by_result: by name and image axis ("i", "j", "k"), one a slice, None or NaN where there is none; the
            reference's own curve, if it has one, under "Reference".
    """

    title: str
    by_result: Mapping[str, Mapping[str, Sequence[float | None]]]


def slices_figure(curves: Sequence[SliceCurves], grid: Grid) -> Figure:
    """At most `ROWS` measures, one row each; one column an orientation, positions in mm.

    Args:
        grid: of the reference.
    """
    fig = figure(WIDTH, 0.75 + 2.05 * len(curves))
    table = fig.subplots(len(curves), len(VIEWS), sharey="row", sharex="col", squeeze=False)
    turn = images.canonical(grid)
    shown = turn.grid(grid)
    looks = styles(name for name in curves[0].by_result if name != REFERENCE)
    for row, curve in zip(table, curves, strict=True):
        for axes, view in zip(row, VIEWS, strict=True):
            axis = _AXES[turn.permutation[view.normal]]
            for name, by_axis in curve.by_result.items():
                values = np.array(by_axis.get(axis, ()), dtype=np.float64)
                values = values[::-1] if turn.flips[view.normal] else values
                look = looks.get(name, {"color": "black", "linewidth": 2.2, "zorder": 1})
                position = np.arange(len(values)) * shown.spacing[view.normal]
                marker = "o" if np.isfinite(values).sum() == 1 else None
                axes.plot(position, values, label=name, marker=marker, **{"linewidth": 1.4, **look})
            plain(axes)
        row[0].set_ylabel(curve.title, size=9.5)
    for axes, head, view in zip(table[-1], table[0], VIEWS, strict=True):
        along = shown.axes[:, view.normal]
        axes.set_xlabel(f"Position of the slice, mm   ({letters(-along)} → {letters(along)})", size=9.5)
        head.set_title(f"{view.name} slices", size=10.5, loc="left")
    named = {line.get_label(): line for axes in table[::-1, 0] for line in axes.lines}
    names = [*sorted(named.keys() - looks.keys()), *looks]
    fig.legend(
        [named[name] for name in names], names, loc="upper right", ncols=min(len(names), 7), fontsize=9, frameon=False
    )
    bottom = 0.5 / fig.get_figheight()
    fig.subplots_adjust(left=0.06, right=0.99, top=1 - bottom, bottom=bottom, wspace=0.06, hspace=0.12)
    return fig


def agreement_figure(pairs: Mapping[str, Agreement]) -> Figure:
    """Bland and Altman's plot of each result, all with the same axes: difference over mean, bias and limits."""
    rows = math.ceil(len(pairs) / AGREEMENTS)
    columns = min(len(pairs), AGREEMENTS)
    fig = figure(WIDTH, 0.1 + 3.5 * rows)
    table = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (name, pair) in zip(table.flat, pairs.items(), strict=False):
        _draw_agreement(axes, name, pair)
    for axes in table.flat[len(pairs) :]:
        axes.set_visible(False)
    for axes in table[:, 0]:
        axes.set_ylabel("Result − reference")
    reach = max(float(np.abs([*p.differences, p.low, p.high]).max()) for p in pairs.values()) or 1.0
    table[0, 0].set_ylim(-1.1 * reach, 1.1 * reach)
    edge = 0.5 / fig.get_figheight()
    fig.subplots_adjust(left=0.06, right=0.99, top=1 - edge, bottom=edge, wspace=0.06, hspace=0.4)
    return fig


def _draw_agreement(axes: Axes, name: str, pair: Agreement) -> None:
    axes.scatter(pair.means, pair.differences, s=3, color="#0072B2", alpha=0.3, linewidths=0, rasterized=True)
    text: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right", "size": 8}
    text["bbox"] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    lines = ((pair.high, "--", "bottom"), (pair.bias, "-", "center"), (pair.low, "--", "top"))
    for value, dashes, place in lines:
        axes.axhline(value, color=_LIMITS_COLOUR, linestyle=dashes, linewidth=1.2)
        if place != "center":
            axes.text(0.99, value, f"{value:+.3g}", va=place, **text)
    axes.set_title(f"{name}\nbias {pair.bias:+.3g}", size=9.5, loc="left")
    axes.set_xlabel("Mean of result and reference", size=9)
    plain(axes)
