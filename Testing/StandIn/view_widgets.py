"""Views of a layout: slice widgets over real slice logics, plot widgets over real plot view nodes.

They stand for qMRMLSliceWidget, qMRMLSliceView, qMRMLSliceControllerWidget, qMRMLPlotWidget, qMRMLPlotView and
qMRMLThreeDWidget. Nothing is rendered by VTK: a view paints the pixels of its logic or the chart of its node.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from plot_painting import paint_plot
from PySide6 import QtCore, QtGui, QtSvg, QtWidgets
from PySide6.QtCore import Property, Signal
from slice_painting import paint_bar, paint_slice, paint_three_d

BAR = 22


class qMRMLSliceView(QtWidgets.QWidget):
    """The picture of a slice; its size is the size of the slice node."""

    resized = Signal(QtCore.QSize)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.logic: Any = None
        self._corners = vtk.vtkCornerAnnotation()
        self.setMinimumSize(40, 40)

    def setLogic(self, logic: Any) -> None:
        self.logic = logic
        logic.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onLogic)

    def _onLogic(self, caller: Any, event: str) -> None:
        import shiboken6

        if shiboken6.isValid(self):
            self.update()

    def mrmlSliceNode(self) -> Any:
        return self.logic.GetSliceNode()

    def cornerAnnotation(self) -> Any:
        return self._corners

    def cornerText(self, corner: int) -> str:
        """Not Slicer's: what a corner says, for tests and pictures."""
        return self._corners.GetText(corner) or ""

    def setCornerAnnotationText(self, text: str) -> None:
        self._corners.SetText(2, text)

    cornerAnnotationText = Property(str, lambda self: self.cornerText(2), setCornerAnnotationText)

    def scheduleRender(self) -> None:
        self.update()

    forceRender = scheduleRender

    def convertRASToXYZ(self, ras: Any) -> list[float]:
        return _moved(self.mrmlSliceNode().GetXYToRAS(), ras, inverse=True)

    def convertXYZToRAS(self, xyz: Any) -> list[float]:
        return _moved(self.mrmlSliceNode().GetXYToRAS(), xyz, inverse=False)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        if self.logic is not None and self.mrmlSliceNode() is not None:
            self.logic.ResizeSliceNode(self.width(), self.height())
        self.resized.emit(event.size())

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        paint_slice(self, QtGui.QPainter(self))


def _moved(matrix: Any, point: Any, inverse: bool) -> list[float]:
    transform = vtk.vtkMatrix4x4()
    transform.DeepCopy(matrix)
    if inverse:
        transform.Invert()
    return list(transform.MultiplyPoint([*point, 1.0])[:3])


class qMRMLSliceControllerWidget(QtWidgets.QWidget):
    """The bar over a slice view: it moves linked views as the slider does."""

    def __init__(self, logic: Any, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._logic = logic
        self.setFixedHeight(BAR)

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self) -> Any:
        return self._logic

    def setSliceOffsetValue(self, offset: float) -> None:
        self._logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.SliceToRASFlag)
        self._logic.SetSliceOffset(offset)
        self._logic.EndSliceNodeInteraction()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceLink(self, linked: bool) -> None:
        self.mrmlSliceCompositeNode().SetLinkedControl(linked)

    def setHotLinked(self, linked: bool) -> None:
        self.mrmlSliceCompositeNode().SetHotLinkedControl(linked)

    def setSliceVisible(self, shown: bool) -> None:
        self.mrmlSliceNode().SetSliceVisible(shown)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        node, bounds = self.mrmlSliceNode(), [0.0] * 6
        self._logic.GetLowestVolumeSliceBounds(bounds)
        offset, span = node.GetSliceOffset(), bounds[5] - bounds[4]
        where = min(max((offset - bounds[4]) / span, 0.0), 1.0) if span > 0 else 0.5
        paint_bar(QtGui.QPainter(self), self.rect(), node, f"{offset:.4g} mm", where)


class _ViewWidget(QtWidgets.QWidget):
    """A bar over a view."""

    def _stack(self, bar: QtWidgets.QWidget, view: QtWidgets.QWidget) -> None:
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(view, 1)


class qMRMLSliceWidget(_ViewWidget):
    """A slice view with its bar."""

    def __init__(self, logic: Any) -> None:
        super().__init__()
        self._logic = logic
        self._view, self._bar = qMRMLSliceView(), qMRMLSliceControllerWidget(logic, self)
        self._view.setLogic(logic)
        self._stack(self._bar, self._view)

    def sliceLogic(self) -> Any:
        return self._logic

    logic = sliceLogic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    mrmlAbstractViewNode = mrmlSliceNode

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._bar

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceOrientation(self, orientation: str) -> None:
        self.mrmlSliceNode().SetOrientation(orientation)

    def mrmlScene(self) -> Any:
        return self._logic.GetMRMLScene()

    sliceViewName = Property(str, lambda self: self.mrmlSliceNode().GetLayoutName())
    sliceViewLabel = Property(
        str,
        lambda self: self.mrmlSliceNode().GetLayoutLabel(),
        lambda self, text: self.mrmlSliceNode().SetLayoutLabel(text),
    )
    sliceOrientation = Property(str, lambda self: self.mrmlSliceNode().GetOrientation(), setSliceOrientation)


class qMRMLPlotView(QtWidgets.QWidget):
    """The chart of a plot view node."""

    resized = Signal(QtCore.QSize)
    dataSelected = Signal(object, object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self.setMinimumSize(80, 60)

    def setMRMLScene(self, scene: Any) -> None:
        """The view node knows its scene."""

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node

    def plotViewNode(self) -> Any:
        """Not Slicer's: what is painted."""
        return self._node

    def fitToContent(self) -> None:
        self.update()

    def saveAsSVG(self, path: str) -> None:
        generator = QtSvg.QSvgGenerator()
        generator.setFileName(path)
        generator.setSize(self.size())
        generator.setViewBox(self.rect())
        painter = QtGui.QPainter(generator)
        paint_plot(self._node, painter, self.rect())
        painter.end()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        paint_plot(self._node, QtGui.QPainter(self), self.rect())


class _Bar(QtWidgets.QWidget):
    def __init__(self, parent: QtWidgets.QWidget, node: Any) -> None:
        super().__init__(parent)
        self.node = node
        self.setFixedHeight(BAR)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        paint_bar(QtGui.QPainter(self), self.rect(), self.node, "")


class qMRMLPlotWidget(_ViewWidget):
    """A plot view with its bar."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._bar = qMRMLPlotView(), _Bar(self, None)
        self._stack(self._bar, self._view)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._bar.node = node
        self._view.setMRMLPlotViewNode(node)

    def mrmlPlotViewNode(self) -> Any:
        return self._view.plotViewNode()

    mrmlAbstractViewNode = mrmlPlotViewNode

    def plotView(self) -> qMRMLPlotView:
        return self._view


class qMRMLThreeDWidget(_ViewWidget):
    """A 3D view: it stays empty."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node
        view = QtWidgets.QWidget()
        view.paintEvent = lambda event: paint_three_d(QtGui.QPainter(view), view.rect())
        self._stack(_Bar(self, node), view)

    def mrmlViewNode(self) -> Any:
        return self._node

    mrmlAbstractViewNode = mrmlViewNode
