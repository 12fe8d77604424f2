"""`slicer.app`: the application with its settings, layout manager, modules and main window."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal


class ctkSettings(QtCore.QSettings):
    """Settings in a file that ends with the process."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*(values or (str(_folder() / "Slicer.ini"), QtCore.QSettings.Format.IniFormat)))

    def value(self, key: str, default: Any = None) -> Any:
        return super().value(key, default)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> Path:
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="Slicer-"))
    return Path(_folders[0].name)


class qSlicerAppMainWindow(QtWidgets.QMainWindow):
    """The main window: what its parts would show is kept."""

    initialWindowShown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")


class qSlicerApplication(QtWidgets.QApplication):
    """The application."""

    mrmlSceneChanged = Signal(object)
    startupCompleted = Signal()

    def __init__(self) -> None:
        super().__init__(sys.argv[:1])
        self.setApplicationName("Slicer")
        self._core: Any = None
        self._manager: Any = None
        self._settings = ctkSettings()
        self._window = qSlicerAppMainWindow()
        self.openedUrls: list[str] = []

    def start(self, core: Any, manager: Any) -> None:
        self._core, self._manager = core, manager
        self._window.setCentralWidget(QtWidgets.QWidget())

    def mrmlScene(self) -> Any:
        return self._core.scene

    def applicationLogic(self) -> Any:
        return self._core.application

    def layoutManager(self) -> Any:
        return self._manager

    def settings(self) -> QtCore.QSettings:
        return self._settings

    userSettings = revisionUserSettings = settings

    def testingEnabled(self) -> bool:
        return False

    def mainWindow(self) -> qSlicerAppMainWindow:
        """Not Slicer's: slicer.util.mainWindow() gives it."""
        return self._window

    def pauseRender(self) -> None:
        self._manager.pauseRender()

    def resumeRender(self) -> None:
        self._manager.resumeRender()

    def setRenderPaused(self, paused: bool) -> None:
        self._manager.setRenderPaused(paused)

    def openNodeModule(self, node: Any, *more: Any) -> None:
        """In Slicer, shows the module that edits the node."""

    def openUrl(self, url: str) -> None:
        self.openedUrls.append(str(url))

    def restart(self) -> None:
        """In Slicer, closes the application and starts it again."""

    temporaryPath = Property(str, lambda self: str(_folder()))
    slicerHome = Property(str, lambda self: str(_folder()))
    extensionsInstallPath = Property(str, lambda self: str(_folder()))
    majorVersion, minorVersion = Property(int, lambda self: 5), Property(int, lambda self: 13)
    os, platform = Property(str, lambda self: "linux"), Property(str, lambda self: "linux-amd64")
    revision = Property(str, lambda self: "0")


@contextlib.contextmanager
def settings_kept() -> Any:
    """Settings as they were, afterwards."""
    settings = QtWidgets.QApplication.instance().settings()
    yield settings
    settings.clear()
