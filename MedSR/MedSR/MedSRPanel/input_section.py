"""The upper part of the panel: the input, the goal, and the modality that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from MedSRPanel.section import Choice, Section, enable

GOALS = ("isotropic", "scale", "spacing", "like")
AXES = "XYZ"


class InputSection(Section):
    """What is there, and what is wanted."""

    def connect(self) -> None:
        ui = self.ui
        self._modality = _Modality(self)
        self._target = Choice(self, ui.targetComboBox, "target")
        for goal in GOALS:
            getattr(ui, goal + "Radio").connect("toggled(bool)", self._onGoal)
        for axis in AXES:
            getattr(ui, "scale" + axis).connect("valueChanged(double)", self._scaled(axis))
        ui.linkedCheckBox.connect("toggled(bool)", self._onLinked)
        parts = [(ui.isotropicSpinBox, "isotropic"), (ui.linkedCheckBox, "scale"), (ui.likeSelector, "like")]
        parts += [(getattr(ui, goal + axis), goal) for goal in ("scale", "spacing") for axis in AXES]
        self._goalParts = [(part, goal, part.toolTip) for part, goal in parts]
        self._shown: tuple[Any, str] = (None, "")

    def show(self) -> None:
        self._forgetModality()
        self._showInput()
        self._showGoal()
        self._showTarget()

    def _forgetModality(self) -> None:
        """Another volume: what the user said of the last one does not hold for it."""
        parameters, volume = self.parameters, self.parameters.inputVolume
        shown = (parameters, "" if volume is None else volume.GetID())
        if self._shown[0] is parameters and self._shown[1] not in ("", shown[1]):
            parameters.modality = ""
            parameters.thickness = 0.0
        self._shown = shown

    def _showInput(self) -> None:
        from MedSRPanel import wording

        ui, volume = self.ui, self.parameters.inputVolume
        loaded = volume is not None and volume.GetImageData() is not None
        size = volume.GetImageData().GetDimensions() if loaded else ()
        ui.inputInfoLabel.text = wording.grid_text(size, volume.GetSpacing()) if loaded else ""
        ui.inputInfoLabel.visible = loaded
        ui.modalityComboBox.visible = loaded
        finest = _("{spacing} mm (finest)").format(spacing=f"{min(volume.GetSpacing()):.3g}") if loaded else ""
        ui.isotropicSpinBox.specialValueText = finest or _("finest of the input")
        self._modality.show()

    def _showGoal(self) -> None:
        ui, goal = self.ui, self.parameters.goal
        if goal in GOALS:
            getattr(ui, goal + "Radio").checked = True
        for part, its, tip in self._goalParts:
            radio = getattr(ui, its + "Radio")
            enable(part, "" if goal == its else _("Choose the goal {goal} first.").format(goal=radio.text), tip)

    def _showTarget(self) -> None:
        from MedSRPanel import choices

        modality = self.logic.modality(self.parameters)
        known = choices.targets(self.panel.cards, modality) if self.panel.cards else []
        same = _("same as input ({modality})").format(modality=modality) if modality else _("same as input")
        texts = {"": same, **{name: _("{name} (synthetic)").format(name=name) for name in known}}
        if self.parameters.target not in texts:
            self.parameters.target = ""
        self._target.show(texts)
        for part in (self.ui.targetLabel, self.ui.targetComboBox):
            part.visible = len(texts) > 1

    def _onGoal(self, checked: bool) -> None:
        if checked and not self.panel.showing and self.parameters is not None:
            self.parameters.goal = next(goal for goal in GOALS if getattr(self.ui, goal + "Radio").checked)

    def _scaled(self, axis: str) -> Callable[[float], None]:
        """What follows when the user changes one factor; a script may set three as it likes."""

        def changed(value: float) -> None:
            parameters = self.parameters
            if parameters is None or self.panel.showing or not parameters.linked:
                return
            if getattr(parameters, "scale" + axis) != value:
                self._spread(value)

        return changed

    def _onLinked(self, checked: bool) -> None:
        if checked and not self.panel.showing and self.parameters is not None:
            self._spread(self.parameters.scaleX)

    def _spread(self, value: float) -> None:
        """The same factor along every axis."""
        with slicer.util.NodeModify(self.parameters.parameterNode):
            for axis in AXES:
                setattr(self.parameters, "scale" + axis, value)


class _Modality:
    """The editable combo box of the input's modality; empty in the parameters means "as guessed"."""

    def __init__(self, section: InputSection) -> None:
        from MedSRScene import modalities

        self._section, self._combo = section, section.ui.modalityComboBox
        for name in modalities.KNOWN:
            self._combo.addItem(name)
        self._combo.setCurrentText("")
        self._combo.connect("currentTextChanged(QString)", self._changed)

    def show(self) -> None:
        text = self._section.logic.modality(self._section.parameters)
        if self._combo.currentText != text:
            self._combo.setCurrentText(text)

    def _changed(self, text: str) -> None:
        section = self._section
        if not section.panel.showing and section.parameters is not None:
            section.parameters.modality = text.strip()
