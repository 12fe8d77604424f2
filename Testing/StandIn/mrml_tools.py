"""MRML widgets that choose a segment, and that place control points of markups."""

from __future__ import annotations

from typing import Any

from mrml_widgets import SceneWidget, qMRMLNodeComboBox
from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal
from qt_property import stored


class qMRMLSegmentSelectorWidget(SceneWidget):
    """Chooses a segmentation and one of its segments."""

    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {}
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._nodes = qMRMLNodeComboBox()
        self._nodes.setProperty("nodeTypes", ["vtkMRMLSegmentationNode"])
        self._nodes.currentNodeChanged.connect(self._onNode)
        self._segments = QtWidgets.QComboBox()
        self._segments.currentIndexChanged.connect(lambda _: self.currentSegmentChanged.emit(self.currentSegmentID()))
        layout.addWidget(self._nodes)
        layout.addWidget(self._segments)

    noneEnabled, editEnabled = stored("noneEnabled", bool), stored("editEnabled", bool)
    multiSelection, horizontalLayout = stored("multiSelection", bool), stored("horizontalLayout", bool)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool)
    segmentationNodeSelectorVisible = Property(
        bool, lambda self: not self._nodes.isHidden(), lambda self, shown: self._nodes.setVisible(shown)
    )

    def setMRMLScene(self, scene: Any) -> None:
        super().setMRMLScene(scene)
        self._nodes.setMRMLScene(scene)
        self.mrmlSceneChanged.emit(scene)

    def _fill(self) -> None:
        self._nodes.setProperty("noneEnabled", self._values.get("noneEnabled", False))

    def _onNode(self, node: Any) -> None:
        self._segments.clear()
        if self._values.get("noneEnabled"):
            self._segments.addItem("None", "")
        segmentation = None if node is None else node.GetSegmentation()
        for index in range(0 if segmentation is None else segmentation.GetNumberOfSegments()):
            identifier = segmentation.GetNthSegmentID(index)
            self._segments.addItem(segmentation.GetSegment(identifier).GetName(), identifier)
        self.currentNodeChanged.emit(node)

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def currentNodeID(self) -> str:
        return self._nodes._current

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def setCurrentNodeID(self, identifier: str) -> None:
        self._nodes.setCurrentNodeID(identifier)

    def currentSegmentID(self) -> str:
        return self._segments.currentData() or ""

    def setCurrentSegmentID(self, identifier: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(identifier))

    def segmentIDs(self) -> list[str]:
        return [self._segments.itemData(i) for i in range(self._segments.count()) if self._segments.itemData(i)]


class qSlicerMarkupsPlaceWidget(SceneWidget):
    """The button that starts to place control points of a markups node."""

    activeMarkupsPlaceModeChanged = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"buttonsVisible": True, "placeMultipleMarkups": 1}
        self._node: Any = None
        self._placing = False
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._place, self._delete = QtWidgets.QToolButton(), QtWidgets.QToolButton()
        self._place.setText("＋")
        self._delete.setText("✕")
        self._place.setCheckable(True)
        self._place.toggled.connect(self.setPlaceModeEnabled)
        self._delete.clicked.connect(self.deleteAllPoints)
        layout.addWidget(self._place)
        layout.addWidget(self._delete)

    buttonsVisible = stored("buttonsVisible", bool)
    placeMultipleMarkups, placeModePersistency = (
        stored("placeMultipleMarkups", int),
        stored("placeModePersistency", bool),
    )
    deleteAllControlPointsOptionVisible = stored("deleteAllControlPointsOptionVisible", bool)
    deleteAllMarkupsOptionVisible = stored("deleteAllMarkupsOptionVisible", bool)
    unsetLastControlPointOptionVisible = stored("unsetLastControlPointOptionVisible", bool)
    unsetAllControlPointsOptionVisible = stored("unsetAllControlPointsOptionVisible", bool)

    def currentNode(self) -> Any:
        return self._node

    currentMarkupsNode = currentNode

    def setCurrentNode(self, node: Any) -> None:
        self._node = node

    def setPlaceModeEnabled(self, placing: bool) -> None:
        placing = placing and self._node is not None
        if placing != self._placing:
            self._placing = placing
            self._place.setChecked(placing)
            self.activeMarkupsPlaceModeChanged.emit(placing)

    def setPlaceModePersistency(self, persistent: bool) -> None:
        self._values["placeModePersistency"] = persistent

    def setPlaceMultipleMarkups(self, option: int) -> None:
        self._values["placeMultipleMarkups"] = option

    def setButtonsVisible(self, shown: bool) -> None:
        self._values["buttonsVisible"] = shown

    def deleteAllPoints(self) -> None:
        if self._node is not None:
            self._node.RemoveAllControlPoints()

    def placeButton(self) -> QtWidgets.QToolButton:
        return self._place

    def deleteButton(self) -> QtWidgets.QToolButton:
        return self._delete

    placeModeEnabled = Property(bool, lambda self: self._placing, setPlaceModeEnabled)
    currentNodeActive = Property(bool, lambda self: self._node is not None, lambda self, value: None)
