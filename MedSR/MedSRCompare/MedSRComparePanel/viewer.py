"""The comparison's views in Slicer's window: its layout comes, and the user's own comes back when it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import slicer
import vtk

if TYPE_CHECKING:
    from MedSRScene.layouts import Plan
    from slicer import vtkMRMLScalarVolumeNode

CORNER = 1
"""Bottom right: the one corner that Slicer's own annotations leave free."""

_NO_LAYOUT = -1


class Viewer:
    """What of Slicer's views belongs to the comparison, and how they were before."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self._layout = _NO_LAYOUT
        self._drawn: tuple[Any, ...] = ()
        self._crosshair: tuple[int, int] | None = None
        self._corners: dict[str, str] = {}
        self._windows: dict[str, Any] = {}
        self._busy = False

    @property
    def active(self) -> bool:
        """Whether the comparison is in the views now."""
        return self.plan is not None

    def show(
        self,
        plan: Plan,
        volumeIDs: Sequence[str | None],
        differenceIDs: Sequence[str | None] = (),
        alignTo: vtkMRMLScalarVolumeNode | None = None,
    ) -> None:
        """Show these volumes; where only what lies in the views changes, place and zoom stay.

        Without a window (``--no-main-window``) nothing is done.
        """
        from MedSRScene import layouts, views

        manager = slicer.app.layoutManager()
        aligned = None if alignTo is None else alignTo.GetID()
        drawn = (plan, tuple(volumeIDs), tuple(differenceIDs), aligned)
        ours = manager is not None and manager.layout == layouts.LAYOUT_ID
        if manager is None or self._busy or (ours and drawn == self._drawn):
            return
        kept = self._poses() if self._drawn and self._drawn[3] == aligned else {}
        if self.plan is None and not ours:
            self._layout = manager.layout
        self._busy = True
        try:
            layouts.register(manager.layoutLogic().GetLayoutNode(), plan)
            manager.setLayout(layouts.LAYOUT_ID)
            self.plan, self._drawn, self._corners = plan, drawn, {}
            slicer.app.processEvents()  # the views get their size; fitting needs it
            logic = slicer.app.applicationLogic()
            views.show(slicer.mrmlScene, logic, plan, volumeIDs, differenceIDs, alignTo=alignTo)
            self._pose(kept)
        finally:
            self._busy = False

    def annotate(self, lines: Mapping[str, Sequence[str]]) -> None:
        """Write lines into the free corner of views, by the name of the view."""
        manager = slicer.app.layoutManager()
        if manager is None or self.plan is None:
            return
        for name, parts in lines.items():
            text = "\n".join(parts)
            if self._corners.get(name) == text:
                continue
            widget = manager.sliceWidget(name)
            if widget is not None:
                widget.sliceView().cornerAnnotation().SetText(CORNER, text)
                widget.sliceView().scheduleRender()
                self._corners[name] = text

    def crosshair(self, on: bool) -> None:
        """Show the crosshair or not; how it was is remembered."""
        from MedSRScene import views

        node = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        if node is not None and self.active:
            if self._crosshair is None:
                self._crosshair = node.GetCrosshairMode(), node.GetCrosshairBehavior()
            views.crosshair(slicer.mrmlScene, on)

    def remember(self, volumes: Sequence[vtkMRMLScalarVolumeNode]) -> None:
        """Note how these volumes look, unless it is noted already."""
        from MedSRScene import windows

        for nodeID, window in windows.remember(volumes).items():
            self._windows.setdefault(nodeID, window)

    def restoreWindows(self) -> None:
        """Give the volumes back the window, level and interpolation that they had."""
        from MedSRScene import windows

        windows.restore(slicer.mrmlScene, self._windows)

    def plotView(self) -> Any:
        """The node of the plot view; None while there is none."""
        from MedSRScene import layouts

        return slicer.mrmlScene.GetSingletonNode(layouts.PLOT_VIEW, "vtkMRMLPlotViewNode")

    def fitPlot(self) -> None:
        """Let the axes of the plot span its curves."""
        manager, node = slicer.app.layoutManager(), self.plotView()
        if manager is None or node is None:
            return
        for index in range(manager.plotViewCount):
            widget = manager.plotWidget(index)
            if widget.mrmlPlotViewNode() is not None and widget.mrmlPlotViewNode().GetID() == node.GetID():
                widget.plotView().fitToContent()

    def leave(self) -> None:
        """Bring back the layout, the crosshair and the looks of the volumes; harmless when repeated."""
        from MedSRScene import layouts

        manager = slicer.app.layoutManager()
        if manager is not None and self.plan is not None:
            self.annotate(dict.fromkeys(self._corners, ()))
            if manager.layout == layouts.LAYOUT_ID:
                known = self._layout not in (_NO_LAYOUT, layouts.LAYOUT_ID)
                manager.setLayout(self._layout if known else slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.restoreWindows()
        node = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        if node is not None and self._crosshair is not None:
            node.SetCrosshairMode(self._crosshair[0])
            node.SetCrosshairBehavior(self._crosshair[1])
        self.plan, self._crosshair, self._windows, self._corners = None, None, {}, {}

    def forget(self) -> None:
        """The scene is closed: nothing of it may be looked up any more; the layout still comes back."""
        self._windows, self._crosshair, self._drawn = {}, None, ()

    def _poses(self) -> dict[str, tuple[Any, float]]:
        """Of the first view of each row: its pose, and mm a pixel."""
        from MedSRScene import layouts, views

        found = {}
        for row in self._drawn[0].rows:
            node = views.sliceNode(slicer.mrmlScene, layouts.viewName(row, 0))
            if node is not None:
                pose = vtk.vtkMatrix4x4()
                pose.DeepCopy(node.GetSliceToRAS())
                found[row] = pose, node.GetFieldOfView()[0] / max(node.GetDimensions()[0], 1)
        return found

    def _pose(self, kept: Mapping[str, tuple[Any, float]]) -> None:
        from MedSRScene import layouts, views

        for row, column, difference in self.plan.views() if self.plan is not None else ():
            node = views.sliceNode(slicer.mrmlScene, layouts.viewName(row, column, difference))
            if node is None or row not in kept:
                continue
            pose, scale = kept[row]
            width, height, _depth = node.GetDimensions()
            modifying = node.StartModify()
            node.GetSliceToRAS().DeepCopy(pose)
            node.SetFieldOfView(scale * width, scale * height, node.GetFieldOfView()[2])
            node.UpdateMatrices()
            node.EndModify(modifying)
