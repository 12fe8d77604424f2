"""The choice of the guides, sharper volumes of other contrasts, and the view that checks whether they lie alike."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRPanel.alignment_view import AlignmentView
from MedSRPanel.guide_calls import ROWS
from MedSRPanel.method_section import RECOMMENDED
from MedSRPanel.section import Choice, Section, enable

SUGGESTED, NO_GUIDE = "suggested", "none"


class GuideRow:
    """The choice of one guide: the suggestion, none, what fits, and what does not, with the reason.

    Args:
        section: whose parameters.
        number: of the row, from 0.
        label, combo: its widgets.
        none: text for no guide.
        tip: what the widget is for.
    """

    def __init__(self, section: Section, number: int, label: Any, combo: Any, none: str, tip: str) -> None:
        self._section, self._number = section, number
        self.label, self.combo, self._none, self._tip = label, combo, none, tip
        self._volume, self._used = ROWS[number]
        self._choice = Choice(section, combo, self._volume, write=self._choose)

    def show(self, others: list[Any], before: list[Any], guide: Any, refused: str = "") -> None:
        """Show what may be chosen of some volumes, beside the guides of the rows before.

        Args:
            others: volumes that are not the input.
            before: guides of the rows before.
            guide: what guides in this row, or None.
            refused: why there can be no guide in this row; empty if there can.
        """
        parameters, logic = self._section.parameters, self._section.logic
        taken = [node.GetID() for node in before]
        others = [node for node in others if node.GetID() not in taken]
        fitting = [node.GetID() for node in logic.guides(parameters) if node.GetID() not in taken]
        suggested = logic.sharperVolume(parameters, beside=before)
        texts = {NO_GUIDE: self._none}
        if suggested is not None:
            texts = {SUGGESTED: "★ " + _text(suggested), **texts}
        reasons = {node.GetID(): logic.whyNoGuide(node, parameters.inputVolume) for node in others}
        for nodeID in [*fitting, *(each for each in reasons if each not in fitting)]:
            text = _text(slicer.mrmlScene.GetNodeByID(nodeID))
            texts[nodeID] = f"⚠ {text}" if reasons[nodeID] else text
        chosen = getattr(parameters, self._volume)
        value = NO_GUIDE if guide is None else SUGGESTED if chosen is None else chosen.GetID()
        self._choice.show(texts, value)
        for index, each in enumerate(texts):
            self.combo.setItemData(index, reasons.get(each, ""), qt.Qt.ToolTipRole)
        enable(self.combo, refused, self._tip)

    def _choose(self, value: str) -> None:
        parameters = self._section.parameters
        with slicer.util.NodeModify(parameters.parameterNode):
            setattr(parameters, self._used, value != NO_GUIDE)
            own = value not in (SUGGESTED, NO_GUIDE)
            setattr(parameters, self._volume, slicer.mrmlScene.GetNodeByID(value) if own else None)


class GuideSection(Section):
    """Fitting volumes come first; those that do not fit say why."""

    def connect(self) -> None:
        ui = self.ui
        tip = _(
            "A sharper volume of another contrast of the same patient. Methods that use one take its edges. ★ is what "
            "suits best of the scene."
        )
        more = _("A sharper volume of yet another contrast, for models that take two guides at once.")
        self._rows = (
            GuideRow(self, 0, ui.guideLabel, ui.guideComboBox, _("No guide"), tip),
            GuideRow(self, 1, ui.secondGuideLabel, ui.secondGuideComboBox, _("No second guide"), more),
        )
        self.view = AlignmentView()
        ui.alignmentButton.connect("toggled(bool)", self._onAlignment)
        ui.squaresSlider.connect("valueChanged(double)", self._onSquares)

    def show(self) -> None:
        ui, parameters, panel = self.ui, self.parameters, self.panel
        volume = parameters.inputVolume
        loaded = volume is not None and volume.GetImageData() is not None
        others = [node for node in self.logic.volumes() if loaded and node.GetID() != volume.GetID()]
        useful = bool(others) and any(info.needs_guide for info in panel.methods.values())
        guides = self.logic.chosenGuides(parameters) if useful else []
        guide = next(iter(guides), None)
        ui.alignmentButton.visible = useful
        for number, row in enumerate(self._rows):
            visible = useful and (number == 0 or (len(others) > number and self._room("") > number))
            row.label.visible = row.combo.visible = visible
            if visible:
                its = guides[number] if number < len(guides) else None
                row.show(others, guides[:number], its, self._refused(number, guides))
        text = self._told(guides) if useful else ""
        ui.guideInfoLabel.text = text
        ui.guideInfoLabel.visible = bool(text)
        nothing = _("Choose a guide first.") if guide is None else ""
        tip = _(
            "Show input and guide as the squares of a checkerboard, as they lie in the scene: edges go on from square "
            "to square where both lie alike."
        )
        enable(ui.alignmentButton, nothing, tip)
        self._showAlignment(guide)

    def _room(self, method: str) -> int:
        """How many guides some model of a method, or of any, takes."""
        from MedSRPanel import choices

        methods = {name for name, info in self.panel.methods.items() if info.needs_guide and method in ("", name)}
        return max((choices.room(card) for card in self.panel.cards.values() if card.method in methods), default=1)

    def _refused(self, number: int, guides: list[Any]) -> str:
        """Why there can be no guide in a row; empty if there can."""
        from MedSRPanel import choices

        if number == 0:
            return ""
        if len(guides) < number:
            return _("Choose a guide first.")
        if self.parameters.method == RECOMMENDED:
            return ""  # what is recommended follows the guides
        method, model = self.logic.chosen(self.parameters)
        info, card = self.panel.methods.get(method), self.panel.cards.get(model)
        if info is None or not info.needs_guide:
            return _("The method below takes no guide.")
        if self._room(method) <= number:
            return _("The models of {title} take one guide.").format(title=info.title)
        if card is not None and model == self.parameters.model and choices.room(card) <= number:
            return _("The model {name} takes one guide.").format(name=model)
        return ""

    def _told(self, guides: list[Any]) -> str:
        from MedSRPanel import guides as fitting

        method, model = self.logic.chosen(self.parameters)
        info = self.panel.methods.get(method)
        takes = info is not None and info.needs_guide
        if not guides:
            return _("The method below does better with a guide.") if takes else ""
        volume = self.parameters.inputVolume
        used = self.logic.guidesOf(self.parameters, self.panel.cards.get(model)) if takes else guides[:1]
        reason = next(filter(None, (self.logic.whyNoGuide(guide, volume) for guide in used)), "")
        if reason:
            return str(reason)
        if not takes:
            return _("The method below takes no guide.")
        if any(fitting.elsewhere(guide, volume) for guide in used):
            return _("The patient may have moved between both: check the alignment.")
        return ""

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
