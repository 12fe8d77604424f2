"""What the panel of MedSR does, as calls that a script can make with a parameter node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRScene.batch_run import BatchRun
    from MedSRScene.job_run import JobRun
    from MedSRScene.upscale_run import UpscaleRun

    from MedSRLib.estimate import Estimate
    from MedSRPanel.recommend import Recommendation

RECOMMENDED = "recommended"
AXES = "XYZ"
_SHARPER = 0.8
"""A volume is suggested as a guide if its coarsest spacing is below this part of the input's."""


class Calls:
    """The calls of `MedSRLogic`; ``parameters`` is its parameter node everywhere."""

    def volumes(self) -> list[Any]:
        """The volumes of the scene that a user could choose, in their order."""
        from MedSRScene import derived

        nodes = slicer.mrmlScene.GetNodesByClass("vtkMRMLScalarVolumeNode")
        found = [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
        return [
            node
            for node in found
            if not node.IsA("vtkMRMLLabelMapVolumeNode")
            and not node.GetHideFromEditors()
            and node.GetAttribute(derived.ATTRIBUTE) is None
        ]

    def modality(self, parameters: Any) -> str:
        """What the input shows: as chosen, else as DICOM data or name tell, else empty."""
        from MedSRScene import modalities

        volume = parameters.inputVolume
        return parameters.modality or ("" if volume is None else modalities.guess(volume))

    def sharperVolume(self, parameters: Any) -> Any:
        """A volume of the scene that could guide the input: nowhere as coarse; None if there is none."""
        volume = parameters.inputVolume
        if volume is None:
            return None
        coarsest = max(volume.GetSpacing())
        others = [node for node in self.volumes() if node.GetID() != volume.GetID() and node.GetImageData() is not None]
        finer = [node for node in others if max(node.GetSpacing()) < _SHARPER * coarsest]
        return min(finer, key=lambda node: max(node.GetSpacing()), default=None)

    def recommend(self, parameters: Any) -> Recommendation | None:
        """The method and model that suit the input best, with the reason."""
        from MedSRPanel import choices
        from MedSRPanel.recommend import recommend

        volume, spacing, wanted = parameters.inputVolume, None, None
        if volume is not None and not self.whyNot(parameters):
            spacing, wanted = volume.GetSpacing(), self.resultGrid(parameters)[1]
        known = choices.cards()
        return recommend(
            choices.offered(choices.methods(), known, parameters.target),
            known,
            modality=self.modality(parameters),
            target=parameters.target,
            guided=parameters.guideVolume is not None,
            spacing=spacing,
            wanted=wanted,
        )

    def chosen(self, parameters: Any) -> tuple[str, str]:
        """Identifier of the method and name of the model ("" if it needs none, or none fits) that would run."""
        from MedSRPanel import choices

        if parameters.method == RECOMMENDED:
            best = self.recommend(parameters)
            return ("", "") if best is None else (best.method, best.model)
        info = choices.methods().get(parameters.method)
        if info is None or not info.needs_model:
            return parameters.method, ""
        known = choices.models(choices.cards(), info.identifier, self.modality(parameters), parameters.target)
        return info.identifier, parameters.model if parameters.model in known else next(iter(known), "")

    def target(self, parameters: Any) -> dict[str, Any]:
        """The wanted grid as a job says it: one of scale, spacing, isotropic, or nothing for a volume's grid."""
        if parameters.goal == "like":
            return {}
        if parameters.goal == "isotropic":
            return {"isotropic": True}
        return {parameters.goal: [getattr(parameters, parameters.goal + axis) for axis in AXES]}

    def whyNot(self, parameters: Any) -> str:
        """Why the volumes and the goal cannot be used, in the user's words; empty if they can."""
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

    def resultGrid(self, parameters: Any) -> tuple[Sequence[int], Sequence[float]]:
        """Size and spacing of the result of the whole volume; ValueError says why there can be none."""
        from MedSRPanel import choices

        if parameters.goal == "like":
            like = parameters.likeVolume
            return like.GetImageData().GetDimensions(), like.GetSpacing()
        volume = parameters.inputVolume
        return choices.result_grid(volume.GetImageData().GetDimensions(), volume.GetSpacing(), self.target(parameters))

    def resultName(self, parameters: Any) -> str:
        """What a new volume is called: T2w – MedSR ArSSR 0.6 mm."""
        from MedSRPanel import choices

        method = self.chosen(parameters)[0]
        info = choices.methods().get(method)
        spacing = list(dict.fromkeys(f"{h:.3g}" for h in self.resultGrid(parameters)[1]))
        named = parameters.target or (method if info is None else info.title)
        return f"{parameters.inputVolume.GetName()} – MedSR {named} {' × '.join(spacing)} mm"

    def estimate(self, parameters: Any, speed: dict[str, float] | None = None) -> Estimate | None:
        """Time and memory of a run; None where the whole volume's grid is not known yet.

        Args:
            speed: of the device, as the job "machine" tells; without it there is no time.
        """
        from MedSRScene import regions
        from MedSRScene.errors import SceneError

        from MedSRLib.estimate import estimate
        from MedSRPanel import choices

        volume = parameters.inputVolume
        size, spacing = volume.GetImageData().GetDimensions(), volume.GetSpacing()
        wanted, fine = self.resultGrid(parameters)
        if parameters.roi is not None:
            try:
                part = regions.box(volume, parameters.roi, parameters.margin).size
            except SceneError:
                return None
            wanted = [max(1, round(n * p / whole)) for n, p, whole in zip(wanted, part, size, strict=True)]
            size = part
        method, model = self.chosen(parameters)
        if not method:
            return None
        source, target = choices.plain_grid(size, spacing), choices.plain_grid(wanted, fine)
        card = choices.cards().get(model)
        return estimate(method, source, target, card, speed=speed, memory_gb=parameters.memory or None)

    def job(self, parameters: Any) -> dict[str, Any]:
        """The parameters of an upscale job."""
        method, model = self.chosen(parameters)
        job = {"method": method, "device": parameters.device, "precision": parameters.precision}
        if model:
            job["model"] = model
        if parameters.memory:
            job["memory_gb"] = parameters.memory
        return {**job, **self.target(parameters)}

    def start(self, parameters: Any) -> UpscaleRun:
        """Start a run; poll it, or wait by ``waitForEnd()``, then look at ``state`` and ``resultNodeID``."""
        run = self._upscaleRun(parameters, parameters.inputVolume, parameters.outputVolume)
        run.start()
        return run

    def startBatch(self, parameters: Any, volumes: Sequence[Any]) -> BatchRun:
        """Start a run of every one of these volumes, one after the other, each with a new result."""
        from MedSRScene.batch_run import BatchRun
        from MedSRScene.errors import SceneError

        def make(nodeID: str) -> UpscaleRun:
            node = slicer.mrmlScene.GetNodeByID(nodeID)
            if node is None:
                raise SceneError(_("The volume is not in the scene any more."))
            return self._upscaleRun(parameters, node, None)

        run = BatchRun([(node.GetName(), partial(make, node.GetID())) for node in volumes])
        run.start()
        return run

    def startFolderBatch(self, parameters: Any, source: Path | str, target: Path | str) -> JobRun:
        """Start a run of every volume file of a folder (or table of files), into another folder."""
        from MedSRScene.batch_run import folderRun

        run = folderRun(source, target, self.job(parameters))
        run.start()
        return run

    def startMachine(self) -> JobRun:
        """Ask what this computer can compute on, and how fast; see the job "machine"."""
        from MedSRScene.job_run import JobRun

        run = JobRun({"task": "machine"})
        run.start()
        return run

    def startImport(self, path: Path | str) -> JobRun:
        """Bring a model file, or a released checkpoint, into the user's library."""
        from MedSRScene.job_run import JobRun

        run = JobRun({"task": "import-model", "inputs": {"model": str(path)}})
        run.start()
        return run

    def makeRegion(self, volume: Any) -> Any:
        """A region of interest in the middle of a volume, half as large along every axis."""
        import vtk

        bounds = [0.0] * 6
        volume.GetRASBounds(bounds)
        region = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", _("MedSR region"))
        region.CreateDefaultDisplayNodes()
        region.SetCenter(
            vtk.vtkVector3d(*((low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
        )
        region.SetSize(*((high - low) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
        return region

    def _upscaleRun(self, parameters: Any, volume: Any, output: Any) -> UpscaleRun:
        from MedSRScene.upscale_run import UpscaleRun

        from MedSRPanel import choices

        method = self.chosen(parameters)[0]
        info = choices.methods().get(method)
        guided = info is not None and info.needs_guide
        own = volume.GetID() == parameters.inputVolume.GetID() if parameters.inputVolume is not None else False
        return UpscaleRun(
            volume,
            self.job(parameters),
            likeNode=parameters.likeVolume if parameters.goal == "like" else None,
            guideNode=parameters.guideVolume if guided else None,
            roiNode=parameters.roi if own else None,
            marginMm=parameters.margin,
            consistency=parameters.consistency,
            outputNode=output,
            outputName=self.resultName(parameters) if own and output is None else None,
        )
