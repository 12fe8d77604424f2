"""Options that several commands share, and those of the runtime as a job has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the events as JSON, one object a line.")]
OutFile = Annotated[Path, typer.Option("-o", "--output", help="Where to write the image.")]
OutFolder = Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")]
Data = Annotated[Path, typer.Option("--data", help="A manifest (.tsv), or a folder of volumes.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Precision = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
MemoryGb = Annotated[float | None, typer.Option(help="Working memory the job may use, in GB.")]
Acquired = Annotated[
    str, typer.Option(help="How the input is assumed to have been acquired: physical, slice-profile, kspace, ...")
]
Thickness = Annotated[
    float | None, typer.Option(help="Slice thickness of the input in mm, where it is not the slices' distance.")
]
Seed = Annotated[int, typer.Option(help="Seed of every random generator.")]


def runtime(device: str, precision: str, memory_gb: float | None, seed: int) -> dict[str, Any]:
    """The runtime's parameters of a job."""
    return {"device": device, "precision": precision, "memory_gb": memory_gb, "seed": seed}
