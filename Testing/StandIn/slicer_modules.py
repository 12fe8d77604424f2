"""`slicer.modules`: logics of the modules of Slicer, and the modules under test once they are opened."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import pythonqt
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property

_LOGICS = {
    "annotations": "vtkSlicerAnnotationModuleLogic",
    "cropvolume": "vtkSlicerCropVolumeLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "plots": "vtkSlicerPlotsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "tables": "vtkSlicerTablesLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}


class qSlicerScriptedLoadableModule(QtCore.QObject):
    """A module of Slicer, loadable or scripted."""

    def __init__(self, name: str, logic: Any = None, path: str = "") -> None:
        super().__init__()
        self._name, self._logic, self._path = name, logic, path
        self._representation: qSlicerScriptedLoadableModuleWidget | None = None

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> Any:
        if self._representation is None and self._path:
            self._representation = qSlicerScriptedLoadableModuleWidget(self)
        return self._representation

    name, title = Property(str, lambda self: self._name), Property(str, lambda self: self._name)
    path = Property(str, lambda self: self._path)


class qSlicerScriptedLoadableModuleWidget(QtWidgets.QWidget):
    """The panel of a scripted module: it holds the widget that the module's Python class makes."""

    def __init__(self, module: qSlicerScriptedLoadableModule) -> None:
        super().__init__()
        QtWidgets.QVBoxLayout(self)
        self._module, self._entered = module, False
        imported = sys.modules[module.name]
        self._self = getattr(imported, f"{module.name}Widget")(pythonqt.wrapped(self))
        self._self.setup()

    def self(self) -> Any:
        return self._self

    def module(self) -> qSlicerScriptedLoadableModule:
        return self._module

    def enter(self) -> None:
        self._entered = True
        getattr(self._self, "enter", int)()

    def exit(self) -> None:
        self._entered = False
        getattr(self._self, "exit", int)()

    isEntered = Property(bool, lambda self: self._entered)


class Modules(types.SimpleNamespace):
    """What `slicer.modules` is."""


def make(core: Any) -> Modules:
    modules = Modules()
    for name, cls in _LOGICS.items():
        setattr(modules, name, pythonqt.wrapped(qSlicerScriptedLoadableModule(name.title(), core.logic(cls))))
    modules.colors = pythonqt.wrapped(qSlicerScriptedLoadableModule("Colors", core.colors))
    return modules


def load(name: str) -> Any:
    """Import a scripted module and make it known, as Slicer does at its start."""
    import slicer

    if not hasattr(slicer.modules, name.lower()):
        imported = importlib.import_module(name)
        parent = types.SimpleNamespace(path=imported.__file__)
        setattr(slicer.modules, f"{name}Instance", getattr(imported, name)(parent))
        module = qSlicerScriptedLoadableModule(name, path=str(Path(imported.__file__)))
        setattr(slicer.modules, name.lower(), pythonqt.wrapped(module))
    return getattr(slicer.modules, name.lower())


selected: list[str] = []
"""The modules that have been shown, the last one now."""


def select(name: str) -> None:
    """slicer.util.selectModule: leave the module shown, and enter another."""
    import slicer

    load(name) if name.startswith("MedSR") else None
    for old in selected[-1:]:
        shown = getattr(slicer.modules, old.lower())._object._representation
        if shown is not None and shown._entered:
            shown.exit()
    selected.append(name)
    module = getattr(slicer.modules, name.lower(), None)
    representation = None if module is None else module._object.widgetRepresentation()
    if representation is not None:
        setattr(slicer.modules, f"{name}Widget", representation.self())
        representation.enter()


def close(name: str) -> None:
    """Not Slicer's: end the panel of a module, as at the end of the application."""
    import slicer

    module = getattr(slicer.modules, name.lower(), None)
    if module is not None and module._object._representation is not None:
        representation, module._object._representation = module._object._representation, None
        if representation._entered:
            representation.exit()
        representation.self().cleanup()
        representation.deleteLater()
        selected[:] = [other for other in selected if other != name]
