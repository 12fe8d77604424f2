"""MedSR Train: make a model of one's own volumes. This file binds the panel; a job process trains (MedSRScene)."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Annotated

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

POLL_MS = 200


def findSiblings():
    """Make MedSRScene and MedSRPanel importable: installed side by side, in a source tree in MedSR's folder."""
    beside = Path(__file__).resolve().parents[1] / "MedSR"
    if importlib.util.find_spec("MedSRScene") is None and (beside / "MedSRScene").is_dir():
        sys.path.append(str(beside))
        importlib.invalidate_caches()


class MedSRTrain(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedSR Train")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = []
        self.parent.contributors = ["The MedSR developers"]
        self.parent.helpText = _(
            "Trains a super-resolution model on your own fine volumes: choose a folder, a recipe and a name, and press "
            "Start. The training can be stopped and go on later; the finished model can be used in MedSR. Nothing "
            "leaves this computer."
        )
        self.parent.acknowledgementText = _(
            "The method in use names its authors and links to their publication in the panel."
        )


@parameterNodeWrapper
class MedSRTrainParameterNode:
    """What the panel shows; saved with the scene. An empty ``folder`` is one named after the model."""

    data: str = ""
    modality: str = ""
    method: str = "arssr"
    recipe: str = ""
    scaleMin: Annotated[float, WithinRange(1, 64)] = 2.0
    scaleMax: Annotated[float, WithinRange(1, 64)] = 4.0
    startFrom: str = ""
    modelName: str = ""
    folder: str = ""
    steps: Annotated[int, WithinRange(0, 1_000_000_000)] = 0
    batch: Annotated[int, WithinRange(1, 4096)] = 4
    validationSubjects: Annotated[int, WithinRange(0, 100_000)] = 1
    device: str = "auto"
    precision: str = "auto"


class MedSRTrainLogic(ScriptedLoadableModuleLogic):
    """Everything that the panel does, for scripts too."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        findSiblings()
        self._wrapped = None

    def getParameterNode(self):
        """The one wrapper of the module's parameter node: two of one node would not see each other's changes.

        A closed scene leaves the node without parameters: a new wrapper writes the defaults.
        """
        node = super().getParameterNode()
        if self._wrapped is None or self._wrapped.parameterNode is not node or not node.GetParameterCount():
            self._wrapped = MedSRTrainParameterNode(node)
        return self._wrapped

    def recipe(self, parameters):
        """The recipe that the parameters describe, as plain data; ValueError says why they describe none."""
        from MedSRTrainPanel import drafts

        return drafts.effective(parameters)

    def folder(self, parameters):
        """Where the run keeps its checkpoint and its model."""
        named = parameters.modelName or "model"
        return Path(parameters.folder) if parameters.folder else Path.home() / "MedSR" / "Training" / named

    def whyNotCheck(self, parameters):
        """Why there is nothing to look at, in the user's words; empty if there is."""
        if not parameters.data:
            return _("Choose a folder of volumes, or a table of them.")
        if not Path(parameters.data).exists():
            return _("There is no file or folder '{path}'.").format(path=parameters.data)
        try:
            self.recipe(parameters)
        except ValueError as error:
            return str(error)
        return ""

    def whyNot(self, parameters):
        """Why a new training cannot be started, in the user's words; empty if it can."""
        from MedSRScene import train_run

        from MedSRLib.models import library

        reason = self.whyNotCheck(parameters)
        if reason:
            return reason
        if parameters.modelName in library.names():
            return _("The library has a model '{name}' already. Give another name.").format(name=parameters.modelName)
        return {
            "": "",
            "stopped": _("The folder holds a training that was stopped. Press Resume, or choose another folder."),
            "finished": _("The folder holds a finished training. Choose another folder."),
        }[train_run.stateOf(self.folder(parameters))]

    def whyNotResume(self, parameters):
        """Why no training can go on, in the user's words; empty if one can."""
        from MedSRScene import train_run

        return {
            "": _("The folder holds no training that was stopped."),
            "stopped": "",
            "finished": _("The training in this folder is finished."),
        }[train_run.stateOf(self.folder(parameters))]

    def check(self, parameters):
        """Start to look at the volumes and to time a few steps; the run's ``result`` tells what was found."""
        from MedSRScene.train_run import CheckRun

        where = {"device": parameters.device, "precision": parameters.precision}
        run = CheckRun(parameters.data, self.recipe(parameters), **where)
        run.start()
        return run

    def start(self, parameters):
        """Start a training; poll it, or wait by ``waitForEnd()``, then look at ``state`` and ``result``."""
        from MedSRScene.train_run import TrainRun

        where = {"device": parameters.device, "precision": parameters.precision}
        run = TrainRun(parameters.data, self.recipe(parameters), self.folder(parameters), **where)
        run.start()
        return run

    def resume(self, parameters):
        """Go on with the training in the folder, by its own recipe and on its own volumes."""
        from MedSRScene.train_run import TrainRun

        where = {"device": parameters.device, "precision": parameters.precision}
        run = TrainRun.resumed(self.folder(parameters), **where)
        run.start()
        return run


class MedSRTrainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it shows the parameter node, starts, stops and follows a training, and says why it cannot."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        findSiblings()
        from MedSRTrainPanel.panel import Panel

        widget = slicer.util.loadUI(self.resourcePath("UI/MedSRTrain.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSRTrainLogic()
        self.timer = qt.QTimer(widget)
        self.timer.setInterval(POLL_MS)
        self.panel = Panel(self.ui, self.logic, self.timer, Path(self.resourcePath("requirements.txt")))
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._onSceneEndClose)
        slicer.app.connect("aboutToQuit()", self.panel.underWay.stopNow)
        self.enter()

    def enter(self):
        self.panel.look()
        self.panel.follow(self.logic.getParameterNode())

    def exit(self):
        """Another module is shown; a training goes on, and can be seen and stopped on return."""
        self.panel.follow(None)

    def cleanup(self):
        slicer.app.disconnect("aboutToQuit()", self.panel.underWay.stopNow)
        self.panel.clean()
        self.removeObservers()

    def onReload(self):
        from MedSRPanel import library

        self.panel.underWay.stopNow()
        library.forget()
        for name in [name for name in sys.modules if name.split(".")[0] == "MedSRTrainPanel"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _onSceneStartClose(self, caller, event):
        self.panel.follow(None)

    def _onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.panel.follow(self.logic.getParameterNode())


class MedSRTrainTest(ScriptedLoadableModuleTest):
    """Runs in Slicer: "Reload and Test", or ctest in a build; Testing/StandIn runs it without Slicer."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_a_toy_training_ends_in_the_library()

    def test_a_toy_training_ends_in_the_library(self):
        """Three steps on two tiny volumes: the model lands in a library in a temporary folder."""
        findSiblings()
        from MedSRPanel import library, packages

        missing = packages.missing(Path(__file__).parent / "Resources" / "requirements.txt")
        if missing or not library.findable():
            self.delayDisplay(_("Skipped: these packages are missing: {names}").format(names=", ".join(missing)))
            return
        folder = self._temporaryLibrary()
        logic = MedSRTrainLogic()
        parameters = logic.getParameterNode()
        parameters.data, parameters.recipe = str(self._volumes(folder)), str(self._recipe(folder))
        parameters.modelName, parameters.folder = "toy", str(folder / "run")
        parameters.scaleMin, parameters.scaleMax, parameters.modality, parameters.startFrom = 2.0, 3.0, "", ""
        parameters.steps, parameters.batch, parameters.validationSubjects, parameters.device = 3, 2, 1, "cpu"
        self.assertEqual(logic.whyNot(parameters), "")
        run = logic.start(parameters)
        self.addCleanup(run.clean)
        run.waitForEnd(300)
        self.assertEqual(run.state, "done", run.errorMessage)
        self.assertEqual(run.result["installed"], "toy")
        self.assertTrue((folder / "library" / "toy.safetensors").is_file())
        self.assertIn("validation_psnr", {figure.name for figure in run.figures})
        self.assertTrue(run.previewPath.is_file())
        self.delayDisplay(_("The test passed."))

    def _temporaryLibrary(self):
        import os
        import tempfile
        from unittest import mock

        folder = tempfile.TemporaryDirectory(prefix="MedSR-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        environment = mock.patch.dict(os.environ, MEDSR_MODELS=str(Path(folder.name) / "library"))
        environment.start()
        self.addCleanup(environment.stop)
        return Path(folder.name)

    def _volumes(self, folder):
        import numpy as np
        import SimpleITK as sitk

        (folder / "volumes").mkdir()
        for number in range(2):
            noise = np.random.default_rng(number).random((26, 28, 30), dtype=np.float32)
            image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise * 100), 1.5)
            sitk.WriteImage(image, str(folder / "volumes" / f"s{number}.nii.gz"))
        return folder / "volumes"

    def _recipe(self, folder):
        recipe = {
            "name": "toy",
            "method": "arssr",
            "validate_every": 2,
            "architecture": {"encoder": "srresnet", "feature_dim": 4, "channels": 4, "blocks": 1, "width": 8},
            "sampling": {"patch": 8, "queries": 6},
            "optimisation": {"steps": 3},
        }
        (folder / "toy.json").write_text(json.dumps(recipe), encoding="utf-8")
        return folder / "toy.json"
