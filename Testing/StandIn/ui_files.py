"""`slicer.util.loadUI`: the widget of a .ui file, its scene connected as Slicer's loader does it."""

from __future__ import annotations

import inspect
import xml.etree.ElementTree as ET
from typing import Any

import ctk_numbers
import ctk_widgets
import mrml_tools
import mrml_widgets
import pythonqt
import view_widgets
from PySide6 import QtCore, QtUiTools, QtWidgets

SCENE_SIGNAL, SCENE_SLOT = "mrmlSceneChanged(vtkMRMLScene*)", "setMRMLScene(vtkMRMLScene*)"
LIBRARIES = (ctk_widgets, ctk_numbers, mrml_widgets, mrml_tools, view_widgets)


def custom_widgets() -> dict[str, type]:
    """The widgets of the stand-in by name."""
    members = (member for library in LIBRARIES for member in inspect.getmembers(library, inspect.isclass))
    widgets = ((name, cls) for name, cls in members if name.startswith(("ctk", "qMRML", "qSlicer")))
    return {name: cls for name, cls in widgets if issubclass(cls, QtWidgets.QWidget)}


class QUiLoader(QtUiTools.QUiLoader):
    """Makes custom widgets by their names; an unknown one is an error, as a missing plugin is in Slicer."""

    def __init__(self) -> None:
        super().__init__()
        self._custom = custom_widgets()

    def createWidget(self, cls: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> QtWidgets.QWidget:
        if cls not in self._custom:
            if cls.startswith(("ctk", "qMRML", "qSlicer")):
                raise RuntimeError(f"The .ui file uses {cls}, which the stand-in has not: add it there")
            return super().createWidget(cls, parent, name)
        widget = self._custom[cls](parent)
        widget.setObjectName(name)
        return widget


def load(path: str) -> Any:
    """The root widget of a .ui file.

    Raises:
        RuntimeError: if the file cannot be loaded.
    """
    document = ET.parse(path)
    connections = document.getroot().find("connections")
    wanted: list[Any] = [] if connections is None else list(connections)
    scene = [c for c in wanted if c.findtext("signal") == SCENE_SIGNAL and c.findtext("slot") == SCENE_SLOT]
    for connection in scene:
        connections.remove(connection)
    buffer = QtCore.QBuffer()
    buffer.setData(ET.tostring(document.getroot()))
    loader = QUiLoader()
    root = loader.load(buffer)
    if root is None:
        raise RuntimeError(f"Could not load UI file: {path}: {loader.errorString()}")
    for connection in scene:
        receiver = root.findChild(QtWidgets.QWidget, connection.findtext("receiver"))
        if connection.findtext("sender") != root.objectName() or receiver is None:
            raise RuntimeError(f"{path}: a connection of the scene names no widget: {ET.tostring(connection).decode()}")
        root.mrmlSceneChanged.connect(receiver.setMRMLScene)
    for connection in wanted:
        if connection not in scene and "MRML" in connection.findtext("slot", ""):
            raise RuntimeError(f"{path}: unknown connection {ET.tostring(connection).decode()}")
    return pythonqt.wrapped(root)
