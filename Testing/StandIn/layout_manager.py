"""Slicer's layout manager: the views of the current layout description, over the real layout logic.

`vtkMRMLLayoutLogic` reads the XML and makes the view nodes, as in Slicer; here every slice view node gets a
`vtkMRMLSliceLogic` and a widget, and the items of the description are laid out as a grid, in a row, a column or tabs.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal
from view_widgets import qMRMLPlotWidget, qMRMLSliceWidget, qMRMLThreeDWidget

FOUR_UP = 3


class qSlicerLayoutManager(QtCore.QObject):
    """The views and their layout."""

    layoutChanged = Signal(int)
    activeMRMLPlotViewNodeChanged = Signal(object)

    def __init__(self, core: Any) -> None:
        super().__init__()
        self._core = core
        self._widgets: dict[str, QtWidgets.QWidget] = {}
        self._shown = (-1, "")
        self._paused = False
        self._viewport = QtWidgets.QWidget()
        self._viewport.setAttribute(QtCore.Qt.WidgetAttribute.WA_DontShowOnScreen)
        self._viewport.resize(900, 700)
        QtWidgets.QVBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        self._node: Any = None
        self._follow()
        core.scene.AddObserver(core.scene.EndCloseEvent, lambda *_: self._follow(), -10.0)

    def layoutLogic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        return self._core.scene

    def mrmlSliceLogics(self) -> Any:
        return self._core.sliceLogics

    def setLayout(self, identifier: int) -> None:
        self._node.SetViewArrangement(int(identifier))

    layout = Property(int, lambda self: self._node.GetViewArrangement(), setLayout)

    def viewport(self) -> QtWidgets.QWidget:
        return self._viewport

    def sliceViewNames(self) -> list[str]:
        return [widget.mrmlSliceNode().GetLayoutName() for widget in self._of(qMRMLSliceWidget)]

    def sliceWidget(self, name: str) -> Any:
        found = (widget for widget in self._of(qMRMLSliceWidget) if widget.mrmlSliceNode().GetLayoutName() == name)
        return next(found, None)

    def plotWidget(self, index: int) -> Any:
        return _nth(self._of(qMRMLPlotWidget), index)

    def threeDWidget(self, index: int) -> Any:
        return _nth(self._of(qMRMLThreeDWidget), index)

    def tableWidget(self, index: int) -> Any:
        return None

    def viewWidget(self, node: Any) -> Any:
        return self._widgets.get(node.GetID())

    threeDViewCount = Property(int, lambda self: len(self._of(qMRMLThreeDWidget)))
    plotViewCount = Property(int, lambda self: len(self._of(qMRMLPlotWidget)))
    tableViewCount = Property(int, lambda self: 0)

    def resetSliceViews(self) -> None:
        for widget in self._of(qMRMLSliceWidget):
            widget.sliceLogic().FitSliceToAll()

    def resetThreeDViews(self) -> None:
        """Nothing is shown in 3D."""

    def setRenderPaused(self, paused: bool) -> None:
        self._paused = paused

    def pauseRender(self) -> None:
        self._paused = True

    def resumeRender(self) -> None:
        self._paused = False

    def _of(self, cls: type) -> list[Any]:
        return [widget for widget in self._widgets.values() if type(widget) is cls]

    def _follow(self) -> None:
        """Take the layout node of the scene; `Clear(True)` has removed the old one, and its logic with it."""
        if self._node is None or self._node.GetScene() is None:
            self._logic = slicer.vtkMRMLLayoutLogic()
            self._logic.SetMRMLApplicationLogic(self._core.application)
            self._logic.SetMRMLScene(self._core.scene)
            self._node = self._logic.GetLayoutNode()
            self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._build())
            self._shown = (-1, "")
        if self._node.GetViewArrangement() <= 0:
            self._node.SetViewArrangement(FOUR_UP)
        self._build(force=True)

    def _build(self, force: bool = False) -> None:
        node = self._node
        if self._core.scene.IsBatchProcessing() or not (description := node.GetCurrentLayoutDescription()):
            return
        wanted = (node.GetViewArrangement(), description)
        if wanted == self._shown and not force:
            return
        changed, self._shown = wanted != self._shown, wanted
        self._dropLost()
        root = ET.fromstring(description)
        views = self._logic.GetViewNodes()
        nodes = [views.GetItemAsObject(index) for index in range(views.GetNumberOfItems())]
        shown = {}
        for view in root.iter("view"):
            found = next((n for n in nodes if _fits(n, view)), None)
            if found is not None:
                shown[view] = self._widget(found)
        place = self._viewport.layout()
        for widget in self._widgets.values():
            widget.setParent(None)
        while (item := place.takeAt(0)) is not None:
            item.widget().deleteLater()
        place.addWidget(_laid_out(root, shown))
        self._viewport.show()
        for part in self._viewport.findChildren(QtWidgets.QWidget):
            part.show()
        _activate(self._viewport)
        if changed:
            self.layoutChanged.emit(node.GetViewArrangement())

    def _dropLost(self) -> None:
        for identifier, widget in list(self._widgets.items()):
            node = widget.mrmlAbstractViewNode()
            if node is None or node.GetScene() is None:
                del self._widgets[identifier]
                if isinstance(widget, qMRMLSliceWidget):
                    self._end(widget.sliceLogic())
                widget.setParent(None)
                widget.deleteLater()

    def _end(self, logic: Any) -> None:
        """Without its view, a slice logic would go on to make nodes whenever a scene is closed."""
        self._core.sliceLogics.RemoveItem(logic)
        made = (logic.GetSliceModelNode(), logic.GetSliceModelTransformNode(), logic.GetSliceModelDisplayNode())
        logic.SetMRMLScene(None)
        for node in made:
            if node is not None and node.GetScene() is not None:
                self._core.scene.RemoveNode(node)

    def _widget(self, node: Any) -> QtWidgets.QWidget:
        if node.GetID() not in self._widgets:
            self._widgets[node.GetID()] = self._made(node)
        return self._widgets[node.GetID()]

    def _made(self, node: Any) -> QtWidgets.QWidget:
        if node.IsA("vtkMRMLSliceNode"):
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(self._core.application)
            logic.SetMRMLScene(self._core.scene)
            logic.SetSliceNode(node)
            self._core.sliceLogics.AddItem(logic)
            return qMRMLSliceWidget(logic)
        if node.IsA("vtkMRMLPlotViewNode"):
            widget = qMRMLPlotWidget()
            widget.setMRMLScene(self._core.scene)
            widget.setMRMLPlotViewNode(node)
            return widget
        return qMRMLThreeDWidget(node)


def _nth(widgets: list[Any], index: int) -> Any:
    return widgets[index] if 0 <= index < len(widgets) else None


def _fits(node: Any, view: ET.Element) -> bool:
    tag = view.get("singletontag")
    return node.GetClassName() == view.get("class") and (tag is None or node.GetSingletonTag() == tag)


def _laid_out(layout: ET.Element, shown: dict[ET.Element, QtWidgets.QWidget]) -> QtWidgets.QWidget:
    """The widget of a <layout>: its items in a grid, a row, a column or tabs."""
    kind = layout.get("type", "horizontal")
    items = [(item, _item(item, shown)) for item in layout.findall("item")]
    if kind == "tab":
        tabs = QtWidgets.QTabWidget()
        for item, widget in items:
            tabs.addTab(widget, item.get("name", ""))
        return tabs
    box = QtWidgets.QWidget()
    grid = QtWidgets.QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(2)
    for index, (item, widget) in enumerate(items):
        row, column = {"vertical": (index, 0), "horizontal": (0, index)}.get(kind, (0, 0))
        row, column = int(item.get("row", row)), int(item.get("column", column))
        spans = int(item.get("rowspan", 1)), int(item.get("colspan", 1))
        grid.addWidget(widget, row, column, *spans)
        size = int(item.get("splitSize", 0))
        if spans[0] == 1:
            grid.setRowStretch(row, size if kind == "vertical" and size else 1)
        if spans[1] == 1:
            grid.setColumnStretch(column, size if kind == "horizontal" and size else 1)
    return box


def _item(item: ET.Element, shown: dict[ET.Element, QtWidgets.QWidget]) -> QtWidgets.QWidget:
    inner, view = item.find("layout"), item.find("view")
    if inner is not None:
        return _laid_out(inner, shown)
    return shown.get(view) or QtWidgets.QWidget()


def _activate(widget: QtWidgets.QWidget) -> None:
    """Give every view its size now, not when the event loop comes to it."""
    for part in [widget, *widget.findChildren(QtWidgets.QWidget)]:
        if part.layout() is not None:
            part.layout().activate()
