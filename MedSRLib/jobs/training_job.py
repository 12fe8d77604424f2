"""Jobs that train, or look at what a training would be like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from MedSRLib.jobs.parts import CohortInputs, DeviceParameters, Folder, JobPath, Strict


class TrainInputs(CohortInputs):
    """A recipe and the volumes to learn from."""

    recipe: JobPath


class TrainParameters(DeviceParameters):
    """How many processes train, and whether an interrupted training goes on; the recipe has the seed.

    ``install`` puts the finished model into the library, under the recipe's name.
    """

    resume: bool = False
    install: bool = False
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)


class TrainJob(Strict):
    """A model trained by a recipe."""

    task: Literal["train"]
    inputs: TrainInputs
    outputs: Folder
    parameters: TrainParameters = TrainParameters()


class CheckTrainingJob(Strict):
    """What a training would be like: its volumes, how long it takes, what may spoil it."""

    task: Literal["check-training"]
    inputs: TrainInputs
    parameters: DeviceParameters = DeviceParameters()
