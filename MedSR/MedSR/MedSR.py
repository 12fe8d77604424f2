"""MedSR: super-resolve a volume. This file binds the panel; the work is done by a job process (MedSRScene)."""

from pathlib import Path
from typing import Annotated

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode
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

POLL_MS = 100
GOALS = ("isotropic", "scale", "spacing", "like")
AXES = "XYZ"


class MedSR(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedSR")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = []
        self.parent.contributors = ["The MedSR developers"]
        self.parent.helpText = _(
            "Gives a volume finer voxels: choose the volume, the goal and a method, and press Apply. The input is "
            "not changed. Results are for research: fine detail is estimated, and may not be there in the patient."
        )
        self.parent.acknowledgementText = _(
            "The method in use names its authors and links to their publication in the panel."
        )


@parameterNodeWrapper
class MedSRParameterNode:
    """What the panel shows; saved with the scene."""

    inputVolume: vtkMRMLScalarVolumeNode
    goal: str = "isotropic"
    scaleX: Annotated[float, WithinRange(1, 16)] = 2.0
    scaleY: Annotated[float, WithinRange(1, 16)] = 2.0
    scaleZ: Annotated[float, WithinRange(1, 16)] = 2.0
    spacingX: Annotated[float, WithinRange(0.05, 20)] = 1.0
    spacingY: Annotated[float, WithinRange(0.05, 20)] = 1.0
    spacingZ: Annotated[float, WithinRange(0.05, 20)] = 1.0
    likeVolume: vtkMRMLScalarVolumeNode
    method: str = "bspline"
    model: str = ""
    device: str = "auto"
    outputVolume: vtkMRMLScalarVolumeNode


class MedSRLogic(ScriptedLoadableModuleLogic):
    """Everything that the panel does, for scripts too."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._wrapped = None

    def getParameterNode(self):
        """The one wrapper of the module's parameter node: two of one node would not see each other's changes."""
        node = super().getParameterNode()
        if self._wrapped is None or self._wrapped.parameterNode is not node:
            self._wrapped = MedSRParameterNode(node)
        return self._wrapped

    def target(self, parameters):
        """The wanted grid as a job says it: one of scale, spacing, isotropic, or nothing for a volume's grid."""
        if parameters.goal == "like":
            return {}
        if parameters.goal == "isotropic":
            return {"isotropic": True}
        return {parameters.goal: [getattr(parameters, parameters.goal + axis) for axis in AXES]}

    def whyNot(self, parameters):
        """Why the parameters cannot be run, in the user's words; empty if they can."""
        volume = parameters.inputVolume
        if volume is None:
            return _("Select an input volume.")
        if volume.GetImageData() is None:
            return _("The input volume holds no image.")
        if parameters.outputVolume is not None and parameters.outputVolume.GetID() == volume.GetID():
            return _("The output would overwrite the input. Choose another output volume.")
        if parameters.goal == "like":
            if parameters.likeVolume is None:
                return _("Select the volume whose grid the result takes.")
            if parameters.likeVolume.GetImageData() is None:
                return _("The volume whose grid is wanted holds no image.")
            return ""
        try:
            self.resultGrid(parameters)
        except ValueError as error:
            return str(error)
        return ""

    def resultGrid(self, parameters):
        """Size and spacing of the result; ValueError says why there can be none."""
        from MedSRPanel import choices

        if parameters.goal == "like":
            like = parameters.likeVolume
            return like.GetImageData().GetDimensions(), like.GetSpacing()
        volume = parameters.inputVolume
        return choices.result_grid(volume.GetImageData().GetDimensions(), volume.GetSpacing(), self.target(parameters))

    def start(self, parameters):
        """Start a run; poll it, or wait by ``waitForEnd()``, then look at ``state`` and ``resultNodeID``."""
        from MedSRScene.upscale_run import UpscaleRun

        job = {"method": parameters.method, "device": parameters.device, **self.target(parameters)}
        if parameters.model:
            job["model"] = parameters.model
        like = parameters.likeVolume if parameters.goal == "like" else None
        run = UpscaleRun(parameters.inputVolume, job, likeNode=like, outputNode=parameters.outputVolume)
        run.start()
        return run


class MedSRWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it shows the parameter node, starts and polls a run, and says why it cannot."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.run = None
        self._parameterNode = None
        self._guiTag = None
        self._missing = []
        self._methods = {}
        self._models = {}
        self._showing = False
        self._view = None

    def setup(self):
        from MedSRPanel.run_view import RunView

        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/MedSR.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSRLogic()
        self.timer = qt.QTimer(widget)
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self._poll)
        self._connect()
        self._view = RunView(self.ui)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._onSceneEndClose)
        slicer.app.connect("aboutToQuit()", self._stopNow)
        self._look()
        self._initialize()

    def _connect(self):
        ui = self.ui
        ui.setupButton.connect("clicked(bool)", self._onSetup)
        ui.applyButton.connect("clicked(bool)", self._onApply)
        ui.methodComboBox.connect("currentIndexChanged(int)", self._onMethod)
        ui.modelComboBox.connect("currentIndexChanged(int)", self._onModel)
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDevice)
        for goal in GOALS:
            getattr(ui, goal + "Radio").connect("toggled(bool)", self._onGoal)

    def enter(self):
        self._look()
        self._initialize()

    def exit(self):
        """Another module is shown; a run goes on, and can be seen and cancelled on return."""
        self._follow(None)

    def cleanup(self):
        self._stopNow()
        slicer.app.disconnect("aboutToQuit()", self._stopNow)
        self._follow(None)
        self.removeObservers()

    def onReload(self):
        from MedSRPanel import library

        self._stopNow()
        library.forget()
        ScriptedLoadableModuleWidget.onReload(self)

    # What can be chosen

    def _look(self):
        """Find out what is installed, and offer what there is."""
        from MedSRPanel import choices, library, packages

        self._missing = packages.missing(self._requirements())
        found = library.findable()
        self.ui.setupCollapsible.visible = bool(self._missing) or not found
        if not found:
            self.ui.setupLabel.text = _("MedSRLib, the library of this extension, is missing. Install MedSR again.")
            self.ui.setupButton.enabled = False
            self.ui.setupButton.toolTip = _("Packages alone do not help: a part of the extension is missing.")
            self._missing = self._missing or ["MedSRLib"]
        elif self._missing:
            self.ui.setupLabel.text = packages.explanation(self._missing)
            self.ui.setupButton.toolTip = _("Download and install {names}.").format(names=", ".join(self._missing))
        self._methods = {} if self._missing else choices.methods()
        self._showing = True
        self._fill(self.ui.methodComboBox, {name: info.title for name, info in self._methods.items()})
        self._fill(self.ui.deviceComboBox, choices.devices())
        self._showing = False

    def _requirements(self):
        return Path(self.resourcePath("requirements.txt"))

    def _fill(self, combo, texts):
        combo.clear()
        for name, text in texts.items():
            combo.addItem(text, name)

    def _select(self, combo, name):
        combo.currentIndex = combo.findData(name)

    # The parameter node

    def _initialize(self):
        self._follow(self.logic.getParameterNode())
        parameters = self._parameterNode
        if parameters.inputVolume is None:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first is not None:
                parameters.inputVolume = first

    def _follow(self, parameters):
        """Show these parameters, and write what the user changes into them; None ends that."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._show)
        self._parameterNode = parameters
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._show)
            self._show()

    def _onSceneStartClose(self, caller, event):
        self._stopNow()
        self._follow(None)

    def _onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self._initialize()

    def _onGoal(self, checked):
        if checked and not self._showing and self._parameterNode is not None:
            ui = self.ui
            self._parameterNode.goal = next(goal for goal in GOALS if getattr(ui, goal + "Radio").checked)

    def _onMethod(self, index):
        self._choose("method", self.ui.methodComboBox)

    def _onModel(self, index):
        self._choose("model", self.ui.modelComboBox)

    def _onDevice(self, index):
        self._choose("device", self.ui.deviceComboBox)

    def _choose(self, parameter, combo):
        if not self._showing and self._parameterNode is not None and combo.currentIndex >= 0:
            setattr(self._parameterNode, parameter, combo.currentData)

    def _show(self, caller=None, event=None):
        """Show the parameters, what they lead to, and whether they can be run."""
        if self._parameterNode is None or self._showing:
            return
        self._showing = True
        try:
            self._showChoices()
            self._showTexts()
            self._showApply()
        finally:
            self._showing = False

    def _showChoices(self):
        from MedSRPanel import choices

        parameters, ui = self._parameterNode, self.ui
        getattr(ui, parameters.goal + "Radio").checked = True
        for axis in AXES:
            getattr(ui, "scale" + axis).enabled = parameters.goal == "scale"
            getattr(ui, "spacing" + axis).enabled = parameters.goal == "spacing"
        ui.likeSelector.enabled = parameters.goal == "like"
        self._select(ui.methodComboBox, parameters.method)
        self._select(ui.deviceComboBox, parameters.device)
        info = self._methods.get(parameters.method)
        wanted = info is not None and info.needs_model
        self._models = choices.models(parameters.method) if wanted else {}
        self._fill(ui.modelComboBox, {name: name for name in self._models})
        if parameters.model not in self._models:
            parameters.model = next(iter(self._models), "")
        self._select(ui.modelComboBox, parameters.model)
        for part in (ui.modelLabel, ui.modelComboBox, ui.modelInfoLabel):
            part.visible = wanted
        ui.modelComboBox.enabled = bool(self._models)

    def _showTexts(self):
        from MedSRPanel import choices, wording

        parameters, ui = self._parameterNode, self.ui
        volume = parameters.inputVolume
        info = self._methods.get(parameters.method)
        ui.methodInfoLabel.text = "" if info is None else wording.method_html(info)
        loaded = volume is not None and volume.GetImageData() is not None
        ui.inputInfoLabel.text = (
            wording.grid_text(volume.GetImageData().GetDimensions(), volume.GetSpacing()) if loaded else ""
        )
        wanted = None if self._missing or self.logic.whyNot(parameters) else self.logic.resultGrid(parameters)
        ui.resultInfoLabel.text = "" if wanted is None else _("Result: {grid}").format(grid=wording.grid_text(*wanted))
        ui.isotropicLabel.text = _("{spacing} mm").format(spacing=f"{min(volume.GetSpacing()):.3g}") if loaded else ""
        card = self._models.get(parameters.model)
        if card is None:
            ui.modelInfoLabel.text = _("No model of this method is installed.")
        else:
            outside = [] if wanted is None else choices.model_warnings(card, volume.GetSpacing(), wanted[1])
            ui.modelInfoLabel.text = wording.model_html(card, outside)
            ui.modelInfoLabel.toolTip = _("{limits} Licence: {licence}").format(
                limits=card.limits, licence=card.licence
            )
        for label in (ui.inputInfoLabel, ui.methodInfoLabel, ui.resultInfoLabel):
            label.visible = bool(label.text)

    def _showApply(self):
        """The button runs, cancels, or is off and says why."""
        ui, running = self.ui, self.running()
        reason = "" if running else self._whyNot()
        ui.applyButton.text = _("Cancel") if running else _("Apply")
        ui.applyButton.enabled = not reason
        ui.applyButton.toolTip = reason or (_("Stop the run.") if running else _("Start; the input is not changed."))
        ui.superResolveCollapsible.enabled = not running
        ui.qualityCollapsible.enabled = not running

    def _whyNot(self):
        if self._missing:
            return _("Packages are missing. Press Set up above.")
        info = self._methods.get(self._parameterNode.method)
        if info is None:
            return _("Choose a method.")
        if info.needs_model and not self._models:
            return _("No model of this method is installed. Train or import one, or choose another method.")
        return self.logic.whyNot(self._parameterNode)

    # Set up and run

    def _onSetup(self, checked=False):
        from MedSRPanel import packages

        try:
            packages.install(packages.missing(self._requirements()), self._requirements())
        except packages.SetupError as error:
            self._view.note(str(error))
            slicer.util.errorDisplay(str(error))
        self._look()
        self._show()

    def running(self):
        """Whether a run is under way."""
        return self.run is not None and self.run.state == "running"

    def _onApply(self, checked=False):
        if self.running():
            self.run.cancel()
            self._view.cancelling()
            self.ui.applyButton.enabled = False
            self.ui.applyButton.toolTip = _("The run is being stopped.")
            return
        parameters = self._parameterNode
        volume = parameters.inputVolume
        self._view.begin(
            _("{method}: {name}").format(method=self._methods[parameters.method].title, name=volume.GetName())
        )
        self.run = self.logic.start(parameters)
        if self.running():
            self.timer.start()
            self._showApply()
        else:
            self._finish()

    def _poll(self):
        if self.run is None:
            self.timer.stop()
            return
        for event in self.run.poll():
            self._view.hear(event)
        if not self.running():
            self._finish()

    def _finish(self):
        """Show how the run ended."""
        self.timer.stop()
        run, self.run = self.run, None
        node = slicer.mrmlScene.GetNodeByID(run.resultNodeID) if run.resultNodeID else None
        self._view.end(run.state, run.errorMessage, node.GetName() if node is not None else "")
        if run.state == "failed":
            self.ui.logCollapsible.collapsed = False
        if node is not None:
            slicer.util.setSliceViewerLayers(background=node)
        self._show()

    def _stopNow(self):
        """End a run at once: the scene, the panel or Slicer goes away."""
        self.timer.stop()
        if self.run is not None:
            self.run.clean()
            self._view.end("cancelled", "")
            self.run = None


class MedSRTest(ScriptedLoadableModuleTest):
    """Runs in Slicer: "Reload and Test", or ctest in a build; Testing/StandIn runs it without Slicer."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_oblique_volume_keeps_its_place()

    def test_oblique_volume_keeps_its_place(self):
        """B-spline ×2 of an oblique volume: twice the voxels in the same field of view."""
        from MedSRPanel import library, packages

        missing = packages.missing(Path(__file__).parent / "Resources" / "requirements.txt")
        if missing or not library.findable():
            self.delayDisplay(_("Skipped: these packages are missing: {names}").format(names=", ".join(missing)))
            return
        import numpy as np

        volume = self._obliqueVolume()
        logic = MedSRLogic()
        parameters = logic.getParameterNode()
        parameters.inputVolume, parameters.goal, parameters.method = volume, "scale", "bspline"
        run = logic.start(parameters)
        self.addCleanup(run.clean)
        run.waitForEnd(300)
        self.assertEqual(run.state, "done", run.errorMessage)
        result = slicer.mrmlScene.GetNodeByID(run.resultNodeID)
        self.assertEqual(result.GetImageData().GetDimensions(), (14, 20, 26))
        old, new = (slicer.util.arrayFromVTKMatrix(self._ijkToRAS(node)) for node in (volume, result))
        for corner in np.ndindex(2, 2, 2):
            before = old @ [*(np.array(corner) * (7, 10, 13) - 0.5), 1]
            after = new @ [*(np.array(corner) * (14, 20, 26) - 0.5), 1]
            np.testing.assert_allclose(after, before, atol=1e-4)
        self.delayDisplay(_("The test passed."))

    def _obliqueVolume(self):
        import numpy as np

        matrix = np.eye(4)
        turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
        matrix[:3, :3] = turn * (1.0, 1.5, 3.0)
        matrix[:3, 3] = 5, -20, 30
        array = np.random.default_rng(0).normal(100, 20, (13, 10, 7)).astype(np.float32)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "oblique")
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
        slicer.util.updateVolumeFromArray(node, array)
        return node

    def _ijkToRAS(self, node):
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        return matrix
