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
from MedSRLib.jobs.upscale_job import BatchJob, UpscaleJob
from MedSRLib.jobs.window_job import CompareJob, ImportModelJob, MachineJob


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
    """The truth, the results by name, and optionally the image they were made of and a mask.

    ``labels`` is the true segmentation (adds Dice and volume error), ``lesions`` a mask (adds the measures of lesions).
    Without a truth the image is needed; ``uncertainty`` then has maps by the name of their result.
    """

    reference: JobPath | None = None
    results: dict[str, JobPath] = Field(min_length=1)
    image: JobPath | None = None
    mask: JobPath | None = None
    labels: JobPath | None = None
    lesions: JobPath | None = None
    uncertainty: dict[str, JobPath] = Field(default={})


class EvaluateParameters(Strict):
    """Names and sets of `evaluation.measures`, and where they are computed.

    Without a truth there are none to choose; ``acquisition`` and ``thickness`` (mm) then say what is assumed of the
    image.
    """

    measures: list[str] = Field(default=["default"], min_length=1)
    device: str = "cpu"
    acquisition: str = "physical"
    thickness: float | None = None


class EvaluateJob(Strict):
    """Results measured against the truth, or looked at without one, in a report."""

    task: Literal["evaluate"]
    inputs: EvaluateInputs
    outputs: Folder
    parameters: EvaluateParameters = EvaluateParameters()

    @model_validator(mode="after")
    def _truth_or_image(self) -> EvaluateJob:
        given, parameters = self.inputs, self.parameters
        if given.reference is None:
            if given.image is None:
                raise ValueError("give the reference, or without one the image the results were made of")
            if given.labels or given.lesions or parameters.measures != EvaluateParameters().measures:
                raise ValueError("measures, labels and lesions need a reference; give one, or leave them out")
        elif given.uncertainty or parameters.thickness or parameters.acquisition != EvaluateParameters().acquisition:
            raise ValueError("uncertainty, acquisition and thickness are for results without a reference")
        return self


class BenchmarkInputs(CohortInputs):
    """A protocol and the volumes to run it on."""

    protocol: JobPath


class BenchmarkParameters(ComputeParameters):
    """How to compute; ``dask`` is "LOCAL" or a scheduler's address, ``workers`` how many processes with "LOCAL"."""

    dask: str | None = Field(default=None, min_length=1)
    workers: int | None = Field(default=None, ge=1, le=1024)

    @model_validator(mode="after")
    def _workers_are_of_a_cluster(self) -> BenchmarkParameters:
        if self.workers is not None and self.dask != "LOCAL":
            raise ValueError('workers go with dask "LOCAL"; a scheduler has its own')
        return self


class BenchmarkJob(Strict):
    """Methods compared on many volumes, in a table."""

    task: Literal["benchmark"]
    inputs: BenchmarkInputs
    outputs: Folder
    parameters: BenchmarkParameters = BenchmarkParameters()


class DemoJob(Strict):
    """The guided tour: a real volume degraded, upscaled, measured and shown."""

    task: Literal["demo"]
    outputs: Folder
    parameters: ComputeParameters = ComputeParameters()


class BenchParameters(RuntimeParameters):
    """What is timed: "arssr" (size of the input cube, 64; scale, 2; model, random weights), "metrics" (size, 256),
    "networks" (size of the smaller slice, 48), or "csc", convolutional coding (size of the slice, 256).

    ``threads`` is the number of processor threads; None leaves it to torch (and OMP_NUM_THREADS).
    """

    method: Literal["arssr", "metrics", "networks", "csc"] = "arssr"
    threads: int | None = Field(default=None, ge=1)
    size: int | None = Field(default=None, ge=8, le=512)
    scale: float | None = Field(default=None, ge=1, le=16, allow_inf_nan=False)
    model: str | None = None

    @model_validator(mode="after")
    def _only_arssr_has_a_scale(self) -> BenchParameters:
        if self.method != "arssr" and not (self.scale is None and self.model is None):
            raise ValueError(f"'{self.method}' has neither a scale nor a model to choose; leave them out.")
        return self


class BenchJob(Strict):
    """The speed of ArSSR, of the metrics, the networks or convolutional coding on this machine, beside other ways."""

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
