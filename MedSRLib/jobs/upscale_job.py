"""Jobs that upscale: one volume, or every volume of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from MedSRLib import files, modalities
from MedSRLib.jobs.parts import CohortInputs, Factors, Folder, JobPath, RuntimeParameters, Strict

GUIDED = "guided"


class UpscaleParameters(RuntimeParameters):
    """How to upscale: exactly one of scale, spacing, isotropic (or the input ``like``) says to which grid.

    ``ensemble`` ("flips" or "flips-and-rotations", see `inference.ensemble`) averages the method over turned copies;
    ``refine`` makes the result consistent with the input (`inference.refinement`). ``acquisition`` and
    ``thickness`` (mm) are what is assumed of the input, for that and for the map of the consistency. ``target`` is the
    modality to synthesise of an input of ``modality``: both choose the model where none is named. ``method`` may be
    "guided": of all methods that take a guide, that of the model made for the task.
    """

    method: str = "bspline"
    scale: Factors | None = None
    spacing: Factors | None = None
    isotropic: bool = False
    model: str | None = None
    target: str = ""
    modality: str = ""
    options: dict[str, Any] = Field(default={})
    output_type: Literal["float32", "input"] = "float32"
    ensemble: str | None = None
    refine: bool = False
    acquisition: str = "physical"
    thickness: float | None = None

    def targets(self) -> list[str]:
        """Names of the given ways to say the grid."""
        named = {"scale": self.scale, "spacing": self.spacing, "isotropic": self.isotropic or None}
        return [name for name, value in named.items() if value is not None]


def _refuse_all_but_one(targets: list[str]) -> None:
    if len(targets) != 1:
        raise ValueError(
            "give exactly one of scale, spacing, like and isotropic, "
            + (f"not {' and '.join(targets)}" if targets else "none is given")
        )


def _refuse_uncertainty_alone(path: Path | None, parameters: UpscaleParameters) -> None:
    if path is not None and parameters.ensemble is None:
        raise ValueError("an uncertainty map is the spread of an ensemble; give ensemble too, such as flips")


class GuideFile(Strict):
    """An image of another modality; what it shows is told by its name where it is not said."""

    image: JobPath
    modality: str = ""

    @property
    def shown(self) -> str:
        """What the image shows; empty if nothing tells."""
        return self.modality or modalities.of_name(self.image.name)

    def told(self) -> dict[str, Any]:
        """Which file it is, for the record of a result."""
        sha256 = files.sha256(self.image) if self.image.is_file() else None
        return {"input": self.image.name, "input_sha256": sha256, "modality": self.shown}


def _guide_files(given: Any) -> Any:
    """A path, or several, as `GuideFile` are written in full."""
    several = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    return [{"image": each} if isinstance(each, (str, Path)) else each for each in several]


class UpscaleInputs(Strict):
    """The image to upscale; ``like`` is an image whose grid is wanted, ``guide`` one of another modality, or several.

    "guide": "t1w.nii.gz", or "guide": ["t1w.nii.gz", {"image": "sag.nii.gz", "modality": "T2w"}]
    """

    image: JobPath
    guide: Annotated[tuple[GuideFile, ...], BeforeValidator(_guide_files)] = ()
    like: JobPath | None = None


class UpscaleOutputs(Strict):
    """The result; ``consistency`` is what the result, degraded again, differs from the input by.

    ``uncertainty`` is one standard deviation over the copies of the ensemble, which it needs.
    """

    image: JobPath
    consistency: JobPath | None = None
    uncertainty: JobPath | None = None


class BatchOutputs(Folder):
    """Folders, of the results and of their maps; names are those of the results."""

    consistency: JobPath | None = None
    uncertainty: JobPath | None = None


class UpscaleJob(Strict):
    """One volume in, one sharper volume out."""

    task: Literal["upscale"]
    inputs: UpscaleInputs
    outputs: UpscaleOutputs
    parameters: UpscaleParameters

    @model_validator(mode="after")
    def _one_target(self) -> UpscaleJob:
        _refuse_all_but_one(self.parameters.targets() + (["like"] if self.inputs.like else []))
        _refuse_uncertainty_alone(self.outputs.uncertainty, self.parameters)
        return self


class BatchJob(Strict):
    """Every volume of a manifest upscaled in the same way; what is done already is not done again."""

    task: Literal["batch"]
    inputs: CohortInputs
    outputs: BatchOutputs
    parameters: UpscaleParameters

    @model_validator(mode="after")
    def _one_target(self) -> BatchJob:
        _refuse_all_but_one(self.parameters.targets())
        _refuse_uncertainty_alone(self.outputs.uncertainty, self.parameters)
        return self
