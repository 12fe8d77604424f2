"""The choice of the guide, a sharper volume of another contrast, and the view that checks whether both lie alike."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRPanel.alignment_view import AlignmentView
from MedSRPanel.section import Choice, Section, enable

SUGGESTED, NO_GUIDE = "suggested", "none"


class GuideSection(Section):
    """Fitting volumes come first; those that do not fit say why."""

    def connect(self) -> None:
        ui = self.ui
        self._choice = Choice(self, ui.guideComboBox, "guideVolume", write=self._choose)
        self.view = AlignmentView()
        ui.alignmentButton.connect("toggled(bool)", self._onAlignment)
        ui.squaresSlider.connect("valueChanged(double)", self._onSquares)

    def show(self) -> None:
        ui, parameters, panel = self.ui, self.parameters, self.panel
        volume = parameters.inputVolume
        loaded = volume is not None and volume.GetImageData() is not None
        others = [node for node in self.logic.volumes() if loaded and node.GetID() != volume.GetID()]
        useful = bool(others) and any(info.needs_guide for info in panel.methods.values())
        guide = self.logic.guide(parameters) if useful else None
        for part in (ui.guideLabel, ui.guideComboBox, ui.alignmentButton):
            part.visible = useful
        text = ""
        if useful:
            self._showChoice(others, guide)
            text = self._told(guide)
        ui.guideInfoLabel.text = text
        ui.guideInfoLabel.visible = bool(text)
        nothing = _("Choose a guide first.") if guide is None else ""
        tip = _(
            "Show input and guide as the squares of a checkerboard, as they lie in the scene: edges go on from square "
            "to square where both lie alike."
        )
        enable(ui.alignmentButton, nothing, tip)
        self._showAlignment(guide)

    def _showChoice(self, others: list[Any], guide: Any) -> None:
        """The suggestion, no guide, what fits, and what does not, with the reason."""
        parameters, combo = self.parameters, self.ui.guideComboBox
        volume = parameters.inputVolume
        fitting = [node.GetID() for node in self.logic.guides(parameters)]
        suggested = self.logic.sharperVolume(parameters)
        texts = {NO_GUIDE: _("No guide")}
        if suggested is not None:
            texts = {SUGGESTED: "★ " + _text(suggested), **texts}
        reasons = {node.GetID(): self.logic.whyNoGuide(node, volume) for node in others}
        for nodeID in [*fitting, *(each for each in reasons if each not in fitting)]:
            text = _text(slicer.mrmlScene.GetNodeByID(nodeID))
            texts[nodeID] = f"⚠ {text}" if reasons[nodeID] else text
        chosen = parameters.guideVolume
        value = NO_GUIDE if guide is None else SUGGESTED if chosen is None else chosen.GetID()
        self._choice.show(texts, value)
        for index, each in enumerate(texts):
            combo.setItemData(index, reasons.get(each, ""), qt.Qt.ToolTipRole)
        combo.toolTip = _(
            "A sharper volume of another contrast of the same patient. Methods that use one take its edges. ★ is what "
            "suits best of the scene."
        )

    def _told(self, guide: Any) -> str:
        from MedSRPanel import guides

        info = self.panel.methods.get(self.logic.chosen(self.parameters)[0])
        takes = info is not None and info.needs_guide
        if guide is None:
            return _("The method below does better with a guide.") if takes else ""
        volume = self.parameters.inputVolume
        reason = self.logic.whyNoGuide(guide, volume)
        if reason:
            return str(reason)
        if not takes:
            return _("The method below takes no guide.")
        if guides.elsewhere(guide, volume):
            return _("The patient may have moved between both: check the alignment.")
        return ""

    def _choose(self, value: str) -> None:
        parameters = self.parameters
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.useGuide = value != NO_GUIDE
            own = value not in (SUGGESTED, NO_GUIDE)
            parameters.guideVolume = slicer.mrmlScene.GetNodeByID(value) if own else None

    # The checkerboard

    def _showAlignment(self, guide: Any) -> None:
        """Follow what is chosen; without both volumes the view is left."""
        ui = self.ui
        if self.view.active and (guide is None or not self.view.isOf(self.parameters.inputVolume, guide)):
            if guide is None:
                self.view.leave()
            else:
                self._open(guide)
        for part in (ui.squaresLabel, ui.squaresSlider):
            part.visible = self.view.active
        if ui.alignmentButton.checked != self.view.active:
            ui.alignmentButton.checked = self.view.active

    def _open(self, guide: Any) -> None:
        from MedSRScene.errors import SceneError

        try:
            self.view.show(self.parameters.inputVolume, guide, round(self.ui.squaresSlider.value))
        except SceneError as error:
            self.view.leave()
            slicer.util.errorDisplay(str(error))

    def _onAlignment(self, checked: bool) -> None:
        if self.panel.showing or self.parameters is None:
            return
        if checked:
            self._open(self.logic.guide(self.parameters))
        else:
            self.view.leave()
        self.panel.refresh()

    def _onSquares(self, value: float) -> None:
        if self.view.active:
            self.view.setSquares(round(value))

    def stop(self) -> None:
        self.view.leave()
        self.ui.alignmentButton.blockSignals(True)
        self.ui.alignmentButton.checked = False
        self.ui.alignmentButton.blockSignals(False)


def _text(node: Any) -> str:
    spacing = " × ".join(dict.fromkeys(f"{h:.3g}" for h in node.GetSpacing()))
    return _("{name}, {spacing} mm").format(name=node.GetName(), spacing=spacing)
