"""MedSR Compare: volumes side by side, their differences, profiles and measures. This file binds the panel."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from MedSRComparePanel.calls import Calls
from slicer import vtkMRMLDisplayableNode, vtkMRMLMarkupsLineNode, vtkMRMLScalarVolumeNode
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


def findSiblings():
    """Make MedSRScene and MedSRPanel importable: installed side by side, in a source tree in MedSR's folder."""
    beside = Path(__file__).resolve().parents[1] / "MedSR"
    if importlib.util.find_spec("MedSRScene") is None and (beside / "MedSRScene").is_dir():
        sys.path.append(str(beside))
        importlib.invalidate_caches()


class MedSRCompare(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedSR Compare")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = []
        self.parent.contributors = ["The MedSR developers"]
        self.parent.helpText = _(
            "Compares up to eight volumes, with a reference or without: linked views, differences, profiles, measures "
            "and blind readings. Choose the volumes and press Compare. Grids and transforms may differ; the volumes "
            "are not changed."
        )
        self.parent.acknowledgementText = _("The metrics are defined in the documentation of MedSR.")


@parameterNodeWrapper
class MedSRCompareParameterNode:
    """What the panel shows; saved with the scene. The list of volumes is in `MedSRComparePanel.entries`."""

    reference: vtkMRMLScalarVolumeNode
    acquired: vtkMRMLScalarVolumeNode
    firstVolume: vtkMRMLScalarVolumeNode
    secondVolume: vtkMRMLScalarVolumeNode
    line: vtkMRMLMarkupsLineNode
    mask: vtkMRMLDisplayableNode
    segment: str = ""
    shown: bool = False
    mode: str = "side"
    blend: Annotated[float, WithinRange(0, 1)] = 0.5
    cells: Annotated[int, WithinRange(2, 32)] = 8
    speed: Annotated[float, WithinRange(0.5, 10)] = 2.0
    rock: bool = False
    rows: str = "Axial"
    linked: bool = True
    crosshair: bool = True
    native: bool = False
    align: bool = False
    window: str = "auto"
    windowLow: Annotated[float, WithinRange(-1e6, 1e6)] = 0.0
    windowHigh: Annotated[float, WithinRange(-1e6, 1e6)] = 100.0
    showDifference: bool = True
    differenceMode: str = "signed"
    differenceLimit: float = 0.0
    legend: bool = True
    inside: str = "mask"
    chart: str = "none"
    sliceAxis: str = "k"
    seed: Annotated[int, WithinRange(0, 999999)] = 1
    caseName: str = ""
    criteria: str = "sharpness, noise, artefacts, overall"
    records: str = ""


class MedSRCompareLogic(ScriptedLoadableModuleLogic, Calls):
    """Everything that the panel does, for scripts too; the calls are those of `MedSRComparePanel.calls`.

    logic = MedSRCompareLogic()
    parameters = logic.getParameterNode()
    logic.setVolumes(parameters, reference, [resultA, resultB], ["A", "B"])
    logic.show(parameters)
    run = logic.startRun(parameters)
    run.waitForEnd()
    logic.finishRun(parameters, run)
    shown, rows = logic.measures(parameters)
    """

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        findSiblings()
        Calls.__init__(self, Path(__file__).parent / "Resources" / "requirements.txt")
        self._wrapped = None

    def getParameterNode(self):
        """The one wrapper of the module's parameter node: two of one node would not see each other's changes."""
        node = super().getParameterNode()
        if self._wrapped is None or self._wrapped.parameterNode is not node:
            self._wrapped = MedSRCompareParameterNode(node)
        return self._wrapped

    def forgetParameterNode(self):
        """The scene was closed or another one imported: its values replace those that the wrapper knows."""
        self._wrapped = None


class MedSRCompareWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel follows the parameter node and the scene; see `MedSRComparePanel.panel`."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/MedSRCompare.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSRCompareLogic()
        from MedSRComparePanel.panel import Panel

        self.panel = Panel(widget, self.ui, self.logic)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onNewScene)
        self.addObserver(scene, scene.EndImportEvent, self._onNewScene)
        self.addObserver(scene, scene.NodeAddedEvent, self.panel.later)
        self.addObserver(scene, scene.NodeRemovedEvent, self.panel.later)
        slicer.app.connect("aboutToQuit()", self._onQuit)
        self._initialize()
        if getattr(self.parent, "isEntered", False):  # reloaded while it is shown
            self.panel.enter()

    def enter(self):
        """The panel is shown: what was compared comes back into the views."""
        self._initialize()
        self.panel.enter()

    def compareVolumes(self, reference, results, titles=()):
        """Show and compute a comparison at once, as if it were chosen and Compare pressed; for other modules.

        slicer.util.selectModule("MedSRCompare")
        slicer.modules.MedSRCompareWidget.compareVolumes(None, [volume, result], ["before", "after"])
        """
        self._initialize()
        self.logic.setVolumes(self.panel.parameters, reference, results, titles)
        self.panel.refresh()
        self.ui.compareButton.click()

    def exit(self):
        """Another module is shown: the user's layout comes back; a computation goes on."""
        self.panel.exit()

    def cleanup(self):
        slicer.app.disconnect("aboutToQuit()", self._onQuit)
        self._follow(None)
        self.panel.remove()
        self.removeObservers()

    def onReload(self):
        from MedSRPanel import library

        self._onQuit()
        library.forget()
        for name in [name for name in sys.modules if name.split(".")[0] == "MedSRComparePanel"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _initialize(self):
        self._follow(self.logic.getParameterNode())

    def _follow(self, parameters):
        """Show these parameters, and write what the user changes into them; None ends that."""
        old = self.panel.parameters
        if old is parameters:
            return
        if old is not None:
            self.removeObserver(old, vtk.vtkCommand.ModifiedEvent, self.panel.later)
        self.panel.follow(parameters)
        if parameters is not None:
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.panel.later)

    def _onStartClose(self, caller, event):
        self.panel.stop()
        self._follow(None)
        self.logic.forgetParameterNode()
        self.logic.forget()

    def _onNewScene(self, caller, event):
        """A scene was closed or imported: other values are in the parameter node now."""
        self._follow(None)
        self.logic.forgetParameterNode()
        if self.parent.isEntered:
            self._initialize()
            self.panel.start()

    def _onQuit(self):
        self.panel.stop()


class MedSRCompareTest(ScriptedLoadableModuleTest):
    """Runs in Slicer: "Reload and Test", or ctest in a build; Testing/StandIn runs it without Slicer."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_volumes_are_compared_where_they_are()

    def test_volumes_are_compared_where_they_are(self):
        """An oblique volume, and a darker copy of it under a transform: views, profile, difference, measures."""
        import numpy as np

        logic = MedSRCompareLogic()
        self.addCleanup(logic.clear)
        parameters = logic.getParameterNode()
        reference, result = self._obliquePair()
        logic.setVolumes(parameters, reference, [result], ["darker"])
        parameters.shown, parameters.chart = True, "profile"
        parameters.line = self._lineThrough(reference)
        logic.show(parameters)
        if slicer.app.layoutManager() is not None:
            self.assertTrue(logic.shown())
        profile = logic.profile(parameters)
        bright, dark = (profile.values[node.GetID()] for node in (reference, result))
        np.testing.assert_allclose(dark, bright - 10, atol=0.5)
        self.assertEqual([title for title, _color, _width in logic.edgeWidths(parameters)], ["Reference", "darker"])
        missing = logic.missingPackages()
        if missing:
            self.delayDisplay(_("Skipped: these packages are missing: {names}").format(names=", ".join(missing)))
            return
        run = logic.startRun(parameters)
        self.addCleanup(run.clean)
        run.waitForEnd(300)
        self.assertEqual(run.state, "done", run.errorMessage)
        logic.finishRun(parameters, run)
        logic.show(parameters)
        difference = slicer.util.arrayFromVolume(logic.differenceNode(parameters, result))
        np.testing.assert_allclose(difference[2:-2, 2:-2, 2:-2], -10, atol=0.5)
        shown, rows = logic.measures(parameters)
        found = {row.metric: row.values for row in rows}
        self.assertEqual([each.title for each in shown], ["darker"])
        self.assertAlmostEqual(found["mae"][0], 10, delta=1)
        self.delayDisplay(_("The test passed."))

    def _obliquePair(self):
        """The same ball twice, the second 10 darker, with its grid moved and moved back by a transform."""
        import numpy as np

        matrix = np.eye(4)
        turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
        matrix[:3, :3] = turn * (1.0, 1.25, 1.5)
        matrix[:3, 3] = 5, -20, 30
        k, j, i = np.indices((18, 20, 24), dtype=np.float32)
        radius = np.sqrt((1.0 * (i - 11.5)) ** 2 + (1.25 * (j - 9.5)) ** 2 + (1.5 * (k - 8.5)) ** 2)
        ball = (100 / (1 + np.exp((radius - 7) / 1.2)) + 20).astype(np.float32)
        shift = np.eye(4)
        shift[:3, 3] = 12, 3, -7
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved back")
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
        nodes = []
        for name, array, place in (("truth", ball, matrix), ("result", ball - 10, np.linalg.inv(shift) @ matrix)):
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(place))
            slicer.util.updateVolumeFromArray(node, array)
            node.CreateDefaultDisplayNodes()
            nodes.append(node)
        nodes[1].SetAndObserveTransformNodeID(transform.GetID())
        return nodes

    def _lineThrough(self, volume):
        """A line from the middle of a volume outwards, along its first axis."""
        import numpy as np

        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        toRAS = slicer.util.arrayFromVTKMatrix(matrix)
        line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Profile")
        for index in ((11.5, 9.5, 8.5), (22.0, 9.5, 8.5)):
            line.AddControlPointWorld(vtk.vtkVector3d(*(toRAS @ np.array([*index, 1.0]))[:3]))
        return line
