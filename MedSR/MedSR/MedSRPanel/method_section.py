"""Family, method and model: what is offered, what is recommended, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from MedSRPanel.section import Choice, Section, enable

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo

RECOMMENDED = "recommended"


class MethodSection(Section):
    """The choice of the method and of its model."""

    def connect(self) -> None:
        ui = self.ui
        self._family = Choice(self, ui.familyComboBox, "family")
        self._method = Choice(self, ui.methodComboBox, "method")
        self._model = Choice(self, ui.modelComboBox, "model")
        ui.cardButton.connect("clicked(bool)", self._onCard)

    def show(self) -> None:
        self._showMethods()
        self._showModels()

    def _showMethods(self) -> None:
        from MedSRPanel import choices, wording

        ui, panel, parameters = self.ui, self.panel, self.parameters
        able = choices.offered(panel.methods, panel.cards, parameters.target)
        families = {"": _("All methods"), **choices.families(able)}
        self._family.show(families, parameters.family if parameters.family in families else "")
        of_family = choices.offered(panel.methods, panel.cards, parameters.target, parameters.family)
        shown = self._titles(of_family)
        best = panel.recommendation
        if parameters.method in panel.methods and parameters.method not in shown:
            # Another family or modality was chosen: what is not to be seen must not run.
            parameters.method = RECOMMENDED if best is not None else next(iter(shown), RECOMMENDED)
        if best is not None:
            star = _("★ Recommended: {title}").format(title=panel.methods[best.method].title)
            shown = {RECOMMENDED: star, **shown}
        self._method.show(shown)
        info = panel.methods.get(self.logic.chosen(parameters)[0])
        ui.methodComboBox.toolTip = (
            best.reason
            if best is not None and parameters.method == RECOMMENDED
            else _("How the finer voxels are found.")
        )
        ui.methodInfoLabel.text = "" if info is None else wording.method_html(info)
        ui.methodInfoLabel.visible = info is not None

    def _titles(self, methods: Mapping[str, MethodInfo]) -> dict[str, str]:
        """What the combo box says of each method; those that lack a model come last."""
        target = self.parameters.target
        trained = {card.method for card in self.panel.cards.values() if card.target_modality == target}
        lacking = [name for name, info in methods.items() if info.needs_model and name not in trained]
        ready = {name: info.title for name, info in methods.items() if name not in lacking}
        return ready | {name: _("{title} – no model").format(title=methods[name].title) for name in lacking}

    def _showModels(self) -> None:
        from MedSRPanel import wording

        ui, panel, parameters = self.ui, self.panel, self.parameters
        method, model = self.logic.chosen(parameters)
        info = panel.methods.get(method)
        wanted = info is not None and info.needs_model
        known = self.logic.models(parameters, method) if wanted else {}
        texts = {}
        for name, card in known.items():
            outside = panel.outside(card)
            texts[name] = f"⚠ {name}" if outside else f"✓ {name}"
        self._model.show(texts, model)
        for part in (ui.modelLabel, ui.modelComboBox, ui.cardButton, ui.modelInfoLabel):
            part.visible = wanted
        nothing = "" if known else _("No model of this method is installed.")
        fixed = _("Choose the method itself to take another model.") if parameters.method == RECOMMENDED else ""
        enable(ui.modelComboBox, nothing or fixed, _("The trained weights. Those that fit are marked with ✓."))
        card = known.get(model)
        enable(ui.cardButton, "" if card is not None else nothing, _("All that is known of the model."))
        if card is not None:
            ui.modelInfoLabel.text = wording.model_html(card, panel.outside(card))
        else:
            ui.modelInfoLabel.text = _("No model of this method is installed.")

    def _onCard(self, checked: bool = False) -> None:
        card = self.panel.cards.get(self.logic.chosen(self.parameters)[1])
        if card is not None:
            self.panel.showCard(card)
