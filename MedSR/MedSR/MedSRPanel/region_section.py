"""The region of interest: only a part of the volume is super-resolved."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from MedSRPanel.section import Section, enable


class RegionSection(Section):
    """Chooses or draws a region."""

    def connect(self) -> None:
        self.ui.roiButton.connect("clicked(bool)", self._onDraw)

    def show(self) -> None:
        volume = self.parameters.inputVolume
        loaded = volume is not None and volume.GetImageData() is not None
        reason = "" if loaded else _("Select an input volume first.")
        tip = _("Make a region in the middle of the input, to be moved and sized in the views.")
        enable(self.ui.roiButton, reason, tip)
        none = "" if self.parameters.roi is not None else _("Choose or draw a region first.")
        enable(self.ui.marginSpinBox, none, _("Kept around the region, so that its rim has context."))

    def _onDraw(self, checked: bool = False) -> None:
        self.parameters.roi = self.logic.makeRegion(self.parameters.inputVolume)
        slicer.util.showStatusMessage(_("Drag the handles of the region in the views."), 5000)
