"""MedSR: super-resolve a volume. This file binds the panel; the work is done by a job process (MedSRScene)."""

from pathlib import Path
from typing import Annotated

import slicer
import vtk
from MedSRPanel.calls import RECOMMENDED, Calls
from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode
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
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer a volume with thick slices in the module Sample Data; Slicer has loaded that module by now."""
    from MedSRScene import sample_data

    sample_data.register(Path(__file__).parent / "Resources" / "Icons" / "MRHead4mm.png")


@parameterNodeWrapper
class MedSRParameterNode:
    """What the panel shows; saved with the scene.

    An empty ``modality`` is the one that DICOM data or name tell, an empty ``target`` means the modality stays,
    ``isotropicMm`` of 0 the finest spacing of the input, and ``memory`` of 0 GB the default budget. ``consistency`` and
    ``uncertainty`` ask for a map beside the result, ``refine`` for a result that explains the input. ``thickness`` of
    0 mm is the one that DICOM files tell; ``methodOptions`` is written by ``MedSRLogic.setOption``. Without a
    ``guideVolume`` the one that ``MedSRLogic.sharperVolume`` finds guides, unless ``useGuide`` is off; a second guide
    likewise, with models that take two.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    modality: str = ""
    thickness: Annotated[float, WithinRange(0, 50)] = 0.0
    goal: str = "isotropic"
    isotropicMm: Annotated[float, WithinRange(0, 20)] = 0.0
    linked: bool = True
    scaleX: Annotated[float, WithinRange(1, 16)] = 2.0
    scaleY: Annotated[float, WithinRange(1, 16)] = 2.0
    scaleZ: Annotated[float, WithinRange(1, 16)] = 2.0
    spacingX: Annotated[float, WithinRange(0.05, 20)] = 1.0
    spacingY: Annotated[float, WithinRange(0.05, 20)] = 1.0
    spacingZ: Annotated[float, WithinRange(0.05, 20)] = 1.0
    likeVolume: vtkMRMLScalarVolumeNode
    guideVolume: vtkMRMLScalarVolumeNode
    useGuide: bool = True
    secondGuideVolume: vtkMRMLScalarVolumeNode
    useSecondGuide: bool = True
    target: str = ""
    family: str = ""
    method: str = RECOMMENDED
    model: str = ""
    methodOptions: str = "{}"
    roi: vtkMRMLMarkupsROINode
    margin: Annotated[float, WithinRange(0, 100)] = 5.0
    device: str = "auto"
    precision: str = "auto"
    memory: Annotated[float, WithinRange(0, 256)] = 0.0
    consistency: bool = False
    uncertainty: bool = False
    refine: bool = False
    outputVolume: vtkMRMLScalarVolumeNode


class MedSRLogic(ScriptedLoadableModuleLogic, Calls):
    """Everything that the panel does, for scripts too; the calls are those of `MedSRPanel.calls`.

    logic = MedSRLogic()
    parameters = logic.getParameterNode()
    parameters.inputVolume, parameters.goal = volume, "isotropic"
    run = logic.start(parameters)
    run.waitForEnd()
    result = slicer.mrmlScene.GetNodeByID(run.resultNodeID)

    With ``parameters.uncertainty = True`` there is ``run.uncertaintyNodeID`` too, with ``parameters.consistency``
    ``run.consistencyNodeID``; ``parameters.refine = True`` refines the result to the scan.
    """

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._wrapped = None

    def getParameterNode(self):
        """The one wrapper of the module's parameter node: two of one node would not see each other's changes."""
        node = super().getParameterNode()
        if self._wrapped is None or self._wrapped.parameterNode is not node:
            self._wrapped = MedSRParameterNode(node)
        return self._wrapped

    def forgetParameterNode(self):
        """The scene was closed or another one imported: its values replace those that the wrapper knows."""
        self._wrapped = None


class MedSRWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel follows the parameter node and the scene; see `MedSRPanel.panel`."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        from MedSRPanel.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/MedSR.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSRLogic()
        self.panel = Panel(widget, self.ui, self.logic, Path(self.resourcePath("requirements.txt")))
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onNewScene)
        self.addObserver(scene, scene.EndImportEvent, self._onNewScene)
        self.addObserver(scene, scene.NodeAddedEvent, self.panel.later)
        self.addObserver(scene, scene.NodeRemovedEvent, self.panel.later)
        slicer.app.connect("aboutToQuit()", self._onQuit)
        self._initialize()

    def enter(self):
        """The panel is shown: packages or models may have come, volumes may have gone."""
        self._initialize()
        self.panel.quality.lookOnce()

    def exit(self):
        """Another module is shown; a run goes on, and can be seen and cancelled on return."""
        self._follow(None)

    def cleanup(self):
        self.panel.stop()
        slicer.app.disconnect("aboutToQuit()", self._onQuit)
        self._follow(None)
        self.removeObservers()

    def onReload(self):
        from MedSRPanel import library

        self.panel.stop()
        library.forget()
        ScriptedLoadableModuleWidget.onReload(self)

    def _initialize(self):
        self._follow(self.logic.getParameterNode())
        self.panel.look()
        parameters = self.panel.parameters
        if parameters.inputVolume is None:
            first = next(iter(self.logic.volumes()), None)
            if first is not None:
                parameters.inputVolume = first

    def _follow(self, parameters):
        """Show these parameters, and write what the user changes into them; None ends that."""
        old = self.panel.parameters
        if old is parameters:
            return
        if old is not None:
            self.removeObserver(old, vtk.vtkCommand.ModifiedEvent, self.panel.refresh)
        self.panel.follow(parameters)
        if parameters is not None:
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.panel.refresh)

    def _onStartClose(self, caller, event):
        self.panel.stop()
        self._follow(None)
        self.logic.forgetParameterNode()

    def _onNewScene(self, caller, event):
        """A scene was closed or imported: other values are in the parameter node now."""
        self._follow(None)
        self.logic.forgetParameterNode()
        if self.parent.isEntered:
            self._initialize()

    def _onQuit(self):
        self.panel.stop()


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
