"""What a job file may say: one task with its inputs, outputs and parameters.

    {"task": "upscale",
     "inputs": {"image": "scan.nii.gz"},
     "outputs": {"image": "sharp.nii.gz"},
     "parameters": {"method": "arssr", "scale": 2}}

Relative paths in a job file start at the folder of that file; in a job given as a dictionary, at the current
folder. Keys that are not written down here are refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from MedSRLib.errors import InputError, OptionError
from MedSRLib.jobs.parts import (
    CohortInputs,
    ComputeParameters,
    Factors,
    Folder,
    ImageFile,
    JobPath,
    RuntimeParameters,
    Strict,
)
from MedSRLib.jobs.training_job import CheckTrainingJob, TrainJob
from MedSRLib.jobs.window_job import CompareJob, ImportModelJob, MachineJob


class UpscaleParameters(RuntimeParameters):
    """How to upscale: exactly one of scale, spacing, isotropic (or the input ``like``) says to which grid."""

    method: str = "bspline"
    scale: Factors | None = None
    spacing: Factors | None = None
    isotropic: bool = False
    model: str | None = None
    options: dict[str, Any] = Field(default={})
    output_type: Literal["float32", "input"] = "float32"

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


class UpscaleInputs(Strict):
    """The image to upscale; ``like`` is an image whose grid is wanted, ``guide`` one of another modality."""

    image: JobPath
    guide: JobPath | None = None
    like: JobPath | None = None


class UpscaleOutputs(Strict):
    """The result; ``consistency`` is what the result, degraded again, differs from the input by."""

    image: JobPath
    consistency: JobPath | None = None


class UpscaleJob(Strict):
    """One volume in, one sharper volume out."""

    task: Literal["upscale"]
    inputs: UpscaleInputs
    outputs: UpscaleOutputs
    parameters: UpscaleParameters

    @model_validator(mode="after")
    def _one_target(self) -> UpscaleJob:
        _refuse_all_but_one(self.parameters.targets() + (["like"] if self.inputs.like else []))
        return self


class BatchJob(Strict):
    """Every volume of a manifest upscaled in the same way; what is done already is not done again."""

    task: Literal["batch"]
    inputs: CohortInputs
    outputs: Folder
    parameters: UpscaleParameters

    @model_validator(mode="after")
    def _one_target(self) -> BatchJob:
        _refuse_all_but_one(self.parameters.targets())
        return self


class DegradeParameters(Strict):
    """The acquisition that is imitated; see `acquisition.build`.

    ``thickness`` is the slice thickness in mm (FWHM of the point spread); ``noise`` is the standard
    deviation of Rician noise as a fraction of the 99th percentile of the clean intensities.
    """

    scale: Factors
    kind: str = "physical"
    thickness: Factors | None = None
    noise: float = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0)


class DegradeJob(Strict):
    """One volume in, the coarser one a scanner would have made of it out."""

    task: Literal["degrade"]
    inputs: ImageFile
    outputs: ImageFile
    parameters: DegradeParameters


class EvaluateInputs(Strict):
    """The truth, the results by name, and optionally the image they were made of and a mask."""

    reference: JobPath
    results: dict[str, JobPath] = Field(min_length=1)
    image: JobPath | None = None
    mask: JobPath | None = None


class EvaluateJob(Strict):
    """Results measured against the truth, in a report."""

    task: Literal["evaluate"]
    inputs: EvaluateInputs
    outputs: Folder


class BenchmarkInputs(CohortInputs):
    """A protocol and the volumes to run it on."""

    protocol: JobPath


class BenchmarkJob(Strict):
    """Methods compared on many volumes, in a table."""

    task: Literal["benchmark"]
    inputs: BenchmarkInputs
    outputs: Folder
    parameters: ComputeParameters = ComputeParameters()


class DemoJob(Strict):
    """The guided tour: a real volume degraded, upscaled, measured and shown."""

    task: Literal["demo"]
    outputs: Folder
    parameters: ComputeParameters = ComputeParameters()


class BenchParameters(RuntimeParameters):
    """What is timed: "arssr" (size of the input cube, 64; scale, 2; model, random weights) or "metrics" (size, 256).

    ``threads`` is the number of processor threads; None leaves it to torch (and OMP_NUM_THREADS).
    """

    method: Literal["arssr", "metrics"] = "arssr"
    threads: int | None = Field(default=None, ge=1)
    size: int | None = Field(default=None, ge=8, le=512)
    scale: float | None = Field(default=None, ge=1, le=16, allow_inf_nan=False)
    model: str | None = None

    @model_validator(mode="after")
    def _metrics_have_no_scale(self) -> BenchParameters:
        if self.method == "metrics" and not (self.scale is None and self.model is None):
            raise ValueError("the metrics have neither a scale nor a model; leave them out.")
        return self


class BenchJob(Strict):
    """The speed of ArSSR's inference, or of the metrics, on this machine, beside plainer or other ways."""

    task: Literal["bench"]
    parameters: BenchParameters = BenchParameters()


Job = (
    UpscaleJob
    | BatchJob
    | DegradeJob
    | EvaluateJob
    | CompareJob
    | BenchmarkJob
    | TrainJob
    | CheckTrainingJob
    | DemoJob
    | MachineJob
    | ImportModelJob
    | BenchJob
)  # the union pydantic tells apart by `task`
_JOBS: TypeAdapter[Job] = TypeAdapter(Annotated[Job, Field(discriminator="task")])


def parse(content: dict[str, Any], folder: Path | None = None) -> Job:
    """The job a dictionary describes; relative paths start at ``folder`` (default: the current folder).

    Raises:
        OptionError: for an unknown task or key, or an impossible value.
    """
    try:
        return _JOBS.validate_python(content, context={"folder": folder or Path()})
    except ValidationError as error:
        problem = error.errors()[0]
        # Parts of the place that the user has not written: the task's branch, then branches of `Factors`.
        where = ".".join(str(part) for part in problem["loc"][1:] if part not in ("float", "list[float]"))
        message = problem["msg"].removeprefix("Value error, ")
        raise OptionError(
            f"The job cannot be run: {where + ': ' if where else ''}{message}.",
            "",
            "Mend it and run it again.",
        ) from error


def read(path: Path) -> Job:
    """The job in a JSON file.

    Raises:
        InputError: if the file cannot be read or is not a JSON object.
        OptionError: as `parse`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The job file '{path}' cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"The job file '{path}' is not JSON.", f"{error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"The job file '{path}' holds no JSON object.", "", 'It must look like {"task": …}.')
    return parse(content, path.resolve().parent)
