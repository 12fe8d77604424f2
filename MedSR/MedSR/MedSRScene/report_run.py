"""The report of a comparison as a page that opens offline, written by another process.

run = ReportRun({"A": resultA, "B": resultB}, reference, "report")
run.start()
run.waitForEnd()                    # a script; a window calls run.poll() from a timer instead
run.page                            # report/report.html; metrics.json and metrics.csv lie beside it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from MedSRScene import masks
from MedSRScene.errors import SceneError
from MedSRScene.frames import Placed
from MedSRScene.i18n import tr as _
from MedSRScene.job_process import JobProcess
from MedSRScene.job_run import JobRun
from MedSRScene.volumes import ATTRIBUTE_PREFIX

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode


class ReportRun(JobRun):
    """One report; nodes are remembered by ID.

    Args:
        volumes: title to result.
        reference: what they are compared with, and in whose coordinates the pictures are.
        folder: receives the report; made if missing.
        mask: a label map or segmentation within which is measured too.
        segmentID: which segment of it.
        inputNode: what the results were made of, shown beside them.
        resampled: node ID of a result to that of the same on the reference's grid; used for a result that a bent or
            sheared transform parts from the reference (see `compare_run`).
        process: makes the process of a job from the job and a folder.

    Attributes:
        page: where the report is, once "done".
    """

    def __init__(
        self,
        volumes: Mapping[str, vtkMRMLVolumeNode],
        reference: vtkMRMLVolumeNode,
        folder: Path | str,
        *,
        mask: Any = None,
        segmentID: str | None = None,
        inputNode: vtkMRMLVolumeNode | None = None,
        resampled: Mapping[str, str] | None = None,
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        super().__init__(scene=reference.GetScene(), process=process)
        self.page: Path | None = None
        self._target = Path(folder).absolute()
        self._resultIDs = {title: node.GetID() for title, node in volumes.items()}
        self._referenceID = reference.GetID()
        self._maskID, self._segmentID = None if mask is None else mask.GetID(), segmentID
        self._inputID = None if inputNode is None else inputNode.GetID()
        self._resampled = dict(resampled or {})
        self._inputs: dict[str, Any] = {}

    def _prepare(self, folder: Path) -> list[Callable[[], None]]:
        reference = self._found(self._referenceID)
        self._inputs = {"reference": str(folder / "reference.nrrd"), "results": {}}
        writers = [partial(_write, Placed.of(reference, reference), folder / "reference.nrrd", {})]
        for number, (title, nodeID) in enumerate(self._resultIDs.items()):
            node, path = self._found(nodeID), folder / f"result-{number}.nrrd"
            self._inputs["results"][title] = str(path)
            writers.append(partial(_write, self._placed(node, reference), path, _provenance(node)))
        if self._inputID is not None:
            placed = Placed.of(self._found(self._inputID), reference)
            if placed.exact:
                self._inputs["image"] = str(folder / "input.nrrd")
                writers.append(partial(_write, placed, folder / "input.nrrd", {}))
        if self._maskID is not None:
            mask = masks.placed(self._found(self._maskID), self._segmentID, reference)
            self._inputs["mask"] = str(folder / "mask.nrrd")
            writers.append(partial(_writeMask, mask, folder / "mask.nrrd"))
        return writers

    def _job(self, folder: Path) -> dict[str, Any]:
        return {"task": "evaluate", "inputs": self._inputs, "outputs": {"folder": str(self._target)}}

    def _read(self, folder: Path) -> Path:
        return self._target / "report.html"

    def _import(self, loaded: Path) -> None:
        self.page = loaded

    def _placed(self, node: vtkMRMLVolumeNode, reference: vtkMRMLVolumeNode) -> Placed:
        placed = Placed.of(node, reference)
        if placed.exact:
            return placed
        other = self._scene.GetNodeByID(self._resampled.get(node.GetID(), ""))
        if other is None:
            raise SceneError(
                _("A transform bends or shears '{name}' against the reference. Compare first.").format(
                    name=node.GetName()
                )
            )
        return Placed.of(other, reference)

    def _found(self, nodeID: str) -> Any:
        node = self._scene.GetNodeByID(nodeID)
        if node is None:
            raise SceneError(_("A volume of the report is not in the scene any more. Choose the volumes again."))
        return node


def _provenance(node: vtkMRMLVolumeNode) -> dict[str, Any]:
    """What the node's attributes say of its making."""
    names = [name for name in node.GetAttributeNames() or () if name.startswith(ATTRIBUTE_PREFIX)]
    return {name.removeprefix(ATTRIBUTE_PREFIX): node.GetAttribute(name) for name in names}


def _write(placed: Placed, path: Path, provenance: Mapping[str, Any]) -> None:
    sitk.WriteImage(placed.image(), str(path))
    if provenance:
        path.with_suffix(".json").write_text(json.dumps(provenance, ensure_ascii=False), encoding="utf-8")


def _writeMask(mask: Placed, path: Path) -> None:
    sitk.WriteImage(masks.onFrame(mask), str(path))
