"""The model library: what is installed, the cards, and models from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRPanel.section import Section, enable


class ModelsSection(Section):
    """A table of the installed models, and their import."""

    def connect(self) -> None:
        ui = self.ui
        self._run: Any = None
        self._shown: list[str] = []
        ui.modelsTable.connect("itemSelectionChanged()", self._showButtons)
        ui.modelCardButton.connect("clicked(bool)", self._onCard)
        ui.importButton.connect("clicked(bool)", self._onImport)
        ui.modelFolderButton.connect("clicked(bool)", self._onFolder)

    def show(self) -> None:
        from MedSRPanel import wording

        table, cards = self.ui.modelsTable, self.panel.cards
        if list(cards) != self._shown:
            self._shown = list(cards)
            titles = (_("Name"), _("Method"), _("Modality"), _("Scale"), _("Licence"), _("Weights"))
            table.setColumnCount(len(titles))
            table.setHorizontalHeaderLabels(list(titles))
            table.setRowCount(len(cards))
            for row, card in enumerate(cards.values()):
                for column, text in enumerate(wording.model_row(card)):
                    table.setItem(row, column, qt.QTableWidgetItem(text))
            table.resizeColumnsToContents()
        self._showButtons()

    def _showButtons(self) -> None:
        ui = self.ui
        enable(ui.modelCardButton, "" if self._chosen() else _("Select a model in the table."), _("Show its card."))
        missing = _("Packages are missing. Press Set up above.") if self.panel.missing else ""
        busy = _("A model is being imported.") if self._run is not None else ""
        enable(ui.importButton, missing or busy, _("Bring in a model file (.safetensors), or a released checkpoint."))
        enable(ui.modelFolderButton, missing, _("Show the folder of your own models."))

    def _chosen(self) -> str:
        row = self.ui.modelsTable.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else ""

    def _onCard(self, checked: bool = False) -> None:
        card = self.panel.cards.get(self._chosen())
        if card is not None:
            self.panel.showCard(card)

    def _onImport(self, checked: bool = False) -> None:
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Import a model"), "", _("Models") + " (*.safetensors *.pkl *.pth *.pt *.ckpt)"
        )
        if path:
            self._run = self.logic.startImport(path)
            self.panel.note(_("Importing {path}").format(path=path))
            self.panel.watch()
            self._showButtons()

    def poll(self) -> None:
        """Take the model when it has come."""
        if self._run is None:
            return
        self._run.poll()
        if self._run.state == "running":
            return
        run, self._run = self._run, None
        if run.state == "done":
            self.panel.note(_("The model {name} is in the library.").format(name=run.result.get("model", "")))
        elif run.state == "failed":
            self.panel.note(run.errorMessage)
            slicer.util.errorDisplay(run.errorMessage)
        self.panel.look()

    def busy(self) -> bool:
        """Whether an import is under way."""
        return self._run is not None

    def _onFolder(self, checked: bool = False) -> None:
        from MedSRLib.models import library

        folder = library.user_folder()
        Path(folder).mkdir(parents=True, exist_ok=True)
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def stop(self) -> None:
        if self._run is not None:
            self._run.clean()
            self._run = None
