"""What the panel of MedSR does, as calls that a script can make with a parameter node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from MedSRPanel.check_calls import CheckCalls
from MedSRPanel.guide_calls import GuideCalls
from MedSRPanel.option_calls import OptionCalls

if TYPE_CHECKING:
    from MedSRScene.batch_run import BatchRun
    from MedSRScene.job_run import JobRun
    from MedSRScene.upscale_run import UpscaleRun

    from MedSRLib.models.card import ModelCard
    from MedSRPanel.recommend import Recommendation

RECOMMENDED = "recommended"
AXES = "XYZ"


class Calls(CheckCalls, GuideCalls, OptionCalls):
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

    def modality(self, parameters: Any, volume: Any = None) -> str:
        """What a volume (by default the input) shows: as chosen, else as DICOM data or name tell, else empty."""
        from MedSRScene import modalities

        from MedSRPanel import choices

        mine = volume is None or _same(volume, parameters.inputVolume)
        volume = volume or parameters.inputVolume
        chosen = parameters.modality if mine else ""
        return chosen or ("" if volume is None else modalities.guess(volume, choices.modalities_named))

    def recommend(self, parameters: Any, volume: Any = None) -> Recommendation | None:
        """The method and model that suit a volume (by default the input) best, with the reason."""
        from MedSRPanel import choices
        from MedSRPanel.recommend import recommend

        modality = self.modality(parameters, volume)
        volume, spacing, wanted = volume or parameters.inputVolume, None, None
        if volume is not None and not self.whyNot(parameters, volume):
            spacing, wanted = volume.GetSpacing(), self.resultGrid(parameters, volume)[1]
        known = choices.cards()
        usable = any(info.needs_guide for info in choices.methods().values())
        guides = self.chosenGuides(parameters, volume) if usable else []
        fit = list(takewhile(lambda node: not self.whyNoGuide(node, volume), guides))  # a chosen one need not
        return recommend(
            choices.offered(choices.methods(), known, parameters.target, parameters.family),
            known,
            modality=modality,
            target=parameters.target,
            guides=self.shown(parameters, fit),
            spacing=spacing,
            wanted=wanted,
        )

    def chosen(self, parameters: Any, volume: Any = None) -> tuple[str, str]:
        """Identifier of the method and name of the model ("" if it needs none, or none fits) that would run.

        Without a method, if the chosen one cannot make the wanted modality: its result would bear a false name.
        """
        from MedSRPanel import choices

        if parameters.method == RECOMMENDED:
            best = self.recommend(parameters, volume)
            return ("", "") if best is None else (best.method, best.model)
        info, cards = choices.methods().get(parameters.method), choices.cards()
        if info is None:
            return parameters.method, ""
        if info.identifier not in choices.offered(choices.methods(), cards, parameters.target):
            return "", ""
        if not info.needs_model:
            return info.identifier, ""
        known = self.models(parameters, info.identifier, volume)
        return info.identifier, parameters.model if parameters.model in known else next(iter(known), "")

    def models(self, parameters: Any, method: str, volume: Any = None) -> dict[str, ModelCard]:
        """The models of a method for what is wanted of a volume (by default the input), the best first."""
        from MedSRPanel import choices

        its = None
        if choices.methods()[method].needs_guide:
            its = self.shown(parameters, self.chosenGuides(parameters, volume))
        modality = self.modality(parameters, volume)
        return choices.models(choices.cards(), method, modality, parameters.target, its)

    def target(self, parameters: Any) -> dict[str, Any]:
        """The wanted grid as a job says it: one of scale, spacing, isotropic, or nothing for a volume's grid."""
        if parameters.goal == "like":
            return {}
        if parameters.goal == "isotropic":
            return {"spacing": [parameters.isotropicMm] * 3} if parameters.isotropicMm else {"isotropic": True}
        return {parameters.goal: [getattr(parameters, parameters.goal + axis) for axis in AXES]}

    def whyNot(self, parameters: Any, volume: Any = None) -> str:
        """Why a volume (by default the input) and the goal cannot be used, in the user's words; empty if they can."""
        volume = volume or parameters.inputVolume
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
            self.resultGrid(parameters, volume)
        except ValueError as error:
            return str(error)
        return ""

    def resultGrid(self, parameters: Any, volume: Any = None) -> tuple[Sequence[int], Sequence[float]]:
        """Size and spacing of the result of a whole volume, by default the input; ValueError says why there is none."""
        from MedSRPanel import choices

        if parameters.goal == "like":
            like = parameters.likeVolume
            return like.GetImageData().GetDimensions(), like.GetSpacing()
        volume = volume or parameters.inputVolume
        return choices.result_grid(volume.GetImageData().GetDimensions(), volume.GetSpacing(), self.target(parameters))

    def resultName(self, parameters: Any, volume: Any = None) -> str:
        """What a new result of a volume (by default the input) is called: T2w – MedSR ArSSR 0.6 mm."""
        from MedSRPanel import choices

        method = self.chosen(parameters, volume)[0]
        info = choices.methods().get(method)
        volume = volume or parameters.inputVolume
        spacing = list(dict.fromkeys(f"{h:.3g}" for h in self.resultGrid(parameters, volume)[1]))
        named = parameters.target or (method if info is None else info.title)
        synthetic = " " + _("(synthetic)") if parameters.target else ""
        return f"{volume.GetName()} – MedSR {named} {' × '.join(spacing)} mm{synthetic}"

    def job(self, parameters: Any, volume: Any = None) -> dict[str, Any]:
        """The parameters of an upscale job of a volume, by default the input."""
        method, model = self.chosen(parameters, volume)
        job = {"method": method, "device": parameters.device, "precision": parameters.precision}
        if model:
            job["model"] = model
        if parameters.memory:
            job["memory_gb"] = parameters.memory
        options = self.jobOptions(parameters, method, volume)
        if options:
            job["options"] = options
        checked = parameters.refine or parameters.consistency
        thickness = self.thickness(parameters, volume) if checked and self.onlyThick(parameters, volume) else None
        if thickness is not None:
            job["thickness"] = thickness
        return {**job, **self.checks(parameters, method), **self.target(parameters)}

    def start(self, parameters: Any) -> UpscaleRun:
        """Start a run; poll it, or wait by ``waitForEnd()``, then look at ``state`` and ``resultNodeID``."""
        run = self._upscaleRun(parameters, parameters.inputVolume, parameters.outputVolume)()
        run.start()
        return run

    def startBatch(self, parameters: Any, volumes: Sequence[Any]) -> BatchRun:
        """Start a run of every one of these volumes, one after the other, each with a new result.

        The parameters count as they are now, whatever becomes of them later; what is recommended is so for each.
        """
        from MedSRScene.batch_run import BatchRun
        from MedSRScene.errors import SceneError

        def make(nodeID: str, made: Callable[[], UpscaleRun]) -> UpscaleRun:
            if slicer.mrmlScene.GetNodeByID(nodeID) is None:
                raise SceneError(_("The volume is not in the scene any more."))
            return made()

        makers = [(node, self._upscaleRun(parameters, node, None)) for node in volumes]
        run = BatchRun([(node.GetName(), partial(make, node.GetID(), made)) for node, made in makers])
        run.start()
        return run

    def startFolderBatch(self, parameters: Any, source: Path | str, target: Path | str) -> JobRun:
        """Start a run of every volume file of a folder (or table of files), into another folder.

        Maps that the parameters ask for lie in folders of it, "consistency" and "uncertainty".
        """
        from MedSRScene.batch_run import folderRun

        job = self.ofAnyVolume(parameters, self.job(parameters))
        run = folderRun(source, target, job, consistency=parameters.consistency, uncertainty="ensemble" in job)
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

    def _upscaleRun(self, parameters: Any, volume: Any, output: Any) -> Callable[[], UpscaleRun]:
        """Makes the run of a volume with the parameters as they are now."""
        from MedSRScene.upscale_run import UpscaleRun

        from MedSRPanel import choices

        job = self.job(parameters, volume)
        info = choices.methods().get(job["method"])
        guided = info is not None and info.needs_guide
        card = choices.cards().get(job.get("model", ""))
        guides = self.guidesOf(parameters, card, volume) if guided else []
        nameless = output is not None or self.whyNot(parameters, volume)
        return partial(
            UpscaleRun,
            volume,
            job,
            likeNode=parameters.likeVolume if parameters.goal == "like" else None,
            guideNodes=list(zip(guides, self.shown(parameters, guides), strict=True)),
            roiNode=parameters.roi if _same(volume, parameters.inputVolume) else None,
            marginMm=parameters.margin,
            consistency=parameters.consistency,
            uncertainty="ensemble" in job,
            outputNode=output,
            outputName=None if nameless else self.resultName(parameters, volume),
        )


def _same(node: Any, other: Any) -> bool:
    """Whether both are one node; wrappers of one node may differ."""
    return node is not None and other is not None and node.GetID() == other.GetID()
