"""One volume node super-resolved in another process, its result shown beside it.

run = UpscaleRun(node, {"method": "bspline", "scale": 2})
run.start()
run.waitForEnd()                    # a script; a window calls run.poll() from a timer instead
result = slicer.mrmlScene.GetNodeByID(run.resultNodeID)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from vtk.util.numpy_support import vtk_to_numpy

from MedSRScene import differences, frames, regions, volumes
from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _
from MedSRScene.job_process import JobProcess
from MedSRScene.job_run import JobRun

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLVolumeNode

_SHOWN_PERCENTILE = 99.5
_TOLD_OF_MAPS = ("input", "method", "model", "ensemble", "acquisition")


@dataclass(frozen=True)
class _Map:
    """A map as it was read, and the value at which its colours end."""

    voxels: volumes.Voxels
    shown: float

    @classmethod
    def read(cls, path: Path) -> _Map:
        voxels = volumes.Voxels.read(path)
        # One that is nowhere above zero needs a range too.
        return cls(voxels, float(np.percentile(vtk_to_numpy(voxels.scalars), _SHOWN_PERCENTILE)) or 1.0)


class UpscaleRun(JobRun):
    """From a volume node to its result; nodes are remembered by ID and looked up again when the job has ended.

    Args:
        inputNode: is not changed.
        parameters: the "parameters" of an upscale job: method, scale or spacing or isotropic, model, device ...
        likeNode: a volume whose grid is wanted, in place of a scale.
        guideNodes: sharper volumes of other modalities of the same patient, for methods that need them, each with what
            it shows; empty where that is not known.
        roiNode: a region of interest; only the voxels that it covers are upscaled.
        marginMm: kept around the region.
        consistency: whether a second volume shows where the result contradicts the input.
        uncertainty: whether one shows the spread of the ensemble, which the parameters must ask for.
        outputNode: is filled; a new node if None, or if it is deleted before the end.
        outputName: of the result; by default a given node keeps its name, a new one is named after the input.
        process: makes the process of a job from the job and a folder.

    Attributes:
        resultNodeID: None until "done".
        consistencyNodeID: None until "done", and without ``consistency``.
        uncertaintyNodeID: None until "done", and without ``uncertainty``.
    """

    def __init__(
        self,
        inputNode: vtkMRMLVolumeNode,
        parameters: dict[str, Any],
        *,
        likeNode: vtkMRMLVolumeNode | None = None,
        guideNodes: Sequence[tuple[vtkMRMLVolumeNode, str]] = (),
        roiNode: vtkMRMLMarkupsROINode | None = None,
        marginMm: float = 0.0,
        consistency: bool = False,
        uncertainty: bool = False,
        outputNode: vtkMRMLScalarVolumeNode | None = None,
        outputName: str | None = None,
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        super().__init__(scene=inputNode.GetScene(), process=process)
        self.resultNodeID: str | None = None
        self.consistencyNodeID: str | None = None
        self.uncertaintyNodeID: str | None = None
        self._inputID, self._inputName = inputNode.GetID(), inputNode.GetName()
        self._otherIDs = {
            name: node.GetID() for name, node in (("like", likeNode), ("region", roiNode)) if node is not None
        }
        self._guides = {f"guide{n}": shown for n, (node, shown) in enumerate(guideNodes)}
        self._guideNames = [node.GetName() for node, shown in guideNodes]
        self._otherIDs |= {f"guide{n}": node.GetID() for n, (node, shown) in enumerate(guideNodes)}
        self._marginMm = marginMm
        wanted = {"consistency": consistency, "uncertainty": uncertainty}
        self._maps = [name for name, is_ in wanted.items() if is_]
        self._outputID = None if outputNode is None else outputNode.GetID()
        self._outputName = outputName
        self._parameters = dict(parameters)
        self._inputs: dict[str, Any] = {}

    def _prepare(self, folder: Path) -> list[Callable[[], Any]]:
        node = self._node(self._inputID)
        if node is None:
            raise SceneError(self._inputGone())
        if self._outputID == self._inputID:
            raise SceneError(_("The output would overwrite the input. Choose another output volume."))
        image = frames.Placed.of(node, node).image  # copies the voxels, in the thread that writes them
        roi = self._other("region", _("The region of interest"))
        box = None if roi is None else regions.box(node, roi, self._marginMm)
        writers = [partial(_write, image, folder / "input.nrrd", box)]
        self._inputs = {"image": str(folder / "input.nrrd")}
        whats = {"like": _("The volume whose grid is wanted"), **dict.fromkeys(self._guides, _("The guide"))}
        for name, what in whats.items():
            other = self._other(name, what)
            if other is not None:
                path = folder / f"{name}.nrrd"
                within = volumes.image_within(other, node)
                writers.append(partial(_write, lambda image=within: image, path))
                if name in self._guides:
                    guide = {"image": str(path), "modality": self._guides[name]}
                    self._inputs["guide"] = [*self._inputs.get("guide", ()), guide]
                else:
                    self._inputs[name] = str(path)
        return writers

    def _job(self, folder: Path) -> dict[str, Any]:
        outputs = {"image": str(folder / "result.nrrd")}
        outputs |= {name: str(folder / f"{name}.nrrd") for name in self._maps}
        return {"task": "upscale", "inputs": self._inputs, "outputs": outputs, "parameters": self._parameters}

    def _problem(self) -> str:
        return self._inputGone() if self._node(self._inputID) is None else ""

    def _read(self, folder: Path) -> Any:
        result = volumes.Voxels.read(folder / "result.nrrd")
        maps = {name: _Map.read(folder / f"{name}.nrrd") for name in self._maps}
        for path in folder.glob("*.nrrd"):  # here, in the thread: deleting a large file takes a while
            path.unlink()
        return result, maps

    def _import(self, loaded: Any) -> None:
        voxels, maps = loaded
        beside = self._node(self._inputID)
        if beside is None:
            raise SceneError(self._inputGone())
        output = None if self._outputID is None else self._node(self._outputID)
        node = volumes.show(voxels, self._scene, name=self._name(output), beside=beside, output=output)
        if self._origin().get("synthetic") is True and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetAutoWindowLevel(True)  # another modality has intensities of its own
        volumes.record(node, self._origin())
        self.resultNodeID = node.GetID()
        names = {
            "consistency": _("{name} consistency").format(name=node.GetName()),
            "uncertainty": _("{name} uncertainty").format(name=node.GetName()),
        }
        shown = {name: self._importMap(name, map_, names[name], node, beside) for name, map_ in maps.items()}
        self.consistencyNodeID, self.uncertaintyNodeID = shown.get("consistency"), shown.get("uncertainty")

    def _importMap(self, kind: str, map_: _Map, name: str, result: Any, beside: Any) -> str:
        """The ID of a new volume that shows a map of the result, and says of which."""
        node = volumes.show(map_.voxels, self._scene, name=name, beside=beside)
        differences.dress(node, map_.shown, "absolute", legend=False)
        told = {key: value for key, value in self._origin().items() if key in _TOLD_OF_MAPS}
        volumes.record(node, {f"{kind}_of": result.GetName(), **told})
        return str(node.GetID())

    def _origin(self) -> dict[str, Any]:
        told = dict(self.result.get("provenance") or {})
        told.pop("input_sha256", None)  # of the temporary file
        if self._guides:
            told["guides"] = ", ".join(
                f"{name} ({shown})" if shown else name
                for name, shown in zip(self._guideNames, self._guides.values(), strict=True)
            )
        return {**told, "input": self._inputName}

    def _name(self, output: Any) -> str | None:
        """Synthesised content is said in the name, whoever chose it."""
        name = self._outputName
        if name is None:
            name = f"{self._inputName} {self._parameters.get('method', 'upscaled')}" if output is None else None
        if self._origin().get("synthetic") is not True:
            return name
        known = name or output.GetName()
        ending = _("(synthetic)")
        return known if ending in known else f"{known} {ending}"

    def _inputGone(self) -> str:
        return _("The input volume '{name}' is not in the scene any more. Choose another and start again.").format(
            name=self._inputName
        )

    def _other(self, name: str, what: str) -> Any:
        nodeID = self._otherIDs.get(name)
        node = None if nodeID is None else self._node(nodeID)
        if nodeID is not None and node is None:
            raise SceneError(_("{what} is not in the scene any more. Choose another.").format(what=what))
        return node

    def _node(self, nodeID: str) -> Any:
        return self._scene.GetNodeByID(nodeID)


def _write(image: Callable[[], sitk.Image], path: Path, box: regions.Box | None = None) -> None:
    whole = image()
    sitk.WriteImage(whole if box is None else box.of(whole), str(path))
