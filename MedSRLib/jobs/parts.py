"""What the descriptions of several jobs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo


def _from_job_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return Path(folder) / path.expanduser()


JobPath = Annotated[Path, AfterValidator(_from_job_folder)]
Factors = float | list[float]
"""One number for every axis, or three in x, y, z order."""


class Strict(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Folder(Strict):
    """Where a task that writes many files puts them."""

    folder: JobPath


class DeviceParameters(Strict):
    """Where a task computes; see `inference.runtime.choose`."""

    device: str = "auto"
    precision: str = "auto"


class ComputeParameters(DeviceParameters):
    """Where a task computes, and in how much memory."""

    memory_gb: float | None = None


class RuntimeParameters(ComputeParameters):
    """Where a task computes, in how much memory, and the seed of its random generators."""

    seed: int = Field(default=0, ge=0)


class CohortInputs(Strict):
    """Many volumes: a manifest, or a folder of volumes."""

    manifest: JobPath


class ImageFile(Strict):
    """One volume."""

    image: JobPath
