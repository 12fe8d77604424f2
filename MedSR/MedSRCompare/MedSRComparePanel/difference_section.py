"""The difference of every volume to the reference: its colours, limit and legend."""

from __future__ import annotations

from typing import Any

from MedSRPanel.section import Choice, Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel.radios import Radios

PERCENTS = (0.0, 2.0, 5.0, 10.0, 15.0, 25.0, 50.0, 100.0)
"""0 is automatic."""


class DifferenceSection(Section):
    """What is shown under each volume."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        ui = self.ui
        self._modes = Radios(self, {"signed": ui.signedRadio, "absolute": ui.absoluteRadio}, "differenceMode")
        self._limit = Choice(self, ui.limitComboBox, "differenceLimit")

    def show(self) -> None:
        self._modes.show()
        self._limit.show({percent: _percent(percent) for percent in PERCENTS})
        reason = self._whyNot()
        enable(self.ui.differenceCheckBox, reason, _("Volume minus reference, in a view of its own. Key: D."))
        self.ui.differenceInfoLabel.text = reason or self._told()
        self.ui.differenceInfoLabel.visible = bool(self.ui.differenceInfoLabel.text)

    def toggle(self) -> None:
        """Key D."""
        if self.parameters is not None and not self._whyNot():
            self.parameters.showDifference = not self.parameters.showDifference

    def _whyNot(self) -> str:
        if self.parameters.reference is None:
            return _("Choose a reference above: differences are taken to it.")
        if self.logic.readingLetters():
            return _("Differences are not shown in a blind reading.")
        return ""

    def _told(self) -> str:
        if not self.logic.computed(self.parameters):
            return _("Not computed yet: press Compare.")
        limit, whole = self.logic.limit(self.parameters)
        text = _("Full colour at ±{limit}").format(limit=f"{limit:.3g}")
        if self.parameters.differenceMode == "absolute":
            text = _("Full colour at {limit}").format(limit=f"{limit:.3g}")
        if whole > 0:
            text += " " + _("({percent} % of the reference's range)").format(percent=f"{limit / whole * 100:.2g}")
        return text


def _percent(percent: float) -> str:
    return _("{percent} % of the range").format(percent=f"{percent:g}") if percent else _("Automatic")
