"""Curves of a comparison: intensity along the line, and how often each error occurs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.evaluation.differences import histogram
from MedSRLib.evaluation.profiles import Line, Profile
from MedSRLib.evaluation.sheet import figure
from MedSRLib.evaluation.views import INPUT, REFERENCE, letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 13.0
"""Of every chart, inches."""

# Okabe and Ito's palette without yellow (too pale on white); black is the reference's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))

LEVELS = 255
"""The shares of absolute differences are counted in steps of the data range / 255, grey levels of an eight-bit
picture, and their axis is cut, as in Ceccarelli's thesis: at 0.04, or at 0.1 where the curves need it."""
_CUTS = (0.04, 0.1)
_LEFT_OUT = 2


def styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each result, the same in every chart."""
    return {
        name: {"color": COLOURS[i % len(COLOURS)], "linestyle": _DASHES[(i + i // len(COLOURS)) % len(_DASHES)]}
        for i, name in enumerate(names)
    }


def plain(axes: Axes) -> None:
    """No frame but two axes, and a faint grid behind the curves."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)


def profile_figure(profiles: Mapping[str, Profile], line: Line) -> Figure:
    """The intensities of all volumes along a line.

    Args:
        profiles: by name; "Reference" is drawn thick and black, "Input" as steps.
        line: for the directions on the axis.
    """
    fig = figure(WIDTH, 3.6)
    axes = fig.subplots(1, 1)
    looks = styles(name for name in profiles if name not in (REFERENCE, INPUT))
    for name, profile in profiles.items():
        look: dict[str, Any] = {"linewidth": 1.6, "label": name, **looks.get(name, {})}
        if name == REFERENCE:
            look |= {"color": "black", "linewidth": 2.6, "zorder": 1}
        elif name == INPUT:
            look |= {"color": "#888888", "linewidth": 1, "zorder": 0, "label": "Input (its voxels)"}
        axes.plot(profile.positions, profile.values, **look)
    direction = np.subtract(line.end, line.start) / max(line.length, 1e-9)
    axes.set_xlabel(f"Distance along the line, mm   ({letters(-direction)} → {letters(direction)})")
    axes.set_ylabel("Intensity")
    axes.legend(fontsize=9, frameon=False)
    axes.margins(x=0)
    plain(axes)
    axes.ticklabel_format(scilimits=(-3, 4), useMathText=True)
    fig.subplots_adjust(left=0.06, right=0.99, top=0.95, bottom=0.15)
    return fig


def histograms_figure(
    differences: Mapping[str, np.ndarray], mask: np.ndarray, limit: float, data_range: float
) -> Figure:
    """Left, signed differences in the mask on a logarithmic axis; right, shares of absolute ones, the axis cut.

    Args:
        differences: result - reference by name, (k, j, i).
        mask: (k, j, i).
        limit: the left histogram runs from -2 limit to 2 limit.
        data_range: of the reference.
    """
    fig = figure(WIDTH, 4.0)
    left, right = fig.subplots(1, 2)
    _draw_signed(left, differences, mask, 2 * limit)
    _draw_absolute(right, differences, mask, data_range)
    for axes in (left, right):
        plain(axes)
        axes.legend(fontsize=9, frameon=False)
        axes.margins(x=0)
        axes.ticklabel_format(axis="x", scilimits=(-3, 4), useMathText=True)
    fig.subplots_adjust(left=0.06, right=0.99, top=0.9, bottom=0.14, wspace=0.16)
    return fig


def _draw_signed(axes: Axes, differences: Mapping[str, np.ndarray], mask: np.ndarray, limit: float) -> None:
    for name, look in styles(differences).items():
        edges, counts = histogram(differences[name], mask, limit)
        axes.stairs(counts, edges, linewidth=1.4, label=name, baseline=None, **look)
    axes.set_yscale("log")
    axes.axvline(0, color="black", linewidth=0.7)
    axes.set_xlabel("Result − reference, intensity units (outermost bins hold all beyond)")
    axes.set_ylabel("Voxels in the mask (logarithmic)")
    axes.set_title("Signed differences", size=10.5, loc="left")


def _draw_absolute(axes: Axes, differences: Mapping[str, np.ndarray], mask: np.ndarray, data_range: float) -> None:
    edges = np.linspace(0, data_range, LEVELS + 1)
    shares = {
        name: np.histogram(np.minimum(np.abs(d[mask]), data_range), edges)[0] / max(1, int(mask.sum()))
        for name, d in differences.items()
    }
    highest = max(float(share[_LEFT_OUT:].max()) for share in shares.values())
    cut = next((c for c in _CUTS if highest < c), _CUTS[-1])
    for name, look in styles(differences).items():
        axes.stairs(shares[name], edges, linewidth=1.4, label=name, baseline=None, **look)
    reach = max(int(np.flatnonzero(share > cut / 400).max(initial=1)) for share in shares.values())
    axes.set_xlim(0, edges[min(reach + 2, LEVELS)])
    axes.set_ylim(0, cut)
    axes.set_xlabel(f"|Result − reference|, intensity units, in steps of {data_range / LEVELS:.3g}")
    axes.set_ylabel(f"Share of the voxels in the mask (cut at {cut:g})")
    axes.set_title("Absolute differences", size=10.5, loc="left")
