"""Volumes compared in another process: measures, and every volume and its difference on the reference's grid.

run = CompareRun([resultA, resultB], reference)
run.start()
run.waitForEnd()                    # a script; a window calls run.poll() from a timer instead
run.measures["metrics"], run.resampled, run.differences
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from MedSRScene import derived, masks
from MedSRScene.errors import SceneError
from MedSRScene.frames import Grid, Placed
from MedSRScene.i18n import tr as _
from MedSRScene.job_process import JobProcess
from MedSRScene.job_run import JobRun

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLVolumeNode

MEASURES_FILE = "measures.json"


class CompareRun(JobRun):
    """One comparison; nodes are remembered by ID and looked up again when the job has ended.

    Args:
        volumes: the results; the reference among them is left out.
        reference: what they are compared with, and whose grid they are brought to; without one that is the grid of
            the first volume, and only what needs no reference is measured.
        mask: a label map or segmentation within which is measured too.
        segmentID: which segment of it.
        inputNode: what the results were made of, for their consistency with it (only without a reference).
        measures: False for the volumes alone.
        process: makes the process of a job from the job and a folder.

    Attributes:
        measures: the measures, with node IDs as keys; empty until "done".
        resampled: node ID to the ID of a new volume on the reference's grid, without the reference itself.
        differences: node ID to the ID of a new volume, result − reference.
        notes: what could not be done, in the user's words.
    """

    def __init__(
        self,
        volumes: Sequence[vtkMRMLVolumeNode],
        reference: vtkMRMLVolumeNode | None = None,
        mask: Any = None,
        segmentID: str | None = None,
        inputNode: vtkMRMLVolumeNode | None = None,
        measures: bool = True,
        *,
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        results = [node for node in volumes if reference is None or node.GetID() != reference.GetID()]
        if not results:
            raise ValueError("A comparison needs a volume beside the reference.")
        frame = reference or results[0]
        super().__init__(scene=frame.GetScene(), process=process)
        self.measures: dict[str, Any] = {}
        self.resampled: dict[str, str] = {}
        self.differences: dict[str, str] = {}
        self.notes: list[str] = []
        self._resultIDs = [node.GetID() for node in results]
        self._names = {node.GetID(): node.GetName() for node in (*results, frame, mask, inputNode) if node is not None}
        self._frameID, self._hasReference = frame.GetID(), reference is not None
        self._maskID = None if mask is None else mask.GetID()
        self._segmentID = segmentID
        self._inputID = None if inputNode is None or reference is not None else inputNode.GetID()
        self._measured = measures
        self._inputs: dict[str, Any] = {}

    def _prepare(self, folder: Path) -> list[Callable[[], None]]:
        frame = self._found(self._frameID)
        writers = []
        self._inputs = {"reference": None, "results": {}, "mask": None, "label": None, "input": None}
        if self._hasReference:
            path = folder / "reference.nrrd"
            self._inputs["reference"] = str(path)
            writers.append(partial(_writeImage, self._placed(self._frameID, frame), path))
        for number, nodeID in enumerate(self._resultIDs):
            placed = self._placed(nodeID, frame)
            image, field = folder / f"result-{number}.nrrd", folder / f"result-{number}-field.nrrd"
            self._inputs["results"][nodeID] = {
                "image": str(image),
                "field": None if placed.exact else str(field),
                "name": self._names[nodeID],
            }
            writers.append(partial(_writeImage, placed, image))
            if not placed.exact:
                writers.append(partial(_writeField, placed, field))
        if self._maskID is not None:
            path = folder / "mask.nrrd"
            mask = masks.placed(self._found(self._maskID), self._segmentID, frame)
            self._inputs["mask"] = str(path)
            writers.append(partial(_writeMask, mask, path))
        if self._inputID is not None:
            writers += self._input(self._placed(self._inputID, frame), folder / "input.nrrd")
        (folder / "compared").mkdir()
        return writers

    def _job(self, folder: Path) -> dict[str, Any]:
        return {
            "task": "compare",
            "inputs": self._inputs,
            "outputs": {"folder": str(folder / "compared")},
            "parameters": {"measures": self._measured},
        }

    def _read(self, folder: Path) -> Any:
        """Measures, and (node ID, is a difference, voxels, grid) of each volume."""
        compared = folder / "compared"
        path = compared / MEASURES_FILE
        measures = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        loaded = []
        for number, nodeID in enumerate(self._resultIDs):
            for difference, name in ((False, f"{number}.nrrd"), (True, f"{number}-difference.nrrd")):
                if difference and not self._hasReference:
                    continue
                loaded.append((nodeID, difference, *_scalars(compared / name)))
        return measures, loaded

    def _import(self, loaded: Any) -> None:
        measures, volumes = loaded
        frame = self._found(self._frameID)
        if not all(Grid.of(frame).equals(grid) for *_rest, grid in volumes):
            raise SceneError(
                _("'{name}' was changed during the comparison. Compare again.").format(name=frame.GetName())
            )
        for nodeID, difference, voxels, _grid in volumes:
            form = _("{name} difference") if difference else _("{name} on {frame}")
            name = form.format(name=self._names[nodeID], frame=self._names[self._frameID])
            node = _show(voxels, frame, name, self._scene.GetNodeByID(nodeID))
            (self.differences if difference else self.resampled)[nodeID] = node.GetID()
        self.measures = measures

    def _problem(self) -> str:
        gone = self._scene.GetNodeByID(self._frameID) is None
        return self._goneMessage(self._frameID) if gone else ""

    def _input(self, placed: Placed, path: Path) -> list[Callable[[], None]]:
        if not placed.exact:
            self.notes.append(
                _("The consistency with the input is not measured: the transform between them bends or shears it.")
            )
            return []
        self._inputs["input"] = str(path)
        return [partial(_writeImage, placed, path)]

    def _placed(self, nodeID: str, frame: vtkMRMLVolumeNode) -> Placed:
        placed = Placed.of(self._found(nodeID), frame)
        if placed.voxels.ndim > 3:
            raise SceneError(
                _("'{name}' has several numbers a voxel and cannot be compared.").format(
                    name=self._found(nodeID).GetName()
                )
            )
        return placed

    def _found(self, nodeID: str) -> Any:
        node = self._scene.GetNodeByID(nodeID)
        if node is None:
            raise SceneError(self._goneMessage(nodeID))
        return node

    def _goneMessage(self, nodeID: str) -> str:
        return _("'{name}' is not in the scene any more. Choose another and start again.").format(
            name=self._names[nodeID]
        )


def _show(
    voxels: vtk.vtkDataArray, frame: vtkMRMLScalarVolumeNode, name: str, like: vtkMRMLVolumeNode | None
) -> vtkMRMLScalarVolumeNode:
    """A derived volume on the frame's grid, its voxels not copied, with the window and level of another."""
    scene = frame.GetScene()
    data = vtk.vtkImageData()
    data.SetExtent(frame.GetImageData().GetExtent())
    data.GetPointData().SetScalars(voxels)
    matrix = vtk.vtkMatrix4x4()
    frame.GetIJKToRASMatrix(matrix)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(frame.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    mine, theirs = node.GetDisplayNode(), None if like is None else like.GetDisplayNode()
    mine.AutoWindowLevelOff()
    if theirs is not None and theirs.IsA("vtkMRMLScalarVolumeDisplayNode"):
        mine.SetWindowLevel(theirs.GetWindow(), theirs.GetLevel())
        mine.SetAndObserveColorNodeID(theirs.GetColorNodeID())
        mine.SetInterpolate(theirs.GetInterpolate())
    derived.mark(node)
    node.SetAndObserveImageData(data)
    return node


def _scalars(path: Path) -> tuple[vtk.vtkDataArray, Grid]:
    """Voxels and grid of a file, in memory that VTK owns: what it borrows it does not keep alive."""
    image = sitk.ReadImage(str(path), sitk.sitkFloat32)
    voxels = vtk.vtkFloatArray()
    voxels.SetNumberOfTuples(image.GetNumberOfPixels())
    np.copyto(vtk_to_numpy(voxels), sitk.GetArrayViewFromImage(image).reshape(-1))
    return voxels, Grid.ofImage(image)


def _writeImage(placed: Placed, path: Path) -> None:
    sitk.WriteImage(placed.image(), str(path))


def _writeField(placed: Placed, path: Path) -> None:
    sitk.WriteImage(placed.displacements(), str(path))


def _writeMask(mask: Placed, path: Path) -> None:
    sitk.WriteImage(masks.onFrame(mask), str(path))
