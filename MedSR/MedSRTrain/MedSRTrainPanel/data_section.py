"""The upper part of the panel: which volumes there are, and what a check says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRTrainPanel import telling


class DataSection:
    """Shows and changes the parameters ``data`` and ``modality``, and shows the result of a check.

    Args:
        ui: the widgets by name.
        change: writes parameters, as keyword arguments.
    """

    def __init__(self, ui: Any, change: Callable[..., None]) -> None:
        self._ui, self._change = ui, change
        self._seen: tuple[str, float] | None = None
        self._told = ""
        self._checked: tuple[str, dict[str, Any]] | None = None
        ui.dataPathEdit.connect("currentPathChanged(QString)", lambda path: change(data=path))
        ui.modalityComboBox.connect("currentTextChanged(QString)", lambda text: change(modality=text.strip()))
        ui.dataFolderButton.connect("clicked()", self._chooseFolder)
        ui.dataManifestButton.connect("clicked()", self._chooseManifest)

    def show(self, parameters: Any, key: str) -> None:
        """Show the parameters; ``key`` tells whether the last check was of them as they are now."""
        ui = self._ui
        if ui.dataPathEdit.currentPath != parameters.data:
            ui.dataPathEdit.currentPath = parameters.data
        self._glance(parameters)
        if ui.modalityComboBox.currentText != parameters.modality:
            ui.modalityComboBox.setEditText(parameters.modality)
        self._showCheck(key)

    def keep(self, key: str, result: dict[str, Any]) -> None:
        """Remember what a check of the parameters known by ``key`` found."""
        self._checked = (key, result)
        self._showCheck(key)

    def checked(self, key: str) -> dict[str, Any] | None:
        """What a check of just these parameters found."""
        return self._checked[1] if self._checked is not None and self._checked[0] == key else None

    def _showCheck(self, key: str) -> None:
        ui, result = self._ui, self.checked(key)
        ui.dataInfoLabel.text = self._told if result is None else telling.volumes(result)
        ui.dataInfoLabel.visible = bool(ui.dataInfoLabel.text)
        if result is not None:
            ui.checkHintLabel.text = telling.length(result)
        elif self._checked is not None:
            ui.checkHintLabel.text = _("Changed since the last check.")
        else:
            ui.checkHintLabel.text = _("Says how long it will take.")
        ui.problemsLabel.text = "" if result is None else telling.problems(result)
        ui.problemsLabel.visible = bool(ui.problemsLabel.text)

    def _glance(self, parameters: Any) -> None:
        """Say what a newly chosen table or folder holds, without opening a volume."""
        from MedSRLib import manifests
        from MedSRLib.errors import MedSRError

        path = Path(parameters.data)
        stamp = (parameters.data, path.stat().st_mtime if parameters.data and path.exists() else 0.0)
        if stamp == self._seen:
            return
        self._seen, self._told = stamp, ""
        names: list[str] = []
        if parameters.data:
            try:
                manifest = manifests.load(path)
            except (MedSRError, OSError) as error:
                self._told = f"⚠ {error}"
            else:
                self._told, names = telling.glance(manifest), telling.modalities(manifest)
        self._offer(names, parameters.modality)

    def _offer(self, names: list[str], current: str) -> None:
        combo = self._ui.modalityComboBox
        blocked = combo.blockSignals(True)
        combo.clear()
        for name in ["", *(names or ("T1w", "T2w", "FLAIR", "PD", "CT"))]:
            combo.addItem(name)
        combo.setEditText(current)
        combo.blockSignals(blocked)

    def _chooseFolder(self) -> None:
        start = self._ui.dataPathEdit.currentPath
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("A folder of volumes"), start)
        if path:
            self._change(data=path)

    def _chooseManifest(self) -> None:
        start = self._ui.dataPathEdit.currentPath
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("A table of volumes"), start, _("Tables (*.tsv);;All files (*)")
        )
        if path:
            self._change(data=path)
