"""What is compared: the reference and the list of volumes, their order and the names that are shown."""

from __future__ import annotations

from typing import Any

import qt
from MedSRPanel.section import Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel import entries
from MedSRComparePanel.entries import Entry

_ORDER_MS = 300


class VolumesSection(Section):
    """The reference, the list and its buttons."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._listed: tuple[Any, ...] = ()
        self._filling = False
        self._order = qt.QTimer(self.ui.resultsList)
        self._order.setInterval(_ORDER_MS)
        self._order.connect("timeout()", self._onOrder)

    def connect(self) -> None:
        ui = self.ui
        ui.resultsList.connect("itemChanged(QListWidgetItem*)", self._onItem)
        ui.resultsList.connect("currentRowChanged(int)", self._onRow)
        ui.addSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onAdd)
        ui.addAllButton.connect("clicked(bool)", self._onAddAll)
        ui.upButton.connect("clicked(bool)", self._onUp)
        ui.downButton.connect("clicked(bool)", self._onDown)
        ui.sortButton.connect("clicked(bool)", self._onSort)
        ui.removeButton.connect("clicked(bool)", self._onRemove)

    def show(self) -> None:
        listed = entries.entries(self.parameters)
        blind = self.logic.readingLetters()
        names = blind or [entry.name for entry in listed]
        wanted = (tuple(names), tuple((entry.node.GetID(), entry.shown) for entry in listed), bool(blind))
        if wanted != self._listed:
            self._listed = wanted
            self._fill(listed, names, bool(blind))
        self._showButtons(bool(blind))

    def start(self) -> None:
        """The panel is shown."""
        self._order.start()

    def stop(self) -> None:
        self._order.stop()
        self._listed = ()

    def suggest(self) -> None:
        """Where nothing was chosen yet: what MedSR made in this scene, and what it was made from."""
        if not entries.entries(self.parameters):
            for node in self.logic.suggestion():
                self.logic.addVolume(self.parameters, node)

    def _fill(self, listed: list[Entry], names: list[str], blind: bool) -> None:
        ui = self.ui
        row = ui.resultsList.currentRow
        self._filling = True
        ui.resultsList.clear()
        for index, name in enumerate(names):
            ui.resultsList.addItem(name)
            item = ui.resultsList.item(index)
            flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
            if not blind:
                flags |= qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEditable | qt.Qt.ItemIsDragEnabled
                item.setData(qt.Qt.UserRole, listed[index].node.GetID())
                item.setToolTip(listed[index].node.GetName())
            item.setFlags(flags)
            if not blind:
                item.setCheckState(qt.Qt.Checked if listed[index].shown else qt.Qt.Unchecked)
        ui.resultsList.setCurrentRow(min(row, ui.resultsList.count - 1))
        self._filling = False

    def _showButtons(self, blind: bool) -> None:
        ui = self.ui
        row, count = ui.resultsList.currentRow, ui.resultsList.count
        reading = _("The list does not change during a blind reading.") if blind else ""
        none = reading or (_("Choose a volume of the list first.") if row < 0 else "")
        first = none or (_("It is the first already.") if row == 0 else "")
        last = none or (_("It is the last already.") if row == count - 1 else "")
        enable(ui.upButton, first, _("Move the chosen volume to the left."))
        enable(ui.downButton, last, _("Move the chosen volume to the right."))
        enable(ui.removeButton, none, _("Take the chosen volume off the list; it stays in the scene."))
        few = reading or (_("There is nothing to sort.") if count < 2 else "")
        enable(ui.sortButton, few, _("Sort by name."))
        full = reading or (_("Eight volumes are the most.") if count >= entries.MOST else "")
        enable(ui.addSelector, full, _("Choose a volume of the scene to add it to the list (8 at most)."))
        missing = full or ("" if self.logic.addable(self.parameters) else _("Every volume of the scene is there."))
        enable(ui.addAllButton, missing, _("Add every volume of the scene, up to 8."))
        enable(ui.referenceSelector, reading, _("The true fine image, where there is one. It may be left out."))

    def _onItem(self, item: Any) -> None:
        """A tick or a name was changed."""
        if self._filling or self.parameters is None:
            return
        self._storeAsListed()

    def _onOrder(self) -> None:
        """A drag has changed the order; the list has no signal for that.

        It is compared with what was filled in, not with the parameters: these may be ahead, after a sort.
        """
        if self._filling or self.parameters is None or not self._listed:
            return
        rows = range(self.ui.resultsList.count)
        listed = [self.ui.resultsList.item(row).data(qt.Qt.UserRole) for row in rows]
        filled = [nodeID for nodeID, _shown in self._listed[1]]
        if listed != filled and sorted(map(str, listed)) == sorted(filled):
            self._storeAsListed()

    def _storeAsListed(self) -> None:
        known = {entry.node.GetID(): entry for entry in entries.entries(self.parameters)}
        wanted = []
        for row in range(self.ui.resultsList.count):
            item = self.ui.resultsList.item(row)
            entry = known.get(item.data(qt.Qt.UserRole))
            if entry is not None:
                text = item.text().strip()
                title = "" if text in ("", entry.node.GetName()) else text
                wanted.append(Entry(entry.node, title, item.checkState() == qt.Qt.Checked))
        entries.store(self.parameters, wanted)

    def _onRow(self, row: int) -> None:
        if not self._filling and self.parameters is not None:
            self._showButtons(bool(self.logic.readingLetters()))

    def _onAdd(self, node: Any) -> None:
        if node is None or self.parameters is None or self.panel.showing:
            return
        self.ui.addSelector.setCurrentNode(None)
        try:
            self.logic.addVolume(self.parameters, node)
        except ValueError as error:
            self.panel.say(str(error))

    def _onAddAll(self, checked: bool = False) -> None:
        for node in self.logic.addable(self.parameters):
            if len(entries.entries(self.parameters)) < entries.MOST:
                self.logic.addVolume(self.parameters, node)

    def _onUp(self, checked: bool = False) -> None:
        self._move(-1)

    def _onDown(self, checked: bool = False) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        row = self.ui.resultsList.currentRow
        listed = entries.entries(self.parameters)
        if 0 <= row < len(listed) and 0 <= row + step < len(listed):
            listed.insert(row + step, listed.pop(row))
            entries.store(self.parameters, listed)
            self.panel.refresh()
            self.ui.resultsList.setCurrentRow(row + step)

    def _onSort(self, checked: bool = False) -> None:
        entries.store(self.parameters, sorted(entries.entries(self.parameters), key=lambda entry: entry.name.lower()))

    def _onRemove(self, checked: bool = False) -> None:
        row = self.ui.resultsList.currentRow
        listed = entries.entries(self.parameters)
        if 0 <= row < len(listed):
            del listed[row]
            entries.store(self.parameters, listed)
