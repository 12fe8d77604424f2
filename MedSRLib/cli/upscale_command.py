"""The command ``medsr upscale``: one volume, or every volume of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from MedSRLib.cli import parsing
from MedSRLib.cli.parameters import Acquired, AsJson, Device, MemoryGb, Precision, Seed, Thickness, runtime
from MedSRLib.cli.rendering import run_job
from MedSRLib.jobs.upscale_job import GUIDED


def upscale(
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write, or the folder of a batch.")],
    image: Annotated[Path | None, typer.Argument(help="An image file, or a folder with a DICOM series.")] = None,
    batch: Annotated[Path | None, typer.Option(help="Upscale every volume of a manifest or a folder.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="A method of `medsr methods`; by default bspline, weenie where --target is given, and with a guide "
            "the guided method whose model is made for the task."
        ),
    ] = None,
    scale: Annotated[str | None, typer.Option(help="How many times finer: 2, or 1,1,4 along x,y,z.")] = None,
    spacing: Annotated[str | None, typer.Option(help="Spacing wanted in mm: 1, or 1,1,3 along x,y,z.")] = None,
    like: Annotated[Path | None, typer.Option(help="An image whose grid is wanted.")] = None,
    isotropic: Annotated[bool, typer.Option("--isotropic", help="The finest spacing along every axis.")] = False,
    guide: Annotated[
        list[str] | None,
        typer.Option(help="A sharper image of another modality, or T2w=FILE to say which; several for several guides."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A model of `medsr models list`, or its path.")] = None,
    target: Annotated[str, typer.Option(help="Synthesise this modality, such as T2w; scale 1 unless given.")] = "",
    modality: Annotated[str, typer.Option(help="What the input shows, such as T1w, to choose the model.")] = "",
    option: Annotated[list[str] | None, typer.Option(help="An option of the method, key=value.")] = None,
    output_type: Annotated[str, typer.Option(help="float32, or input for the input's pixel type.")] = "float32",
    consistency: Annotated[
        Path | None,
        typer.Option(help="Also write how far the result, degraded again, is from the input (of a batch: a folder)."),
    ] = None,
    ensemble: Annotated[
        str | None,
        typer.Option(help="Average over turned copies: flips (8 times the time) or flips-and-rotations (up to 16)."),
    ] = None,
    uncertainty: Annotated[
        Path | None, typer.Option(help="Also write the spread of the ensemble (of a batch: a folder).")
    ] = None,
    refine: Annotated[
        bool, typer.Option("--refine", help="Correct the result until, degraded again, it is the input.")
    ] = False,
    acquisition: Acquired = "physical",
    thickness: Thickness = None,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Increase the resolution of a volume, or of every volume of a batch."""
    if (image is None) == (batch is None):
        raise typer.BadParameter("Give one image, or --batch with a manifest or a folder.")
    if batch is not None and any((like, guide)):
        raise typer.BadParameter("--like and --guide belong to a single image, not to --batch.")
    keeps_grid = bool(target) and not any((scale, spacing, like, isotropic))
    parameters = {
        "method": method or ("weenie" if target else GUIDED if guide else "bspline"),
        "scale": 1.0 if keeps_grid else parsing.factors(scale),
        "spacing": parsing.factors(spacing),
        "isotropic": isotropic,
        "model": model,
        "target": target,
        "modality": modality,
        "options": parsing.options(option or []),
        "output_type": output_type,
        "ensemble": ensemble,
        "refine": refine,
        "acquisition": acquisition,
        "thickness": thickness,
        **runtime(device, precision, memory_gb, seed),
    }
    maps = {"consistency": consistency, "uncertainty": uncertainty}
    if batch is not None:
        inputs: dict[str, Any] = {"manifest": batch}
        job: dict[str, Any] = {"task": "batch", "inputs": inputs, "outputs": {"folder": output, **maps}}
    else:
        inputs = {"image": image, "like": like, "guide": parsing.guides(guide or [])}
        job = {"task": "upscale", "inputs": inputs, "outputs": {"image": output, **maps}}
    run_job({**job, "parameters": parameters}, as_json)
