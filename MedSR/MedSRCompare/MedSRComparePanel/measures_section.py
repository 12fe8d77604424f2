"""The measures as a table, inside the whole volume or a mask, and the charts made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
import slicer
from MedSRPanel.section import Choice, Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel import charts, tables
from MedSRComparePanel.files import ask_where_to_save
from MedSRComparePanel.tables import Row


class MeasuresSection(Section):
    """Mask, table, copy and export, charts."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        ui = self.ui
        self._segment = Choice(self, ui.segmentComboBox, "segment")
        self._inside = Choice(self, ui.insideComboBox, "inside")
        self._chart = Choice(self, ui.chartComboBox, "chart")
        self._axis = Choice(self, ui.sliceAxisComboBox, "sliceAxis")

    def connect(self) -> None:
        ui = self.ui
        ui.maskSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onMask)
        ui.copyButton.connect("clicked(bool)", self._onCopy)
        ui.saveMeasuresButton.connect("clicked(bool)", self._onSave)

    def show(self) -> None:
        parameters, ui = self.parameters, self.ui
        ui.maskSelector.setCurrentNode(parameters.mask)
        segments = segments_of(parameters.mask)
        ui.segmentComboBox.visible = bool(segments)
        self._segment.show(segments)
        if segments and parameters.segment not in segments:
            ui.segmentComboBox.currentIndex = 0
        masked = _("The patient, without the air") if parameters.mask is None else _("The mask")
        self._inside.show({"mask": masked, "whole": _("The whole volume")})
        self._chart.show(charts.titles())
        self._axis.show({axis: _("along {axis}").format(axis=axis) for axis in charts.AXES})
        ui.sliceAxisComboBox.visible = parameters.chart in (charts.SLICES_MAE, charts.SLICES_PSNR)
        shown, rows = self.logic.measures(parameters)
        fill(ui.measuresTable, [each.title for each in shown], [each.color for each in shown], rows)
        reason = "" if rows else self._whyNot()
        enable(ui.copyButton, reason, _("Copy the table, for a spreadsheet or a document."))
        enable(ui.saveMeasuresButton, reason, _("Save the measures of the whole volume and of the mask."))
        ui.chartInfoLabel.text = self._told()
        ui.chartInfoLabel.visible = bool(ui.chartInfoLabel.text)

    def _whyNot(self) -> str:
        if self.parameters.reference is None:
            return _("Measures are taken to a reference: choose one above.")
        return _("Not computed yet: press Compare.")

    def _told(self) -> str:
        parameters = self.parameters
        if parameters.chart == charts.NONE:
            return ""
        reason = self.logic.whyNoChart(parameters)
        if reason or parameters.chart != charts.BLAND_ALTMAN:
            return reason
        return self.logic.agreement(parameters)

    def _onMask(self, node: Any) -> None:
        if self.parameters is not None and not self.panel.showing:
            self.parameters.segment = next(iter(segments_of(node)), "")
            self.parameters.mask = node

    def _onCopy(self, checked: bool = False) -> None:
        shown, rows = self.logic.measures(self.parameters)
        slicer.app.clipboard().setText(tables.as_text([each.title for each in shown], rows))
        self.panel.say(_("The table is on the clipboard."))

    def _onSave(self, checked: bool = False) -> None:
        path = ask_where_to_save(_("Save the measures"), "measures.csv")
        if path:
            self.panel.attempt(lambda: self.logic.saveMeasures(self.parameters, path))


class ChecksSection(Section):
    """What can be said where there is no reference."""

    def show(self) -> None:
        parameters, ui = self.parameters, self.ui
        ui.checksInfoLabel.text = _(
            "Without a reference nobody can say how right the fine detail is, and no number here proves that any of it "
            "is real. A residual well above the noise shows that a result, degraded again, contradicts its input. A "
            "small one, and high sharpness (PSI, LPC-SI), are what a right result has, and an invented one may have."
        )
        reason = _("Used only without a reference.") if parameters.reference is not None else ""
        enable(ui.acquiredSelector, reason, _("The image that the volumes were made from."))
        shown, rows = self.logic.withoutReference(parameters)
        fill(ui.consistencyTable, [each.title for each in shown], [each.color for each in shown], rows)
        ui.consistencyTable.visible = bool(rows)


def fill(table: Any, titles: Sequence[str], colors: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows into a table widget; the best of each is bold, the head in the colour of its volume."""
    table.setColumnCount(len(titles) if rows else 0)
    table.setRowCount(len(rows))
    if not rows:
        return
    table.setHorizontalHeaderLabels(list(titles))
    for column, color in enumerate(colors):
        table.horizontalHeaderItem(column).setForeground(qt.QBrush(qt.QColor(color)))
    table.setVerticalHeaderLabels([row.title for row in rows])
    bold = qt.QFont()
    bold.setBold(True)
    for index, row in enumerate(rows):
        for column, value in enumerate(row.values):
            item = qt.QTableWidgetItem(tables.text(value))
            item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            if column in row.best:
                item.setFont(bold)
            table.setItem(index, column, item)
    table.resizeColumnsToContents()
    table.resizeRowsToContents()


def segments_of(mask: Any) -> dict[str, str]:
    """Names of the segments of a segmentation by their IDs; nothing for a label map."""
    if mask is None or not mask.IsA("vtkMRMLSegmentationNode"):
        return {}
    segmentation = mask.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
    return {segmentID: segmentation.GetSegment(segmentID).GetName() for segmentID in ids}
