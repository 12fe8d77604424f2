"""MRML widgets that choose nodes, small, with the properties, methods and signals of the real ones."""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import shiboken6
from PySide6 import QtGui, QtWidgets
from PySide6.QtCore import Property, Signal
from qt_property import stored

_SCENE_EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndCloseEvent", "EndBatchProcessEvent")


class SceneWidget(QtWidgets.QWidget):
    """A widget that follows a scene; `_sceneChanged` is called when nodes come and go."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observed: list[tuple[Any, int]] = []
        self.destroyed.connect(partial(_stop, self._observed))

    def setMRMLScene(self, scene: Any) -> None:
        _stop(self._observed)
        self._scene = scene
        told = _weakly(self)
        for name in () if scene is None else _SCENE_EVENTS:
            self._observed.append((scene, scene.AddObserver(getattr(scene, name), told)))
        self._sceneChanged()

    def mrmlScene(self) -> Any:
        return self._scene

    def _sceneChanged(self) -> None:
        """Show the nodes that there are."""


def _stop(observed: list[tuple[Any, int]], gone: Any = None) -> None:
    """Let go of the scene: what observes it and is gone would slow every change of it."""
    while observed:
        scene, tag = observed.pop()
        scene.RemoveObserver(tag)


def _weakly(widget: SceneWidget) -> Any:
    """An observer that does not keep its widget alive; many changes at once count as one."""
    reference = weakref.ref(widget)

    def observe(caller: Any, event: str) -> None:
        found = reference()
        if found is not None and shiboken6.isValid(found) and not caller.IsBatchProcessing():
            found._sceneChanged()

    return observe


class qMRMLWidget(SceneWidget):
    """The root of a panel: hands the scene on to the widgets that the .ui file connects."""

    mrmlSceneChanged = Signal(object)

    def _sceneChanged(self) -> None:
        """Hand on the scene, and nothing more."""

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)


class qMRMLNodeComboBox(SceneWidget):
    """Chooses a node of the scene by its class."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeAdded, nodeAddedByUser, nodeActivated = Signal(object), Signal(object), Signal(object)
    nodeAboutToBeRemoved, nodeAboutToBeEdited = Signal(object), Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"nodeTypes": [], "noneDisplay": "None", "selectNodeUponCreation": True}
        self._values |= dict.fromkeys(("addEnabled", "removeEnabled", "editEnabled", "showChildNodeTypes"), True)
        self._labels: dict[str, str] = {}
        self._attributes: list[tuple[str, str, Any]] = []
        self._current = ""
        self._combo = QtWidgets.QComboBox()
        policy = QtWidgets.QSizePolicy.Policy
        self._combo.setSizePolicy(policy.Ignored, policy.Fixed)
        self._combo.activated.connect(self._chosen)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._fill()

    nodeTypes, hideChildNodeTypes = stored("nodeTypes", "QStringList"), stored("hideChildNodeTypes", "QStringList")
    noneDisplay, baseName = stored("noneDisplay", str), stored("baseName", str)
    noneEnabled, addEnabled = stored("noneEnabled", bool), stored("addEnabled", bool)
    removeEnabled, renameEnabled = stored("removeEnabled", bool), stored("renameEnabled", bool)
    editEnabled, showHidden = stored("editEnabled", bool), stored("showHidden", bool)
    showChildNodeTypes = stored("showChildNodeTypes", bool)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool)
    interactionNodeSingletonTag = stored("interactionNodeSingletonTag", str)
    sizeAdjustPolicy = stored("sizeAdjustPolicy", int)
    currentNodeID = Property(str, lambda self: self._current, lambda self, value: self.setCurrentNodeID(value))
    currentNodeId = Property(str, lambda self: self._current, lambda self, value: self.setCurrentNodeID(value))

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current) if self._scene is not None and self._current else None

    def setCurrentNode(self, node: Any) -> None:
        if node is not None and not hasattr(node, "GetID"):
            if isinstance(node, str):
                return self.setCurrentNodeID(node)
            raise TypeError("method requires a VTK object")
        return self.setCurrentNodeID("" if node is None else node.GetID())

    def setCurrentNodeID(self, identifier: str) -> None:
        identifier = identifier or ""
        if identifier and identifier not in [node.GetID() for node in self._nodes()]:
            identifier = ""
        if identifier != self._current:
            self._current = identifier
            self._fill()
            self._tell()

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def addAttribute(self, nodeType: str, name: str, value: Any = None) -> None:
        self._attributes.append((nodeType, name, value))
        self._fill()

    def removeAttribute(self, nodeType: str, name: str) -> None:
        self._attributes = [entry for entry in self._attributes if entry[:2] != (nodeType, name)]
        self._fill()

    def setNodeTypeLabel(self, label: str, nodeType: str) -> None:
        self._labels[nodeType] = label

    def nodeTypeLabel(self, nodeType: str) -> str:
        return self._labels.get(nodeType, "")

    def addMenuAction(self, action: QtGui.QAction) -> None:
        self._combo.addAction(action)

    def addNode(self, nodeType: str = "") -> Any:
        """What "Create new" does."""
        kind = nodeType or self._values["nodeTypes"][0]
        name = self._values.get("baseName") or kind.removeprefix("vtkMRML").removesuffix("Node")
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(name))
        self.nodeAddedByUser.emit(node)
        if self._values["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        return node

    def removeCurrentNode(self) -> None:
        if self.currentNode() is not None:
            self._scene.RemoveNode(self.currentNode())

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        found = {}
        for kind in self._values["nodeTypes"]:
            nodes = self._scene.GetNodesByClass(kind)
            nodes = [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]
            found |= {node.GetID(): node for node in nodes if self._offered(node)}
        return list(found.values())

    def _offered(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self._values.get("showHidden"):
            return False
        for nodeType, name, value in self._attributes:
            found = node.GetAttribute(name)
            if node.IsA(nodeType) and (found is None or (value is not None and found != str(value))):
                return False
        types, hidden = self._values["nodeTypes"], self._values.get("hideChildNodeTypes", ())
        if node.GetClassName() in types:
            return True
        children = self._values["showChildNodeTypes"] and any(map(node.IsA, types))
        return children and not any(map(node.IsA, hidden))

    def _sceneChanged(self) -> None:
        self._fill()

    def _fill(self) -> None:
        nodes, none = self._nodes(), self._values.get("noneEnabled", False)
        self._combo.clear()
        if none or not nodes:
            self._combo.addItem(self._values["noneDisplay"], "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        known = self._current in [node.GetID() for node in nodes]
        if (self._current and not known) or (not self._current and not none and nodes):
            self._current = nodes[0].GetID() if nodes and not none else ""
            self._tell()
        self._combo.setCurrentIndex(self._combo.findData(self._current))

    def _tell(self) -> None:
        node = self.currentNode()
        self.currentNodeChanged.emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(self._current)

    def _chosen(self, index: int) -> None:
        self.setCurrentNodeID(self._combo.itemData(index))


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Checks any number of nodes of the scene."""

    checkedNodesChanged = Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        self._checked: list[str] = []
        super().__init__(parent)

    def checkedNodes(self) -> list[Any]:
        return [node for node in self._nodes() if node.GetID() in self._checked]

    def uncheckedNodes(self) -> list[Any]:
        return [node for node in self._nodes() if node.GetID() not in self._checked]

    def checkState(self, node: Any) -> int:
        return 2 if node.GetID() in self._checked else 0

    def setCheckState(self, node: Any, state: int) -> None:
        before = list(self._checked)
        self._checked = [checked for checked in before if checked != node.GetID()]
        self._checked += [node.GetID()] * bool(int(getattr(state, "value", state)))
        if self._checked != before:
            self._fill()
            self.checkedNodesChanged.emit()

    def check(self, node: Any) -> None:
        self.setCheckState(node, 2)

    def uncheck(self, node: Any) -> None:
        self.setCheckState(node, 0)

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

    def _fill(self) -> None:
        names = [node.GetName() for node in self.checkedNodes()]
        self._combo.clear()
        self._combo.addItem(", ".join(names) or self._values["noneDisplay"])
