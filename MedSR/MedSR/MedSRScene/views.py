"""The slice views of a comparison: what they show, moved together, and back to how they were.

Slice views are posed in the patient (RAS), so views of one orientation show the same place whatever the grids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import vtk

from MedSRScene import colors, windows
from MedSRScene.layouts import ORIENTATIONS, VIEW_GROUP, Plan, viewName, viewTitle

if TYPE_CHECKING:
    from slicer import (
        vtkMRMLApplicationLogic,
        vtkMRMLScalarVolumeNode,
        vtkMRMLScene,
        vtkMRMLSliceCompositeNode,
        vtkMRMLSliceNode,
    )


def sliceNode(scene: vtkMRMLScene, name: str) -> vtkMRMLSliceNode | None:
    """The slice node of a view by its name; None before the layout manager has made it."""
    return scene.GetSingletonNode(name, "vtkMRMLSliceNode")


def compositeNode(scene: vtkMRMLScene, name: str) -> vtkMRMLSliceCompositeNode | None:
    """The composite node (layers) of a view by its name."""
    nodes = nodesOf(scene, "vtkMRMLSliceCompositeNode")
    return next((node for node in nodes if node.GetLayoutName() == name), None)


def composites(scene: vtkMRMLScene, plan: Plan, *, differences: bool = True) -> list[vtkMRMLSliceCompositeNode]:
    """The composite nodes of a plan's views that are there."""
    found = (compositeNode(scene, name) for name in names(plan, differences=differences))
    return [node for node in found if node is not None]


def names(plan: Plan, *, differences: bool = True) -> list[str]:
    """The names of a plan's slice views, row by row."""
    return [viewName(*view) for view in plan.views() if differences or not view[2]]


def show(
    scene: vtkMRMLScene,
    applicationLogic: vtkMRMLApplicationLogic,
    plan: Plan,
    volumeIDs: Sequence[str | None],
    differenceIDs: Sequence[str | None] = (),
    *,
    alignTo: vtkMRMLScalarVolumeNode | None = None,
) -> None:
    """Put volumes into the views of a plan, pose the views, and fit them.

    Args:
        volumeIDs: for each column; None leaves its views empty.
        differenceIDs: for each column, where the plan has rows of differences.
        alignTo: turn all views of a row to the planes of this (oblique) volume, in place of the patient's.
    """
    for row, column, difference in plan.views():
        name = viewName(row, column, difference)
        node, composite = sliceNode(scene, name), compositeNode(scene, name)
        if node is None or composite is None:
            continue
        shown = differenceIDs if difference else volumeIDs
        _layers(composite, shown[column] if column < len(shown) else None)
        modifying = node.StartModify()
        node.SetViewGroup(VIEW_GROUP)
        node.SetLayoutLabel(viewTitle(plan, column, difference))
        node.SetLayoutColor(*colors.rgb(plan.color(column)))
        node.EndModify(modifying)
    orient(scene, plan, alignTo)
    fit(scene, applicationLogic, plan)


def orient(scene: vtkMRMLScene, plan: Plan, alignTo: vtkMRMLScalarVolumeNode | None = None) -> None:
    """Pose all views of each row alike: on the patient's axes, or on the planes of a volume nearest to them.

    The pose gets the name "<row> of volume" in the views, because linked views follow each other by that name.
    """
    for row in plan.rows:
        nodes = list(_row(scene, plan, row))
        for node in nodes:
            node.SetOrientation(row)
        if alignTo is None or not nodes:
            continue
        matrix = _volumePlane(nodes[0], alignTo)
        for node in nodes:
            preset = f"{row} of volume"
            node.AddSliceOrientationPreset(preset, matrix)
            node.SetOrientation(preset)


def fit(scene: vtkMRMLScene, applicationLogic: vtkMRMLApplicationLogic, plan: Plan) -> None:
    """Let each row show the whole of its first volume: one centre and one scale for all views of the row."""
    for row in plan.rows:
        nodes = list(_row(scene, plan, row))
        leader = next((node for node in nodes if _shows(scene, node)), None)
        if leader is None:
            continue
        logic = applicationLogic.GetSliceLogic(leader)
        if logic is not None:
            logic.FitSliceToBackground()
        for node in nodes:
            if node is not leader:
                _follow(node, leader)


def link(scene: vtkMRMLScene, plan: Plan, on: bool = True) -> None:
    """Let pan, zoom and scroll in one view move the others of its group, also while dragging."""
    for composite in composites(scene, plan):
        modifying = composite.StartModify()
        composite.SetLinkedControl(on)
        composite.SetHotLinkedControl(on)
        composite.EndModify(modifying)


def jump(scene: vtkMRMLScene, ras: Sequence[float], group: int = VIEW_GROUP, *, centred: bool = False) -> None:
    """Scroll all views of a group to a world point; ``centred`` also moves it to their middle."""
    for node in nodesOf(scene, "vtkMRMLSliceNode"):
        if node.GetViewGroup() == group:
            (node.JumpSliceByCentering if centred else node.JumpSliceByOffsetting)(*ras)


def interpolate(volumes: Iterable[vtkMRMLScalarVolumeNode], on: bool) -> None:
    """Show volumes smoothed between voxels, or (``on`` false) their voxels as they are."""
    for node in volumes:
        display = windows.displayOf(node, make=True)
        if display is not None:
            display.SetInterpolate(on)


def blend(compositeNodes: Iterable[vtkMRMLSliceCompositeNode], foregroundID: str | None, opacity: float) -> None:
    """Lay a volume over what views show; its opacity fades (0 … 1), or flickers (0 and 1 in turn)."""
    for composite in compositeNodes:
        modifying = composite.StartModify()
        composite.SetForegroundVolumeID(foregroundID)
        composite.SetForegroundOpacity(min(max(opacity, 0.0), 1.0))
        composite.EndModify(modifying)


def crosshair(scene: vtkMRMLScene, on: bool) -> bool:
    """Show the crosshair in all views, and let it move them; whether it was shown before."""
    node = scene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    if node is None:
        return False
    before = node.GetCrosshairMode() != node.NoCrosshair
    modifying = node.StartModify()
    node.SetCrosshairMode(node.ShowBasic if on else node.NoCrosshair)
    if on:
        node.SetCrosshairBehavior(node.OffsetJumpSlice)
    node.EndModify(modifying)
    return before


def annotations(scene: vtkMRMLScene, plan: Plan, volumeIDs: Sequence[str | None]) -> dict[str, list[str]]:
    """Lines for the corner of each view: title, spacing in mm, and "SYNTHETIC" where content was synthesised.

    Difference views get none: white letters on the white of no difference cannot be read, and their bar has the title.
    """
    lines: dict[str, list[str]] = {}
    for row, column, difference in plan.views():
        if difference:
            lines[viewName(row, column, difference)] = []
            continue
        node = scene.GetNodeByID(volumeIDs[column]) if column < len(volumeIDs) and volumeIDs[column] else None
        text = [viewTitle(plan, column, difference)]
        if node is not None:
            text.append(" × ".join(f"{value:.3g}" for value in node.GetSpacing()) + " mm")
            if (node.GetAttribute("MedSR.synthetic") or "").lower() in ("1", "true"):
                text.append("SYNTHETIC")
        lines[viewName(row, column, difference)] = text
    return lines


def clear(scene: vtkMRMLScene) -> None:
    """Take all volumes out of the comparison's views, unlinked and unlabelled; the views themselves stay."""
    for composite in nodesOf(scene, "vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName().startswith(tuple(f"MedSR{row}" for row in ORIENTATIONS)):
            composite.SetLinkedControl(False)
            composite.SetHotLinkedControl(False)
            _layers(composite, None)


def nodesOf(scene: vtkMRMLScene, className: str) -> Iterator[Any]:
    """All nodes of a class."""
    for number in range(scene.GetNumberOfNodesByClass(className)):
        yield scene.GetNthNodeByClass(number, className)


def _layers(composite: vtkMRMLSliceCompositeNode, backgroundID: str | None) -> None:
    modifying = composite.StartModify()
    composite.SetBackgroundVolumeID(backgroundID)
    composite.SetForegroundVolumeID(None)
    composite.SetLabelVolumeID(None)
    composite.EndModify(modifying)


def _row(scene: vtkMRMLScene, plan: Plan, row: str) -> Iterator[vtkMRMLSliceNode]:
    for each, column, difference in plan.views():
        node = sliceNode(scene, viewName(each, column, difference)) if each == row else None
        if node is not None:
            yield node


def _shows(scene: vtkMRMLScene, node: vtkMRMLSliceNode) -> bool:
    composite = compositeNode(scene, node.GetLayoutName())
    return composite is not None and composite.GetBackgroundVolumeID() is not None


def _follow(node: vtkMRMLSliceNode, leader: vtkMRMLSliceNode) -> None:
    """Same plane, centre and mm a pixel; a view of another size shows more or less around it."""
    width, height, _ = leader.GetDimensions()
    mine = node.GetDimensions()
    field = np.array(leader.GetFieldOfView())
    scale = max(field[0] / max(width, 1), field[1] / max(height, 1))
    modifying = node.StartModify()
    node.GetSliceToRAS().DeepCopy(leader.GetSliceToRAS())
    node.SetFieldOfView(scale * mine[0], scale * mine[1], field[2])
    node.SetXYZOrigin(leader.GetXYZOrigin())
    node.UpdateMatrices()
    node.EndModify(modifying)


def _volumePlane(node: vtkMRMLSliceNode, volume: vtkMRMLScalarVolumeNode) -> vtk.vtkMatrix3x3:
    node.RotateToVolumePlane(volume)
    matrix = vtk.vtkMatrix3x3()
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, node.GetSliceToRAS().GetElement(row, column))
    return matrix
