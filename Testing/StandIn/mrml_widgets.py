"""The CTK and MRML widgets that the panels use, small, with the properties, methods and signals of the real ones."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStyle, QStyleOptionButton, QToolButton, QWidget

HEADER = 26


class qMRMLWidget(QWidget):
    """The root of a panel: hands the scene on to the widgets that the .ui file connects."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class ctkCollapsibleButton(QWidget):
    """A titled part of a panel that opens and closes."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, HEADER, 0, 0)

    def _getText(self) -> str:
        return self._text

    def _setText(self, text: str) -> None:
        self._text = text
        self.update()

    def _getCollapsed(self) -> bool:
        return self._collapsed

    def _setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(HEADER if collapsed else 16777215)
        self.setMinimumHeight(HEADER)
        self.contentsCollapsed.emit(collapsed)
        self.updateGeometry()

    text = Property(str, _getText, _setText)
    collapsed = Property(bool, _getCollapsed, _setCollapsed)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, HEADER) if self._collapsed else super().minimumSizeHint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.position().y() < HEADER:
            self._setCollapsed(not self._collapsed)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QPainter(self), QStyleOptionButton()
        option.initFrom(self)
        option.rect = QRect(0, 0, self.width(), HEADER - 2)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        sign = "▸" if self._collapsed else "▾"
        where = option.rect.adjusted(8, 0, 0, 0)
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, f"{sign} {self._text}")


def _stored(name: str, kind: Any) -> Property:
    def get(self: Any) -> Any:
        return self._values.get(name, False)

    def put(self: Any, value: Any) -> None:
        self._values[name] = list(value) if kind == "QStringList" else value
        self._fill()

    return Property(kind, get, put)


class qMRMLNodeComboBox(QWidget):
    """Chooses a node of the scene by its class."""

    currentNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._tags: list[int] = []
        self._values: dict[str, Any] = {"nodeTypes": [], "noneDisplay": "None", "noneEnabled": False}
        self._current = ""
        self._combo = QComboBox()
        self._combo.setSizePolicy(self._combo.sizePolicy().Policy.Ignored, self._combo.sizePolicy().Policy.Fixed)
        self._combo.activated.connect(self._chosen)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._button = QToolButton()
        self._button.setText("…")
        layout.addWidget(self._button)
        self._fill()

    nodeTypes = _stored("nodeTypes", "QStringList")
    noneDisplay = _stored("noneDisplay", str)
    noneEnabled = _stored("noneEnabled", bool)
    addEnabled = _stored("addEnabled", bool)
    removeEnabled = _stored("removeEnabled", bool)
    renameEnabled = _stored("renameEnabled", bool)
    showChildNodeTypes = _stored("showChildNodeTypes", bool)
    currentNodeID = Property(str, lambda self: self._current, lambda self, value: self.setCurrentNodeID(value))

    def setMRMLScene(self, scene: Any) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        events = () if scene is None else (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
        self._tags = [scene.AddObserver(event, lambda *_: self._fill()) for event in events]
        self._fill()

    def mrmlScene(self) -> Any:
        return self._scene

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current) if self._scene is not None and self._current else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID("" if node is None else node.GetID())

    def setCurrentNodeID(self, identifier: str) -> None:
        identifier = identifier or ""
        if identifier and identifier not in self._identifiers():
            identifier = ""
        if identifier != self._current:
            self._current = identifier
            self._fill()
            self.currentNodeChanged.emit(self.currentNode())

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = (self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes()))
        return [node for node in nodes if node.GetClassName() in self._values["nodeTypes"]]

    def _identifiers(self) -> list[str]:
        return [node.GetID() for node in self._nodes()]

    def _fill(self) -> None:
        nodes = self._nodes()
        self._combo.clear()
        if self._values["noneEnabled"] or not nodes:
            self._combo.addItem(self._values["noneDisplay"], "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        self._combo.setCurrentIndex(self._combo.findData(self._current))
        if self._current and self._current not in self._identifiers():
            self._current = ""
            self._combo.setCurrentIndex(self._combo.findData(""))
            self.currentNodeChanged.emit(None)

    def _chosen(self, index: int) -> None:
        self.setCurrentNodeID(self._combo.itemData(index))
