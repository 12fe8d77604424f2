"""`slicer.ScriptedLoadableModule`: the base classes of a module written in Python."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

import dialogs
import slicer


class ScriptedLoadableModule:
    """What Slicer shows of a module."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title, parent.categories, parent.dependencies = "", [], []
        parent.contributors, parent.helpText, parent.acknowledgementText = [], "", ""

    def resourcePath(self, name: str) -> str:
        return _resource(self.moduleName, name)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        return ""

    def runTest(self, msec: int = 100, **more: Any) -> None:
        getattr(sys.modules[self.moduleName], f"{self.moduleName}Test")().runTest()


class ScriptedLoadableModuleWidget:
    """The panel of a module."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()
        self.developerMode = False

    def resourcePath(self, name: str) -> str:
        return _resource(self.moduleName, name)

    def setup(self) -> None:
        """In Slicer, the buttons of the developer."""

    def cleanup(self) -> None:
        """In Slicer, called before the widget is destroyed."""

    def onReload(self) -> None:
        """In Slicer, imports the module again."""


class ScriptedLoadableModuleLogic:
    """What a module computes; its parameter node is a singleton of the scene."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        return slicer.mrmlScene.AddNode(self.createParameterNode()) if node is None else node

    def createParameterNode(self) -> Any:
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A self-test: `runTest` runs every `test_...`, as Slicer's "Reload and Test" does."""

    def delayDisplay(self, message: str, requestedDelay: Any = None, msec: Any = None) -> None:
        dialogs.messages.append(message)

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            getattr(self, name)()
            self.tearDown()


def _resource(module: str, name: str) -> str:
    return str(Path(sys.modules[module].__file__).parent / "Resources" / name)
