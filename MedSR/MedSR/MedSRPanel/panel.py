"""The panel of MedSR as a whole: its parts, what they share, and the timer that watches what runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRPanel.apply_section import ApplySection
from MedSRPanel.batch_section import BatchSection
from MedSRPanel.checks_section import ChecksSection
from MedSRPanel.guide_section import GuideSection
from MedSRPanel.input_section import InputSection
from MedSRPanel.method_section import MethodSection
from MedSRPanel.models_section import ModelsSection
from MedSRPanel.option_section import OptionSection
from MedSRPanel.quality_section import QualitySection
from MedSRPanel.region_section import RegionSection
from MedSRPanel.thickness_section import ThicknessSection

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard
    from MedSRPanel.recommend import Recommendation

POLL_MS = 100
LATER_MS = 50
LOG_CHARACTERS = 256 * 1024


class Panel:
    """Shows one parameter node; see `section.Section`.

    Attributes:
        parameters: the node that is shown, or None.
        showing: True while widgets are written to: what they then signal was not done by the user.
        missing: names of the packages that are not installed.
        methods, cards: what the library has, by identifier and by name.
        recommendation: the method to start with, or None.
        timer: runs while something is under way.
    """

    def __init__(self, widget: Any, ui: Any, logic: Any, requirements: Path) -> None:
        self.ui, self.logic, self._requirements = ui, logic, requirements
        self.parameters: Any = None
        self.showing = False
        self.missing: list[str] = []
        self.methods: dict[str, MethodInfo] = {}
        self.cards: dict[str, ModelCard] = {}
        self.recommendation: Recommendation | None = None
        self._guiTag: Any = None
        self.timer = qt.QTimer(widget)
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self._poll)
        self._soon = qt.QTimer(widget)
        self._soon.setSingleShot(True)
        self._soon.setInterval(LATER_MS)
        self._soon.connect("timeout()", self.refresh)
        self.input, self.method, self.apply = InputSection(self), MethodSection(self), ApplySection(self)
        self.guide = GuideSection(self)
        self.thickness, self.options = ThicknessSection(self), OptionSection(self)
        self.quality, self.region = QualitySection(self), RegionSection(self)
        self.checks, self.batch, self.models = ChecksSection(self), BatchSection(self), ModelsSection(self)
        self.sections = (
            self.input, self.thickness, self.guide, self.method, self.options, self.quality, self.region, self.checks,
            self.batch, self.models, self.apply,
        )  # fmt: skip
        for section in self.sections:
            section.connect()
        ui.setupButton.connect("clicked(bool)", self._onSetup)
        ui.copyLogButton.connect("clicked(bool)", self._onCopyLog)

    # What there is

    def look(self) -> None:
        """Find out what is installed, and offer what there is."""
        from MedSRPanel import choices, library, packages

        ui = self.ui
        self.missing = packages.missing(self._requirements)
        found = library.findable()
        ui.setupCollapsible.visible = bool(self.missing) or not found
        if not found:
            ui.setupLabel.text = _("MedSRLib, the library of this extension, is missing. Install MedSR again.")
            ui.setupButton.enabled = False
            ui.setupButton.toolTip = _("Packages alone do not help: a part of the extension is missing.")
            self.missing = self.missing or ["MedSRLib"]
        elif self.missing:
            ui.setupLabel.text = packages.explanation(self.missing)
            ui.setupButton.toolTip = _("Download and install {names}.").format(names=", ".join(self.missing))
        self.methods = {} if self.missing else choices.methods()
        self.cards = {} if self.missing else choices.cards()
        self.refresh()

    def outside(self, card: ModelCard) -> list[str]:
        """In which ways the chosen input lies outside what a model was trained for."""
        from MedSRPanel import choices

        parameters = self.parameters
        if parameters.inputVolume is None or self.logic.whyNot(parameters):
            return []
        wanted, modality = self.logic.resultGrid(parameters)[1], self.logic.modality(parameters)
        found = choices.model_warnings(card, parameters.inputVolume.GetSpacing(), wanted, modality)
        wrong = self.logic.whyNotGuides(parameters, card)
        return [*found, wrong] if wrong else found

    def whyNot(self) -> str:
        """Why the parameters cannot be run, in the user's words; empty if they can."""
        from MedSRPanel import choices

        if self.missing:
            return _("Packages are missing. Press Set up above.")
        reason = self.logic.whyNot(self.parameters)
        if reason:
            return reason
        method, model = self.logic.chosen(self.parameters)
        info = self.methods.get(method)
        if info is None:
            return _("Choose a method.")
        lonely = info.needs_guide and self.logic.guide(self.parameters) is None
        if lonely and not (model in self.cards and self.cards[model].guide_optional):
            return _("This method needs a guide: a sharper volume of the same patient.")
        wrong = self.logic.whyNotGuides(self.parameters, self.cards[model]) if model in self.cards else ""
        if wrong:
            return str(wrong)
        if info.needs_model and not model:
            return _("No model of this method is installed. Train or import one, or choose another method.")
        thick = choices.thick_axis(self.parameters.inputVolume.GetSpacing())
        if info.trains_on_scan and info.axes == "through-plane" and thick is None:
            return _("This method learns from the finer voxels within thick slices, and the input has no thick slices.")
        refused = self.logic.whyNotOptions(self.parameters, method)
        if refused:
            return refused
        if self.batch.busy():
            return _("Wait until the batch has ended.")
        return self.quality.whyNot()

    # The parameters

    def follow(self, parameters: Any) -> None:
        """Show these parameters, and write what the user changes into them; None ends that."""
        if self.parameters is not None:
            self.parameters.disconnectGui(self._guiTag)
        self.parameters = parameters
        if parameters is None:
            self.guide.stop()
        else:
            self._guiTag = parameters.connectGui(self.ui)
            self.refresh()

    def refresh(self, caller: Any = None, event: Any = None) -> None:
        """Show the parameters, what they lead to, and whether they can be run."""
        if self.parameters is None or self.showing:
            return
        self.showing = True
        try:
            with self.logic.sceneStays():
                self.recommendation = self.logic.recommend(self.parameters) if self.methods else None
                for section in self.sections:
                    section.show()
                self._showResult()
        finally:
            self.showing = False

    def later(self, caller: Any = None, event: Any = None) -> None:
        """`refresh` soon, once for many nodes that come or go together."""
        self._soon.start()

    def _showResult(self) -> None:
        from MedSRPanel import wording

        ui, parameters = self.ui, self.parameters
        wanted = None if self.missing or self.logic.whyNot(parameters) else self.logic.resultGrid(parameters)
        text = "" if wanted is None else _("Result: {grid}").format(grid=wording.grid_text(*wanted))
        if text and parameters.outputVolume is None:
            text += "\n" + _("New volume: {name}").format(name=self.logic.resultName(parameters))
        ui.resultInfoLabel.text = text
        ui.resultInfoLabel.visible = bool(text)

    # What runs

    def watch(self) -> None:
        """Something was started: poll until it has ended."""
        self.timer.start()

    def busy(self) -> bool:
        """Whether anything is under way."""
        return self.apply.running() or self.batch.busy() or self.quality.looking() or self.models.busy()

    def _poll(self) -> None:
        for section in (self.apply, self.batch, self.quality, self.models):
            section.poll()
        if not self.busy():
            self.timer.stop()

    def stop(self) -> None:
        """End everything at once: the scene, the panel or Slicer goes away."""
        self.timer.stop()
        self._soon.stop()
        for section in self.sections:
            section.stop()

    # Words

    def note(self, text: str) -> None:
        """A line in the log, which is kept short."""
        log = self.ui.logText
        if len(log.plainText) > LOG_CHARACTERS:
            log.setPlainText(log.plainText[-LOG_CHARACTERS // 2 :])
        log.appendPlainText(text)

    def showCard(self, card: ModelCard) -> None:
        """Show all that is known of a model."""
        from MedSRPanel import wording

        slicer.util.infoDisplay(wording.card_html(card), windowTitle=_("Model card"))

    def _onSetup(self, checked: bool = False) -> None:
        from MedSRPanel import packages

        try:
            packages.install(packages.missing(self._requirements), self._requirements)
        except packages.SetupError as error:
            self.note(str(error))
            slicer.util.errorDisplay(str(error))
        self.look()
        if not self.missing:
            self.quality.look()

    def _onCopyLog(self, checked: bool = False) -> None:
        qt.QApplication.clipboard().setText(self.ui.logText.plainText)
