"""The parts of Slicer around a module, without its window: `install()` puts them where modules import them from.

Scene, nodes and logics are Slicer's own (package slicer-core), and so is most of `slicer.util`; Qt is PySide6 seen
through `pythonqt`. See `dialogs` for what message boxes said and what file dialogs answer, `slicer_modules.select`
to open a panel, and `pythonqt.slotErrors` for exceptions in slots.
"""

from __future__ import annotations

import atexit
import sys
import types
from pathlib import Path
from typing import Any

import application
import application_logic
import dialogs
import layout_manager
import parameter_node
import parameter_validators
import pythonqt
import sample_data
import scripted_module
import signals
import slicer
import slicer_modules
import ui_files
import util
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

messages = dialogs.messages


class Parent:
    """What a widget is given by Slicer, for tests that make the widget themselves."""

    def __init__(self, widget: QtWidgets.QWidget | None = None) -> None:
        self.isEntered = True
        self._layout = pythonqt.wrapped(widget.layout()) if widget is not None else None

    def layout(self) -> Any:
        return self._layout


class _Slicer(types.ModuleType):
    """Module `slicer`, with the MRML widgets by their names."""

    _widgets = pythonqt.Module("slicer", ui_files.LIBRARIES)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("qMRML", "qSlicer")):
            return getattr(self._widgets, name)
        raise AttributeError(f"module 'slicer' has no attribute '{name}'")


def install() -> None:
    """Put the stand-ins where modules of Slicer import them from; once is enough."""
    if isinstance(QtWidgets.QApplication.instance(), application.qSlicerApplication):
        return
    QtCore.qInstallMessageHandler(_told)
    app = application.qSlicerApplication()
    sys.modules["qt"] = pythonqt.Module("qt", (ui_files, QtCore, QtGui, QtWidgets, QtUiTools))
    sys.modules["ctk"] = pythonqt.Module("ctk", (*ui_files.LIBRARIES, application))
    pythonqt.overrides.update(dialogs.overrides())
    pythonqt.overrides["QTimer.singleShot"] = _single_shot
    pythonqt.overrides["QDesktopServices.openUrl"] = lambda url: app.openUrl(url.toString())
    (Path(app.property("slicerHome")) / "ColorFiles").mkdir()
    core = application_logic.Core(home=app.property("slicerHome"))
    slicer.mrmlScene = core.scene
    atexit.register(core.scene.Clear, True)  # nodes must go before the logics that observe them
    app.start(core, layout_manager.qSlicerLayoutManager(core))
    slicer.__class__ = _Slicer
    slicer.app = pythonqt.wrapped(app)
    slicer.modules = slicer_modules.make(core)
    util.install()
    for name, members in _modules().items():
        module = sys.modules.setdefault(name, types.ModuleType(name))
        for member, value in members.items():
            setattr(module, member, value)
        if "." in name:
            setattr(slicer, name.split(".")[1], module)
    sys.modules["SampleData"] = sample_data.module()


def _modules() -> dict[str, dict[str, Any]]:
    wrapper = {cls.__name__: cls for cls in parameter_validators.ANNOTATIONS}
    base = (
        scripted_module.ScriptedLoadableModule,
        scripted_module.ScriptedLoadableModuleWidget,
        scripted_module.ScriptedLoadableModuleLogic,
        scripted_module.ScriptedLoadableModuleTest,
    )
    return {
        "slicer.i18n": {"tr": lambda text: text, "translate": lambda context, text: text},
        "slicer.parameterNodeWrapper": {**wrapper, "parameterNodeWrapper": parameter_node.parameterNodeWrapper},
        "slicer.ScriptedLoadableModule": {cls.__name__: cls for cls in base},
    }


def _told(kind: Any, context: Any, text: str) -> None:
    """Qt's messages, without those of a platform that shows no windows."""
    if not text.startswith("This plugin does not support"):
        print(text, file=sys.stderr)


def _single_shot(milliseconds: int, function: Any) -> None:
    QtCore.QTimer.singleShot(int(milliseconds), signals.guarded(function))


def reset() -> None:
    """As new: no widgets of panels that were closed, no nodes, no settings, no messages, the first layout."""
    app = QtWidgets.QApplication.instance()
    app.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete.value)  # outside its loop Qt never deletes later
    slicer.mrmlScene.Clear(True)
    app.settings().clear()
    app.openedUrls.clear()
    dialogs.clear()
    util.statuses.clear()
    sample_data.sources.clear()
    pythonqt.slotErrors.clear()
    app.layoutManager().setLayout(layout_manager.FOUR_UP)
