"""How a difference volume is shown: blue to red around a white zero, or by its size alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRScene import colors, derived

if TYPE_CHECKING:
    from slicer import vtkMRMLColorTableNode, vtkMRMLScalarVolumeNode, vtkMRMLScene

MODES = ("signed", "absolute")
TABLES = {"signed": "MedSR difference", "absolute": "MedSR size of difference"}
"""Names of the colour tables. Slicer's own diverging table is grey, not white, in its middle."""

_COLORS = 511  # odd, so that one of them is the middle
_RED = ("#FFFFFF", "#FDDBC7", "#F4A582", "#D6604D", "#B2182B", "#67001F")
_BLUE = ("#FFFFFF", "#D1E5F0", "#92C5DE", "#4393C3", "#2166AC", "#053061")
_SIZE = ("#000004", "#1B0C41", "#4A0C6B", "#781C6D", "#A52C60", "#CF4446", "#ED6925", "#FB9B06", "#F7D13D", "#FCFFA4")
_OUTWARDS = {"signed": (_BLUE, _RED), "absolute": (_SIZE, _SIZE)}
"""Colours from no difference to the limit: lower, higher. Both lie in one table, so that no voxel is copied."""


def dress(
    node: vtkMRMLScalarVolumeNode,
    limit: float,
    mode: str = "signed",
    *,
    legend: bool = True,
    colorsLogic: Any = None,
    title: str = "",
) -> None:
    """Colour a difference volume (result − reference) from −``limit`` to ``limit``.

    Args:
        mode: "signed" from blue (result lower) over white (equal) to red (higher); "absolute" from black (equal)
            to bright, lower and higher alike.
        legend: a colour legend in the views that show the volume.
        colorsLogic: Slicer's colour logic (`slicer.modules.colors.logic()`); without it there is no legend.
        title: of the legend; by default the node's name.

    Raises:
        ValueError: if the mode is unknown, or the limit not above 0.
    """
    if mode not in MODES or not limit > 0:
        raise ValueError(f"A difference is shown {' or '.join(MODES)}, up to a limit above 0.")
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(-limit, limit)
    display.SetAndObserveColorNodeID(_table(node.GetScene(), mode).GetID())
    display.SetApplyThreshold(0)
    display.EndModify(modifying)
    if colorsLogic is not None:
        _legend(node, colorsLogic, legend, title or node.GetName(), limit)


def suggestedLimit(percent: float, dataRange: float) -> float:
    """``percent`` of the range of intensities, as a limit above 0."""
    return max(percent / 100 * dataRange, float(np.finfo(np.float32).tiny))


def _legend(node: vtkMRMLScalarVolumeNode, colorsLogic: Any, visible: bool, title: str, limit: float) -> None:
    legend = colorsLogic.GetColorLegendDisplayNode(node)
    if legend is None:
        if not visible:
            return
        legend = colorsLogic.AddDefaultColorLegendDisplayNode(node)
    modifying = legend.StartModify()
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.0f" if limit >= 10 else "%.3g")
    legend.SetNumberOfLabels(5)
    legend.SetVisibility(visible)
    legend.SetSaveWithScene(node.GetSaveWithScene())
    legend.EndModify(modifying)


def _table(scene: vtkMRMLScene, mode: str) -> vtkMRMLColorTableNode:
    """The colour table of a mode, made where the scene has none yet."""
    found = scene.GetFirstNodeByName(TABLES[mode])
    if found is not None:
        return found
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", TABLES[mode])
    modifying = table.StartModify()
    table.SetTypeToUser()
    table.SetNumberOfColors(_COLORS)
    for number, place in enumerate(np.linspace(-1, 1, _COLORS)):
        stops = np.array([colors.rgb(color) for color in _OUTWARDS[mode][int(place > 0)]])
        at = abs(place) * (len(stops) - 1)
        table.SetColor(number, *(float(np.interp(at, range(len(stops)), stops[:, part])) for part in range(3)), 1.0)
    derived.mark(table)
    table.EndModify(modifying)
    return table
