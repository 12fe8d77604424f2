"""One volume node super-resolved in another process, its result shown beside it.

run = UpscaleRun(node, {"method": "bspline", "scale": 2})
run.start()
run.waitForEnd()                    # a script; a window calls run.poll() from a timer instead
result = slicer.mrmlScene.GetNodeByID(run.resultNodeID)
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from MedSRScene import volumes
from MedSRScene.errors import SceneError
from MedSRScene.job_process import Event, JobProcess

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLVolumeNode

_CANCELLED_CODE = 4
_POLL_S = 0.05


class UpscaleRun:
    """From a volume node to its result; nodes are remembered by ID and looked up again when the job has ended.

    Args:
        inputNode: is not changed.
        parameters: the "parameters" of an upscale job: method, scale or spacing or isotropic, model, device ...
        likeNode: a volume whose grid is wanted, in place of a scale.
        outputNode: is filled; a new node if None, or if it is deleted before the end.
        outputName: of the result; by default a given node keeps its name, a new one is named after the input.
        process: makes the process of a job from the job and a folder.

    Attributes:
        state: "idle", "running", "done", "cancelled" or "failed".
        resultNodeID: None until "done".
        errorMessage: what went wrong, when "failed".
    """

    def __init__(
        self,
        inputNode: vtkMRMLVolumeNode,
        parameters: dict[str, Any],
        *,
        likeNode: vtkMRMLVolumeNode | None = None,
        outputNode: vtkMRMLScalarVolumeNode | None = None,
        outputName: str | None = None,
        process: Callable[[dict[str, Any], Path], JobProcess] = JobProcess,
    ) -> None:
        self.state = "idle"
        self.resultNodeID: str | None = None
        self.errorMessage = ""
        self._scene = inputNode.GetScene()
        self._inputID, self._inputName = inputNode.GetID(), inputNode.GetName()
        self._likeID = None if likeNode is None else likeNode.GetID()
        self._outputID = None if outputNode is None else outputNode.GetID()
        self._outputName = outputName
        self._parameters = dict(parameters)
        self._makeProcess = process
        self._process: JobProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._closeTag: int | None = None
        self._lastError = ""
        self._provenance: dict[str, Any] = {}
        self._cancelAsked = False

    def start(self) -> None:
        """Write the input and start the job; what prevents that is told by the state and the message."""
        if self.state != "idle":
            raise RuntimeError("A run can be started once; make a new one.")
        try:
            self._start()
        except (SceneError, OSError, RuntimeError) as error:
            self._end("failed", f"The job could not be started: {error}")

    def poll(self) -> list[Event]:
        """The events since the last poll; at the end of the job the result is shown, and the state tells."""
        if self.state != "running" or self._process is None:
            return []
        ended = not self._process.running
        events = self._process.poll()
        for event in events:
            if event["event"] == "error":
                self._lastError = str(event.get("message", ""))
            elif event["event"] == "result":
                self._provenance = dict(event.get("provenance") or {})
        if ended:
            self._finish()
        elif self._node(self._inputID) is None:
            self._end("failed", self._inputGone())
        return events

    def cancel(self) -> None:
        """Ask the job to stop; the state is "cancelled" when it has (go on polling)."""
        if self.state == "running" and self._process is not None:
            self._cancelAsked = True
            self._process.cancel()

    def waitForEnd(self, timeout: float | None = None) -> str:
        """Poll until the job has ended, or for ``timeout`` seconds; the state."""
        start = time.monotonic()
        while self.state == "running" and (timeout is None or time.monotonic() - start < timeout):
            self.poll()
            time.sleep(_POLL_S)
        return self.state

    def clean(self) -> None:
        """End the job if it still runs, and remove its files; called at every end, harmless when repeated."""
        if self._closeTag is not None:
            self._scene.RemoveObserver(self._closeTag)
            self._closeTag = None
        if self._process is not None:
            self._process.kill()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        if self.state == "running":
            self.state = "cancelled"

    def _start(self) -> None:
        node = self._node(self._inputID)
        if node is None:
            raise SceneError(self._inputGone())
        if self._outputID == self._inputID:
            raise SceneError("The output would overwrite the input. Choose another output volume.")
        self._folder = tempfile.TemporaryDirectory(prefix="MedSR-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        inputs = {"image": _write(volumes.image_of(node), folder / "input.nrrd")}
        if self._likeID is not None:
            like = self._node(self._likeID)
            if like is None:
                raise SceneError("The volume whose grid is wanted is not in the scene any more. Choose another.")
            inputs["like"] = _write(volumes.image_within(like, node), folder / "like.nrrd")
        job = {
            "task": "upscale",
            "inputs": inputs,
            "outputs": {"image": str(self._resultPath())},
            "parameters": self._parameters,
        }
        self._process = self._makeProcess(job, folder)
        self._process.start()
        self._closeTag = self._scene.AddObserver(self._scene.StartCloseEvent, self._sceneCloses)
        self.state = "running"

    def _finish(self) -> None:
        """Show the result of a job that has ended, or tell why there is none."""
        code = self._process.exitCode
        if self._cancelAsked or code == _CANCELLED_CODE:
            self._end("cancelled")
        elif code != 0:
            self._end("failed", self._lastError or self._crash(code))
        else:
            try:
                self._show()
            except (SceneError, RuntimeError) as error:
                self._end("failed", f"The job is done, but its result cannot be shown: {error}")
            else:
                self._end("done")

    def _show(self) -> None:
        beside = self._node(self._inputID)
        if beside is None:
            raise SceneError(self._inputGone())
        image = sitk.ReadImage(str(self._resultPath()))
        output = None if self._outputID is None else self._node(self._outputID)
        name = self._outputName
        if output is None and name is None:
            name = f"{self._inputName} {self._parameters.get('method', 'upscaled')}"
        node = volumes.show(image, self._scene, name=name, beside=beside, output=output)
        told = {key: value for key, value in self._provenance.items() if key != "input_sha256"}
        volumes.record(node, {**told, "input": self._inputName})
        self.resultNodeID = node.GetID()

    def _end(self, state: str, message: str = "") -> None:
        self.state = state
        self.errorMessage = message
        self.clean()

    def _sceneCloses(self, caller: Any, event: str) -> None:
        """IDs of the next scene may be those of this one: nothing may be looked up any more."""
        self._end("cancelled")

    def _crash(self, code: int | None) -> str:
        tail = self._process.tail()
        return f"The job ended unexpectedly (exit code {code}). " + (f"Its last lines:\n{tail}" if tail else "")

    def _inputGone(self) -> str:
        return f"The input volume '{self._inputName}' is not in the scene any more. Choose another and start again."

    def _resultPath(self) -> Path:
        return Path(self._folder.name) / "result.nrrd"

    def _node(self, nodeID: str) -> Any:
        return self._scene.GetNodeByID(nodeID)


def _write(image: sitk.Image, path: Path) -> str:
    sitk.WriteImage(image, str(path))
    return str(path)
