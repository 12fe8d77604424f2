"""The middle part of the panel: method, recipe, name and folder of the model to be, and the finer settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from MedSRTrainPanel import drafts

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo


class ChoicesSection:
    """Shows and changes what a recipe is made of.

    Args:
        ui: the widgets by name.
        change: writes parameters, as keyword arguments.
        folderOf: the run's folder that the parameters mean.
    """

    def __init__(self, ui: Any, change: Callable[..., None], folderOf: Callable[[Any], Path]) -> None:
        self._ui, self._change, self._folderOf = ui, change, folderOf
        self._methods: dict[str, MethodInfo] = {}
        ui.methodComboBox.connect("currentIndexChanged(int)", lambda index: self._onMethod())
        ui.recipeComboBox.connect("currentIndexChanged(int)", lambda index: self._onRecipe())
        for combo, name in (("startFrom", "startFrom"), ("device", "device"), ("precision", "precision")):
            self._follow(getattr(ui, combo + "ComboBox"), name)
        ui.folderPathEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.recipeFileButton.connect("clicked()", self._chooseRecipe)
        ui.folderButton.connect("clicked()", self._chooseFolder)

    def fill(self, devices: dict[str, str]) -> None:
        """Offer what there is: methods that learn, devices, precisions."""
        self._methods = drafts.methods()
        self._fill(self._ui.methodComboBox, {name: info.title for name, info in self._methods.items()})
        self._fill(self._ui.deviceComboBox, devices)
        precisions = {"auto": _("Automatic"), "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
        self._fill(self._ui.precisionComboBox, precisions)

    def show(self, parameters: Any) -> None:
        """Show the parameters."""
        from MedSRPanel import wording

        ui = self._ui
        self._select(ui.methodComboBox, parameters.method)
        info = self._methods.get(parameters.method)
        ui.methodInfoLabel.text = "" if info is None else wording.method_html(info)
        self._showRecipes(parameters)
        self._showStarts(parameters)
        for combo, value in ((ui.deviceComboBox, parameters.device), (ui.precisionComboBox, parameters.precision)):
            self._select(combo, value)
        folder = str(self._folderOf(parameters))
        if ui.folderPathEdit.currentPath != folder:
            blocked = ui.folderPathEdit.blockSignals(True)
            ui.folderPathEdit.currentPath = folder
            ui.folderPathEdit.blockSignals(blocked)

    def _showRecipes(self, parameters: Any) -> None:
        names = {name: name for name in drafts.shipped(parameters.method)}
        if parameters.recipe and parameters.recipe not in names:
            names[parameters.recipe] = Path(parameters.recipe).name
        self._fill(self._ui.recipeComboBox, names)
        self._select(self._ui.recipeComboBox, parameters.recipe)
        try:
            told = drafts.base(parameters.recipe).description if parameters.recipe else ""
        except ValueError as error:
            told = f"⚠ {error}"
        self._ui.recipeInfoLabel.text = told
        self._ui.recipeInfoLabel.visible = bool(told)

    def _showStarts(self, parameters: Any) -> None:
        known = {name: _("refine {name}").format(name=name) for name in drafts.starts(parameters.method)}
        if parameters.startFrom and parameters.startFrom not in known:
            known[parameters.startFrom] = _("{name} (missing)").format(name=parameters.startFrom)
        self._fill(self._ui.startFromComboBox, {"": _("random weights"), **known})
        self._select(self._ui.startFromComboBox, parameters.startFrom)

    def _onMethod(self) -> None:
        name = self._ui.methodComboBox.currentData
        if name:
            self._change(method=name, **drafts.beginning(name))

    def _onRecipe(self) -> None:
        name = self._ui.recipeComboBox.currentData
        if name:
            self.adopt(name)

    def adopt(self, name: str) -> None:
        """Choose a recipe, with all that it brings."""
        try:
            brought = drafts.adopted(name, self._ui.methodComboBox.currentData)
        except ValueError:
            brought = {}  # the panel says why under the recipe
        self._change(recipe=name, **brought)

    def _onFolder(self, path: str) -> None:
        self._change(folder=path)

    def _follow(self, combo: Any, parameter: str) -> None:
        combo.connect("currentIndexChanged(int)", lambda index: self._change(**{parameter: combo.currentData or ""}))

    def _fill(self, combo: Any, texts: dict[str, str]) -> None:
        blocked = combo.blockSignals(True)
        combo.clear()
        for name, text in texts.items():
            combo.addItem(text, name)
        combo.blockSignals(blocked)

    def _select(self, combo: Any, name: str) -> None:
        blocked = combo.blockSignals(True)
        combo.currentIndex = combo.findData(name)
        combo.blockSignals(blocked)

    def _chooseRecipe(self) -> None:
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("A recipe"), "", _("Recipes (*.toml *.json);;All files (*)")
        )
        if path:
            self.adopt(path)

    def _chooseFolder(self) -> None:
        start = self._ui.folderPathEdit.currentPath
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The folder of the run"), start)
        if path:
            self._change(folder=path)
