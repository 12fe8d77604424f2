"""Many volumes with the settings of the panel: ticked ones of the scene, or all of a folder."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRPanel.section import Section, enable

FULL = 1000


class BatchSection(Section):
    """Starts, watches and cancels one batch."""

    def connect(self) -> None:
        ui = self.ui
        self._run: Any = None
        self._listed: list[str] = []
        self._stage = ""
        ui.batchNodesRadio.checked = True
        ui.batchNodesRadio.connect("toggled(bool)", self._changed)
        ui.batchList.connect("itemChanged(QListWidgetItem*)", self._changed)
        ui.batchInEdit.connect("currentPathChanged(QString)", self._changed)
        ui.batchOutEdit.connect("currentPathChanged(QString)", self._changed)
        ui.batchInButton.connect("clicked(bool)", self._onFolderIn)
        ui.batchOutButton.connect("clicked(bool)", self._onFolderOut)
        ui.batchButton.connect("clicked(bool)", self._onBatch)
        for part in (ui.batchProgressBar, ui.batchStatusLabel):
            part.visible = False

    def busy(self) -> bool:
        """Whether a batch is under way."""
        return self._run is not None and self._run.state == "running"

    def show(self) -> None:
        ui, nodes = self.ui, self.ui.batchNodesRadio.checked
        self._list()
        ui.batchList.visible = nodes
        for part in (ui.batchInLabel, ui.batchInEdit, ui.batchInButton):
            part.visible = not nodes
        for part in (ui.batchOutLabel, ui.batchOutEdit, ui.batchOutButton):
            part.visible = not nodes
        busy = self.busy()
        ui.batchButton.text = _("Cancel batch") if busy else _("Start batch")
        tip = _("Stop; what is done stays.") if busy else _("One volume after the other, with the settings above.")
        enable(ui.batchButton, "" if busy else self._whyNot(), tip)

    def _changed(self, *_given: Any) -> None:
        if not self.panel.showing and self.parameters is not None:
            self.panel.refresh()

    def _list(self) -> None:
        """The volumes of the scene, with their ticks kept."""
        found = self.logic.volumes()
        if [node.GetID() for node in found] == self._listed:
            for row, node in enumerate(found):
                self.ui.batchList.item(row).setText(node.GetName())
            return
        ticked = {node.GetID() for node in self._ticked()}
        self._listed = [node.GetID() for node in found]
        self.ui.batchList.clear()
        for node in found:
            item = qt.QListWidgetItem(node.GetName())
            item.setFlags(item.flags() | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if node.GetID() in ticked else qt.Qt.Unchecked)
            self.ui.batchList.addItem(item)

    def _ticked(self) -> list[Any]:
        rows = (row for row in range(self.ui.batchList.count) if self.ui.batchList.item(row).checkState())
        nodes = (slicer.mrmlScene.GetNodeByID(self._listed[row]) for row in rows)
        return [node for node in nodes if node is not None]

    def _whyNot(self) -> str:
        if self.panel.missing:
            return _("Packages are missing. Press Set up above.")
        if self.panel.apply.running():
            return _("Wait until the run above has ended.")
        if self.parameters.goal == "like":
            return _("Choose another goal: volumes of a batch have their own grids.")
        if self.ui.batchNodesRadio.checked:
            return "" if self._ticked() else _("Tick the volumes to super-resolve.")
        info = self.panel.methods.get(self.logic.chosen(self.parameters)[0])
        if info is not None and info.needs_guide:
            return _("Choose another method: a folder has no guide for each of its volumes.")
        source, target = self.ui.batchInEdit.currentPath, self.ui.batchOutEdit.currentPath
        if not source or not target:
            return _("Choose the folder with the volumes, and the folder for the results.")
        return _("Results and volumes need folders of their own.") if source == target else ""

    def _onFolderIn(self, checked: bool = False) -> None:
        self._ask(self.ui.batchInEdit, _("Folder with the volumes"))

    def _onFolderOut(self, checked: bool = False) -> None:
        self._ask(self.ui.batchOutEdit, _("Folder for the results"))

    def _ask(self, edit: Any, title: str) -> None:
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, edit.currentPath)
        if path:
            edit.currentPath = path

    def _onBatch(self, checked: bool = False) -> None:
        ui = self.ui
        if self.busy():
            self._run.cancel()
            enable(ui.batchButton, _("The batch is being stopped."), "")
            return
        if ui.batchNodesRadio.checked:
            self._run = self.logic.startBatch(self.parameters, self._ticked())
        else:
            source, target = ui.batchInEdit.currentPath, ui.batchOutEdit.currentPath
            self._run = self.logic.startFolderBatch(self.parameters, source, target)
        self._stage = ""
        ui.batchProgressBar.value = 0
        for part in (ui.batchProgressBar, ui.batchStatusLabel):
            part.visible = True
        self._say(_("Starting…"))
        self.panel.watch()
        self.panel.refresh()

    def poll(self) -> None:
        """Show what the batch has told, and its end."""
        if self._run is None:
            return
        for event in self._run.poll():
            self._hear(event)
        if self._run.state == "running":
            return
        run, self._run = self._run, None
        self.ui.batchProgressBar.visible = False
        if run.state == "cancelled":
            self._say(_("Cancelled. What was done before is kept."))
        elif run.state == "failed":
            self._say(run.errorMessage)
        else:
            self._say("\n".join(part for part in (_("The batch is done."), run.errorMessage) if part))
        self.panel.note(self.ui.batchStatusLabel.text)
        self.panel.refresh()

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] == "stage":
            self._say(str(event["name"]))
        elif event["event"] == "progress":
            self.ui.batchProgressBar.value = round(float(event.get("fraction") or 0.0) * FULL)
        elif event["event"] == "log":
            self.panel.note(str(event.get("message", "")))

    def _say(self, text: str) -> None:
        self.ui.batchStatusLabel.text = text

    def stop(self) -> None:
        if self._run is not None:
            self._run.clean()
            self._run = None
