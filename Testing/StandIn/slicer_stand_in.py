"""The parts of Slicer around a module: application, module classes, messages, loader of .ui files.

Scene and nodes are Slicer's own (package slicer-core); only what needs its window is stood in for.
"""

from __future__ import annotations

import sys
import types
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pythonqt
import slicer
import slicer.util
from mrml_widgets import ctkCollapsibleButton, qMRMLNodeComboBox, qMRMLWidget
from parameter_node import WithinRange, parameterNodeWrapper
from PySide6 import QtCore, QtUiTools, QtWidgets

WIDGETS = (ctkCollapsibleButton, qMRMLNodeComboBox, qMRMLWidget)
messages: list[str] = []
"""What would have been shown in message boxes."""


class Parent:
    """What a module or its widget is given by Slicer."""

    def __init__(self, widget: QtWidgets.QWidget | None = None) -> None:
        self.isEntered = True
        self._layout = pythonqt.wrapped(widget.layout()) if widget is not None else None

    def layout(self) -> Any:
        return self._layout


class ScriptedLoadableModule:
    def __init__(self, parent: Parent) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Parent | None = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()

    def resourcePath(self, name: str) -> str:
        return str(Path(sys.modules[self.moduleName].__file__).parent / "Resources" / name)

    def setup(self) -> None:
        """In Slicer, the buttons of the developer."""

    def onReload(self) -> None:
        """In Slicer, imports the module again."""


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    def delayDisplay(self, message: str, msec: int = 0) -> None:
        messages.append(message)


def loadUI(path: str) -> Any:
    """The widget of a .ui file, with the connections of the scene made as Slicer's loader makes them."""
    document = ET.parse(path)
    connections = document.getroot().find("connections")
    loader = QtUiTools.QUiLoader()
    for widget in WIDGETS:
        loader.registerCustomWidget(widget)
    wanted = [[part.text for part in connection] for connection in connections]
    connections.clear()
    buffer = QtCore.QBuffer()
    buffer.setData(ET.tostring(document.getroot()))
    root = loader.load(buffer)
    if root is None:
        raise RuntimeError(f"Could not load UI file: {path}: {loader.errorString()}")
    for sender, signal, receiver, slot in wanted:
        assert (sender, signal, slot) == (
            root.objectName(),
            "mrmlSceneChanged(vtkMRMLScene*)",
            "setMRMLScene(vtkMRMLScene*)",
        )
        root.mrmlSceneChanged.connect(root.findChild(QtWidgets.QWidget, receiver).setMRMLScene)
    return pythonqt.wrapped(root)


def childWidgetVariables(widget: Any) -> Any:
    ui = types.SimpleNamespace()
    for child in widget._object.findChildren(QtWidgets.QWidget):
        if child.objectName():
            setattr(ui, child.objectName(), pythonqt.wrapped(child))
    return ui


def install() -> None:
    """Put the stand-ins where modules of Slicer import them from."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    sys.modules["qt"] = pythonqt.QtModule("qt")
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda context, text: text
    wrapper = types.ModuleType("slicer.parameterNodeWrapper")
    wrapper.parameterNodeWrapper, wrapper.WithinRange = parameterNodeWrapper, WithinRange
    base = types.ModuleType("slicer.ScriptedLoadableModule")
    for cls in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(base, cls.__name__, cls)
    for module in (i18n, wrapper, base):
        sys.modules[module.__name__] = module
        setattr(slicer, module.__name__.split(".")[1], module)
    slicer.app = pythonqt.wrapped(application)
    slicer.util.loadUI = loadUI
    slicer.util.childWidgetVariables = childWidgetVariables
    slicer.util.errorDisplay = lambda text, **more: messages.append(text)
    slicer.util.setSliceViewerLayers = lambda **layers: None
    slicer.mrmlScene = slicer.vtkMRMLScene()
