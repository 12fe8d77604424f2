"""How thick the slices of the input are: found in its DICOM files, or typed."""

from __future__ import annotations

from slicer.i18n import tr as _

from MedSRPanel.section import Section


class ThicknessSection(Section):
    """A number, asked for where the input has thick slices and the method or a check makes use of it."""

    def connect(self) -> None:
        self.ui.thicknessSpinBox.keyboardTracking = False

    def show(self) -> None:
        from MedSRPanel import choices

        ui, parameters = self.ui, self.parameters
        volume = parameters.inputVolume
        axis = None
        if volume is not None and volume.GetImageData() is not None and not self.panel.missing:
            axis = choices.thick_axis(volume.GetSpacing())
        useful = axis is not None and self.logic.usesThickness(parameters)
        for part in (ui.thicknessLabel, ui.thicknessSpinBox):
            part.visible = useful
        ui.thicknessInfoLabel.visible = False
        if not useful or axis is None:
            return
        found, source = self.logic.foundThickness(volume)
        spacing = volume.GetSpacing()[axis]
        if found is None:
            text = _("{distance} mm (distance of the slices)").format(distance=f"{spacing:.3g}")
        else:
            text = _("{thickness} mm ({source})").format(thickness=f"{found:.3g}", source=source)
        ui.thicknessSpinBox.specialValueText = text
        ui.thicknessSpinBox.toolTip = _(
            "How thick the scanner's slices are, in mm; 0 for what is shown. It is less than the distance of the "
            "slices where there are gaps, and more where they overlap."
        )
        unknown = found is None and not parameters.thickness
        ui.thicknessInfoLabel.text = _(
            "The volume does not tell how thick its slices are. Give it if they have gaps or overlap."
        )
        ui.thicknessInfoLabel.visible = unknown
