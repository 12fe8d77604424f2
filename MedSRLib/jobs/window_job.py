"""Jobs that windows ask for: comparing, looking at the machine, importing a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from MedSRLib.jobs.parts import Folder, JobPath, Strict


class ResultFile(Strict):
    """A result, and the field of displacements (LPS, mm) that leads from points of the reference to points of it.

    ``name`` is what messages call it; by default its number.
    """

    image: JobPath
    field: JobPath | None = None
    name: str = ""


class CompareInputs(Strict):
    """Results by key beside a reference; without one they are put on the grid of the first.

    ``mask`` (with ``label``, the value of a segment in it) bounds what is measured; ``input`` is what the results
    were made of, for their consistency with it where there is no reference.
    """

    reference: JobPath | None = None
    results: dict[str, ResultFile] = Field(min_length=1)
    mask: JobPath | None = None
    label: int | None = None
    input: JobPath | None = None


class CompareParameters(Strict):
    """Whether numbers are wanted beside the volumes."""

    measures: bool = True


class CompareJob(Strict):
    """Results on the grid of their reference, their differences from it, and all measures (for a window)."""

    task: Literal["compare"]
    inputs: CompareInputs
    outputs: Folder
    parameters: CompareParameters = CompareParameters()


class MachineJob(Strict):
    """What this machine can compute on, and how fast."""

    task: Literal["machine"]


class ModelFile(Strict):
    """A model of MedSR (either of its two files), or a released checkpoint."""

    model: JobPath


class ImportParameters(Strict):
    """What to call the model; by default as its file."""

    name: str | None = None


class ImportModelJob(Strict):
    """A model from elsewhere, checked and put into the user's library."""

    task: Literal["import-model"]
    inputs: ModelFile
    parameters: ImportParameters = ImportParameters()
