"""Curves of a comparison: intensity along the line, and how often each error occurs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.evaluation.differences import histogram
from MedSRLib.evaluation.pictures import figure
from MedSRLib.evaluation.profiles import Line, Profile
from MedSRLib.evaluation.views import INPUT, REFERENCE, letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette without yellow (too pale on white); black is the reference's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


def curves_figure(
    profiles: Mapping[str, Profile],
    line: Line,
    differences: Mapping[str, np.ndarray],
    mask: np.ndarray,
    limit: float,
) -> Figure:
    """Left, the profiles of all volumes; right, the histograms of the differences inside the mask.

    Args:
        profiles: by name; "Reference" is drawn thick and black, "Input" as steps.
        line: for the directions on the axis.
        differences: result - reference by name, (k, j, i).
        mask: (k, j, i).
        limit: the histogram runs from -2 limit to 2 limit.
    """
    fig = figure(13.0, 4.5)
    styles = {
        name: (COLOURS[i % len(COLOURS)], _DASHES[(i + i // len(COLOURS)) % len(_DASHES)])
        for i, name in enumerate(differences)
    }
    left, right = fig.subplots(1, 2)
    _draw_profiles(left, profiles, line, styles)
    _draw_histograms(right, differences, mask, 2 * limit, styles)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    left.ticklabel_format(scilimits=(-3, 4), useMathText=True)
    right.ticklabel_format(axis="x", scilimits=(-3, 4), useMathText=True)
    fig.subplots_adjust(left=0.06, right=0.99, top=0.88, bottom=0.13, wspace=0.16)
    return fig


def _draw_profiles(
    axes: Axes, profiles: Mapping[str, Profile], line: Line, styles: Mapping[str, tuple[str, Any]]
) -> None:
    for name, profile in profiles.items():
        if name == REFERENCE:
            axes.plot(profile.positions, profile.values, color="black", linewidth=2.6, label=name, zorder=1)
        elif name == INPUT:
            axes.plot(
                profile.positions,
                profile.values,
                color="#888888",
                linewidth=1,
                label="Input (its voxels)",
                zorder=0,
            )
        else:
            colour, dashes = styles[name]
            axes.plot(profile.positions, profile.values, color=colour, linestyle=dashes, linewidth=1.6, label=name)
    direction = np.subtract(line.end, line.start) / max(line.length, 1e-9)
    axes.set_xlabel(f"Distance along the line, mm   ({letters(-direction)} → {letters(direction)})")
    axes.set_ylabel("Intensity")
    axes.set_title("Profile across the marked edge", size=11, loc="left", y=1.06)
    axes.legend(fontsize=8, frameon=False)
    axes.margins(x=0)


def _draw_histograms(
    axes: Axes,
    differences: Mapping[str, np.ndarray],
    mask: np.ndarray,
    limit: float,
    styles: Mapping[str, tuple[str, Any]],
) -> None:
    for name, difference in differences.items():
        edges, counts = histogram(difference, mask, limit)
        colour, dashes = styles[name]
        axes.stairs(counts, edges, color=colour, linestyle=dashes, linewidth=1.4, label=name, baseline=None)
    axes.set_yscale("log")
    axes.axvline(0, color="black", linewidth=0.7)
    axes.set_xlabel("Result − reference, intensity units (outermost bins hold all beyond)")
    axes.set_ylabel("Voxels in the mask")
    axes.set_title("Histogram of the differences", size=11, loc="left", y=1.06)
    axes.legend(fontsize=8, frameon=False)
    axes.margins(x=0)
