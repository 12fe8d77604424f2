"""Asking where a file or folder shall be."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

_FOLDER_KEY = "MedSR/CompareFolder"


def ask_where_to_save(title: str, name: str) -> str:
    """The path of a new CSV file; empty if the user cancels. The folder is remembered."""
    from pathlib import Path

    start = str(Path(_folder()) / name)
    path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, start, _("Table") + " (*.csv)")
    if path:
        slicer.app.userSettings().setValue(_FOLDER_KEY, str(Path(path).parent))
        return path if path.lower().endswith(".csv") else path + ".csv"
    return ""


def ask_for_folder(title: str) -> str:
    """A folder; empty if the user cancels. It is remembered."""
    path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, _folder())
    if path:
        slicer.app.userSettings().setValue(_FOLDER_KEY, path)
    return path or ""


def _folder() -> str:
    return slicer.util.settingsValue(_FOLDER_KEY, "")
