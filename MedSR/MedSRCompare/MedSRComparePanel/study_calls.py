"""The calls of `MedSRCompareLogic` about blind readings and reports; see `calls`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from MedSRComparePanel import blinding

if TYPE_CHECKING:
    from MedSRScene.report_run import ReportRun


class StudyCalls:
    """A part of `calls.Calls`."""

    def startReading(self, parameters: Any) -> None:
        """Shuffle the volumes by the seed and show them under letters; the reference stays what it is."""
        columns, results = self.columns(parameters), self.results(parameters)
        reference = columns[0] if len(columns) > len(results) else None
        self._comparison.reading = blinding.Reading(slicer.mrmlScene, results, reference, parameters.seed)

    def endReading(self, parameters: Any) -> None:
        """Show the names again."""
        reading, self._comparison.reading = self._comparison.reading, None
        if reading is not None:
            reading.close()

    def readingLetters(self) -> list[str]:
        """The letters of the reading that goes on; empty if none does."""
        reading = self._comparison.reading
        return [] if reading is None else reading.letters

    def record(self, parameters: Any, scores: Mapping[str, Mapping[str, int]], comment: str = "") -> None:
        """Keep scores (letter to criterion to 1 … 5) of the case that the parameters name.

        Raises:
            ValueError: if no reading goes on, or a score is out of range.
        """
        reading = self._comparison.reading
        if reading is None:
            raise ValueError(_("Start a blind reading first."))
        rows = reading.rows(parameters.caseName, scores, comment)
        parameters.records = blinding.added(parameters.records, rows)

    def saveScores(self, parameters: Any, path: Path | str) -> None:
        """Write all recorded scores as CSV, with the volume behind each letter.

        Raises:
            OSError: if the file cannot be written.
        """
        blinding.save(path, parameters.records)

    def whyNoReport(self, parameters: Any) -> str:
        """Why there can be no report; empty if there can."""
        if parameters.reference is None:
            return _("A report compares with a reference: choose one above.")
        if self.readingLetters():
            return _("End the blind reading first: a report shows the names.")
        return self.whyNot(parameters)

    def startReport(self, parameters: Any, folder: Path | str) -> ReportRun:
        """Start to write report.html, metrics.json and metrics.csv into a folder; poll it as `startRun`."""
        from MedSRScene.report_run import ReportRun

        run = ReportRun(
            {each.title: each.source for each in self.results(parameters)},
            parameters.reference,
            folder,
            mask=parameters.mask,
            segmentID=parameters.segment or None,
            inputNode=parameters.acquired,
            resampled=self._comparison.computed.resampledIDs,
        )
        run.start()
        return run
