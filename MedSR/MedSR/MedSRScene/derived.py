"""Nodes that a comparison makes for itself: marked, and removed again together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slicer import vtkMRMLScene

ATTRIBUTE = "MedSR.derived"


def mark(node: Any) -> None:
    """Mark a node as made for a comparison; selectors leave it out, and it and its display are not saved."""
    node.SetAttribute(ATTRIBUTE, "1")
    for each in (node, *displays(node)):
        each.SetSaveWithScene(False)


def displays(node: Any) -> list[Any]:
    """The display nodes of a node, colour legends among them."""
    count = node.GetNumberOfDisplayNodes() if node.IsA("vtkMRMLDisplayableNode") else 0
    found = (node.GetNthDisplayNode(number) for number in range(count))
    return [display for display in found if display is not None]


def nodes(scene: vtkMRMLScene) -> list[Any]:
    """All marked nodes."""
    return [node for node in _every(scene) if node.GetAttribute(ATTRIBUTE) == "1"]


def remove(scene: vtkMRMLScene, node: Any) -> None:
    """Remove a node with the display and storage nodes that nothing else uses."""
    helpers = displays(node)
    if node.IsA("vtkMRMLStorableNode") and node.GetStorageNode() is not None:
        helpers.append(node.GetStorageNode())
    scene.RemoveNode(node)
    for helper in reversed(helpers):  # a legend, which refers to the display node before it, goes first
        if not scene.IsNodePresent(helper) or helper.GetSingletonTag():
            continue
        if not any(scene.IsNodeReferencingNodeID(each, helper.GetID()) for each in _every(scene)):
            scene.RemoveNode(helper)


def clear(scene: vtkMRMLScene) -> None:
    """Remove every marked node from the scene, and from the views that show it."""
    for node in nodes(scene):
        if scene.IsNodePresent(node):
            remove(scene, node)


def _every(scene: vtkMRMLScene) -> Iterator[Any]:
    for number in range(scene.GetNumberOfNodes()):
        yield scene.GetNthNode(number)
