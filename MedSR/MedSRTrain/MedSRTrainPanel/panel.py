"""The panel as a whole: its sections on one parameter node, and what its buttons can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from MedSRTrainPanel import drafts
from MedSRTrainPanel.choices_section import ChoicesSection
from MedSRTrainPanel.data_section import DataSection
from MedSRTrainPanel.run_section import RunSection
from MedSRTrainPanel.under_way import UnderWay


class Panel:
    """Binds the widgets to the logic.

    Args:
        ui: the widgets by name.
        logic: of the module.
        timer: polls what is under way; not started yet.
        requirements: the file that names the packages.

    Attributes:
        underWay: the training or the check that runs, if one does.
    """

    def __init__(self, ui: Any, logic: Any, timer: Any, requirements: Path) -> None:
        self._ui, self._logic, self._requirements = ui, logic, requirements
        self._parameters: Any = None
        self._tags: tuple[int, int] = (0, 0)
        self._showing = False
        self._missing: list[str] = []
        self._checkKey = ""
        self._data = DataSection(ui, self._change)
        self._choices = ChoicesSection(ui, self._change, logic.folder)
        self._runs = RunSection(ui)
        self.underWay = UnderWay(logic, timer, self._runs, self.show, self._keep)
        ui.setupButton.connect("clicked()", self._onSetup)
        ui.checkButton.connect("clicked()", self._onCheck)
        ui.startButton.connect("clicked()", lambda: self.underWay.start(self._parameters))
        ui.stopButton.connect("clicked()", self.underWay.stop)
        ui.resumeButton.connect("clicked()", lambda: self.underWay.resume(self._parameters))
        ui.useButton.connect("clicked()", self._onUse)
        ui.openFolderButton.connect("clicked()", self._onOpenFolder)

    # What there is

    def look(self) -> None:
        """Find out what is installed, and offer what there is."""
        from MedSRPanel import choices, library, packages

        ui = self._ui
        self._missing = packages.missing(self._requirements)
        found = library.findable()
        ui.setupCollapsible.visible = bool(self._missing) or not found
        if not found:
            ui.setupLabel.text = _("MedSRLib, the library of this extension, is missing. Install MedSR again.")
            ui.setupButton.enabled = False
            ui.setupButton.toolTip = _("Packages alone do not help: a part of the extension is missing.")
            self._missing = self._missing or ["MedSRLib"]
        elif self._missing:
            ui.setupLabel.text = packages.explanation(self._missing)
            ui.setupButton.toolTip = _("Download and install {names}.").format(names=", ".join(self._missing))
        if not self._missing:
            self._choices.fill(choices.devices())

    def follow(self, parameters: Any) -> None:
        """Show these parameters, and write what the user changes into them; None ends that."""
        if self._parameters is not None:
            self._parameters.disconnectGui(self._tags[0])
            self._parameters.RemoveObserver(self._tags[1])
        self._parameters = parameters
        if parameters is None:
            return
        if not self._missing:
            self._begin(parameters)
        guiTag = parameters.connectGui(self._ui)
        self._tags = (guiTag, parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, self.show))
        self.show()

    def _begin(self, parameters: Any) -> None:
        """Give what is empty a good start."""
        if not parameters.recipe:
            self._write(drafts.beginning(parameters.method))
        if not parameters.modelName:
            parameters.modelName = drafts.freeName(parameters.method)

    def _change(self, **values: Any) -> None:
        if not self._showing and self._parameters is not None:
            self._write(values)

    def _write(self, values: dict[str, Any]) -> None:
        """Write parameters together: the panel is shown once."""
        modified = self._parameters.parameterNode.StartModify()
        for name, value in values.items():
            setattr(self._parameters, name, value)
        self._parameters.parameterNode.EndModify(modified)

    def show(self, caller: Any = None, event: Any = None) -> None:
        """Show the parameters, and what can be done with them."""
        if self._parameters is None or self._showing:
            return
        self._showing = True
        try:
            if not self._missing:
                self._data.show(self._parameters, self._key())
                self._choices.show(self._parameters)
                if self.underWay.run is None:
                    self._runs.look(self._logic.folder(self._parameters))
            self._showButtons()
        finally:
            self._showing = False

    def _showButtons(self) -> None:
        """Every button works, or says why not."""
        ui, parameters, logic = self._ui, self._parameters, self._logic
        busy = self.underWay.busy()
        prevented = busy or self._absent()
        stopping = _("Save the step it is in, and stop. Resume goes on from there.")
        if self.underWay.asked:
            stopping = _("End it without waiting for its step. Resume goes on from the last checkpoint.")
        elif self.underWay.check is not None:
            stopping = _("Stop looking at the volumes.")
        for button, reason, works in (
            (
                ui.checkButton,
                prevented or logic.whyNotCheck(parameters),
                _("Look at the volumes and time a few steps."),
            ),
            (
                ui.startButton,
                prevented or logic.whyNot(parameters),
                _("Train a new model. It can be stopped, and go on later."),
            ),
            (
                ui.resumeButton,
                prevented or logic.whyNotResume(parameters),
                _("Go on with the training in the folder, by the recipe it was started with."),
            ),
            (ui.stopButton, "" if busy else _("Nothing is running."), stopping),
        ):
            button.enabled = not reason
            button.toolTip = reason or works
        ui.stopButton.text = _("Stop now") if self.underWay.asked else _("Stop")
        for part in (ui.dataCollapsible, ui.makeCollapsible, ui.settingsCollapsible):
            part.enabled = not busy

    def _absent(self) -> str:
        return _("Packages are missing. Press Set up above.") if self._missing else ""

    def _key(self) -> str:
        """What a check depends on; it tells whether the last one still holds."""
        parameters = self._parameters
        try:
            recipe = self._logic.recipe(parameters)
        except ValueError:
            return ""
        return json.dumps([parameters.data, parameters.device, parameters.precision, {**recipe, "name": ""}])

    # What can be done

    def _onSetup(self) -> None:
        from MedSRPanel import packages

        try:
            packages.install(packages.missing(self._requirements), self._requirements)
        except packages.SetupError as error:
            self._runs.note(str(error))
            slicer.util.errorDisplay(str(error))
        self.look()
        self.follow(self._logic.getParameterNode())

    def _onCheck(self) -> None:
        self._checkKey = self._key()
        self.underWay.startCheck(self._parameters)

    def _keep(self, result: dict[str, Any]) -> None:
        self._data.keep(self._checkKey, result)

    def _onUse(self) -> None:
        """Open MedSR with the new model chosen."""
        card = self._runs.card
        if card is None:
            return
        slicer.util.selectModule("MedSR")
        parameters = slicer.util.getModuleWidget("MedSR").logic.getParameterNode()
        parameters.method = card.method
        parameters.model = card.name

    def _onOpenFolder(self) -> None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._runs.folder)))

    def clean(self) -> None:
        """The panel goes away."""
        self.underWay.stopNow()
        self.follow(None)
        self._runs.clean()
