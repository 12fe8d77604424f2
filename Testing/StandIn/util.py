"""The functions of `slicer.util` that need Slicer's window or its file readers; the others are Slicer's own."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dialogs
import pythonqt
import slicer
import slicer.util
import slicer_modules
import ui_files
from PySide6 import QtCore, QtGui, QtWidgets

statuses: list[str] = []
"""What the status bar would have shown."""


def _application() -> Any:
    return QtWidgets.QApplication.instance()


def mainWindow() -> Any:
    return pythonqt.wrapped(_application().mainWindow())


def childWidgetVariables(widget: Any) -> Any:
    ui = types.SimpleNamespace()
    for child in widget._object.findChildren(QtWidgets.QWidget):
        if child.objectName():
            setattr(ui, child.objectName(), pythonqt.wrapped(child))
    return ui


def settingsValue(key: str, default: Any, converter: Any = lambda value: value, settings: Any = None) -> Any:
    found = slicer.app.settings() if settings is None else settings
    return converter(found.value(key)) if found.contains(key) else default


def toBool(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "1", "yes")


@contextlib.contextmanager
def tryWithErrorDisplay(
    message: str | None = None, show: bool = True, waitCursor: bool = False, **more: Any
) -> Iterator[None]:
    """As Slicer's: a dialog with the error, which is raised again."""
    try:
        yield
    except Exception as error:
        if show:
            dialogs.messages.append(f"{message}\n\n{error}" if message else str(error))
        raise


def showStatusMessage(message: str, duration: int = 0) -> None:
    statuses.append(message)


def selectedModule() -> str:
    return slicer_modules.selected[-1] if slicer_modules.selected else "Welcome"


def getModule(name: str) -> Any:
    return getattr(slicer.modules, name.lower())


def getModuleWidget(name: str) -> Any:
    return getModule(name).widgetRepresentation().self()


def loadVolume(filename: str, properties: dict[str, Any] | None = None, returnNode: bool = False) -> Any:
    """Read an image file into a new volume, with its display, by the node's own storage."""
    options = properties or {}
    kind = "vtkMRMLLabelMapVolumeNode" if options.get("labelmap") else "vtkMRMLScalarVolumeNode"
    name = options.get("name") or Path(filename).name.split(".")[0]
    node = slicer.mrmlScene.AddNewNodeByClass(kind, slicer.mrmlScene.GenerateUniqueName(name))
    storage = node.CreateDefaultStorageNode()
    slicer.mrmlScene.AddNode(storage)
    node.SetAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(filename))
    if not storage.ReadData(node):
        slicer.mrmlScene.RemoveNode(node)
        raise RuntimeError(f"Failed to load node from file: {filename}")
    node.CreateDefaultDisplayNodes()
    if options.get("show", True):
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def saveNode(node: Any, filename: str, properties: dict[str, Any] | None = None) -> bool:
    """Write a node by its own storage."""
    if node.GetStorageNode() is None:
        node.AddDefaultStorageNode(str(filename))
    node.GetStorageNode().SetFileName(str(filename))
    return bool(node.GetStorageNode().WriteData(node))


def saveScene(filename: str, properties: dict[str, Any] | None = None) -> bool:
    """Write the scene (.mrml) and its volumes beside it."""
    scene = slicer.mrmlScene
    scene.SetURL(str(filename))
    scene.SetRootDirectory(str(Path(filename).parent))
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetImageData() is not None and (
            node.GetStorageNode() is None or not node.GetStorageNode().GetFileName()
        ):
            saveNode(node, str(Path(filename).with_name(f"{node.GetID()}.nrrd")))
    return bool(scene.Commit())


def loadScene(filename: str, properties: dict[str, Any] | None = None) -> bool:
    slicer.mrmlScene.SetURL(str(filename))
    return bool(slicer.mrmlScene.Connect())


class WaitCursor:
    """A busy cursor, for as long as it lasts."""

    def __init__(self, show: bool = True) -> None:
        self._show = show

    def __enter__(self) -> None:
        if self._show:
            slicer.app.setOverrideCursor(pythonqt.wrapped(QtGui.QCursor(QtCore.Qt.CursorShape.WaitCursor)))

    def __exit__(self, *error: Any) -> None:
        if self._show:
            slicer.app.restoreOverrideCursor()


_DISPLAYS = {
    "errorDisplay": None,
    "warningDisplay": None,
    "infoDisplay": None,
    "confirmOkCancelDisplay": True,
    "confirmYesNoDisplay": True,
    "confirmRetryCloseDisplay": True,
}
_OWN = (
    mainWindow,
    childWidgetVariables,
    settingsValue,
    toBool,
    tryWithErrorDisplay,
    showStatusMessage,
    selectedModule,
    getModule,
    getModuleWidget,
    loadVolume,
    saveNode,
    saveScene,
    loadScene,
)


def install() -> None:
    """Put them in the place of Slicer's."""
    for function in _OWN:
        setattr(slicer.util, function.__name__, function)
    for name, default in _DISPLAYS.items():
        setattr(slicer.util, name, dialogs.display(name, default))
    slicer.util.loadUI = ui_files.load
    slicer.util.selectModule = lambda module: slicer_modules.select(module if isinstance(module, str) else module.name)
    slicer.util.delayDisplay = lambda message, *values, **more: dialogs.messages.append(message)
    slicer.util.resetSliceViews = lambda: slicer.app.layoutManager().resetSliceViews()
    slicer.util.resetThreeDViews = lambda: slicer.app.layoutManager().resetThreeDViews()
    slicer.util.restart = lambda: slicer.app.restart()
