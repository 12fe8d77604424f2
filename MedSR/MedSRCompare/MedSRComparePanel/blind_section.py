"""A blind reading: start, scores, record, export; see `blinding`."""

from __future__ import annotations

from typing import Any

import qt
from MedSRPanel.section import Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel import blinding
from MedSRComparePanel.files import ask_where_to_save

_NOT_SCORED = "–"


class BlindSection(Section):
    """The scores are in the table until they are recorded in the parameter node."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._shape: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def connect(self) -> None:
        ui = self.ui
        ui.blindButton.connect("clicked(bool)", self._onBlind)
        ui.recordButton.connect("clicked(bool)", self._onRecord)
        ui.saveScoresButton.connect("clicked(bool)", self._onSave)

    def show(self) -> None:
        parameters, ui = self.parameters, self.ui
        letters = self.logic.readingLetters()
        ui.blindInfoLabel.text = _(
            "The volumes are shown in shuffled order under letters, everywhere. Which volume a letter was is written "
            "into the exported table, and shown nowhere."
        )
        ui.blindButton.checked = bool(letters)
        ui.blindButton.text = _("End blind reading") if letters else _("Start blind reading")
        few = (
            ""
            if letters or len(self.logic.results(parameters)) > 1
            else _("This needs two volumes beside the reference.")
        )
        enable(ui.blindButton, few, _("Hide the names, and shuffle the order by the seed."))
        reading = _("The reading has begun.") if letters else ""
        enable(ui.seedSpinBox, reading, _("The same seed gives the same order for the same volumes."))
        self._fill(tuple(letters), tuple(blinding.criteria_of(parameters.criteria)))
        none = "" if letters else _("Start a blind reading first.")
        case = none or ("" if parameters.caseName.strip() else _("Name the case first."))
        enable(ui.recordButton, case, _("Keep the scores of this case; recorded again, they are replaced."))
        rows = blinding.parsed(parameters.records)
        enable(
            ui.saveScoresButton,
            "" if rows else _("No scores are recorded yet."),
            _("Save all recorded scores, with the volume behind each letter."),
        )
        cases = len({row["case"] for row in rows})
        ui.recordedLabel.text = _("{scores} scores of {cases} cases are recorded.").format(
            scores=len(rows), cases=cases
        )
        ui.recordedLabel.visible = bool(rows)

    def _fill(self, letters: tuple[str, ...], criteria: tuple[str, ...]) -> None:
        """A line a letter, a column a criterion; scores that are entered stay while the shape does."""
        table = self.ui.scoresTable
        table.visible = bool(letters)
        if (letters, criteria) == self._shape:
            return
        self._shape = letters, criteria
        table.setRowCount(len(letters))
        table.setColumnCount(len(criteria))
        table.setVerticalHeaderLabels(list(letters))
        table.setHorizontalHeaderLabels(list(criteria))
        for row in range(len(letters)):
            for column in range(len(criteria)):
                combo = qt.QComboBox()
                scores = [str(score) for score in range(blinding.LOWEST, blinding.HIGHEST + 1)]
                combo.addItems([_NOT_SCORED, *scores])
                table.setCellWidget(row, column, combo)
        table.resizeColumnsToContents()

    def _scores(self) -> dict[str, dict[str, int]]:
        letters, criteria = self._shape
        given: dict[str, dict[str, int]] = {}
        for row, letter in enumerate(letters):
            for column, criterion in enumerate(criteria):
                score = self.ui.scoresTable.cellWidget(row, column).currentIndex
                if score > 0:
                    given.setdefault(letter, {})[criterion] = score
        return given

    def _onBlind(self, checked: bool) -> None:
        if checked:
            self.logic.startReading(self.parameters)
        else:
            self.logic.endReading(self.parameters)
        self._shape = ((), ())
        self.panel.refresh()

    def _onRecord(self, checked: bool = False) -> None:
        scores = self._scores()
        if not scores:
            self.panel.say(_("Give a score first."))
            return
        self.logic.record(self.parameters, scores, self.ui.commentEdit.text)
        self.panel.say(_("The scores of case {case} are recorded.").format(case=self.parameters.caseName))

    def _onSave(self, checked: bool = False) -> None:
        path = ask_where_to_save(_("Export the scores"), "scores.csv")
        if path:
            self.panel.attempt(lambda: self.logic.saveScores(self.parameters, path))
