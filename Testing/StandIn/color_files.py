"""The colour tables that Slicer reads from its share folder, which slicer-core does not bring.

Only those that the modules use, made from a few of their colours: DivergingBlueRed (blue, white, red; white in the
middle), Inferno and Viridis; IDs as Slicer's `vtkMRMLColorLogic` gives them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

_FILES = {
    "DivergingBlueRed": ("#000080", "#3b4cc0", "#ffffff", "#b40426", "#800000"),
    "Inferno": ("#000004", "#57106e", "#bc3754", "#f98e09", "#fcffa4"),
    "Viridis": ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"),
}


def add_file_colors(scene: Any) -> None:
    """Add the tables that the scene lacks."""
    for name, colors in _FILES.items():
        tag = f"File{name}.txt"
        identifier = f"vtkMRMLColorTableNode{tag}"
        if scene.GetNodeByID(identifier) is None:
            node = _table(name, colors)
            node.SetSingletonTag(tag)
            scene.AddNode(node)


def _table(name: str, colors: tuple[str, ...], number: int = 255) -> Any:
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToFile()
    node.SetName(name)
    node.SetNumberOfColors(number)
    node.GetLookupTable().SetRange(0, number - 1)
    rgb = np.array([[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for text in colors])
    at = np.linspace(0, 1, len(colors))
    for index, t in enumerate(np.linspace(0, 1, number)):
        node.SetColor(index, *(float(np.interp(t, at, rgb[:, channel])) for channel in range(3)), 1.0)
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    return node
