"""The ``medsr`` commands: each builds a job and runs it, but for the few that only show what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from MedSRLib import __version__
from MedSRLib.cli import model_commands, parsing, upscale_command
from MedSRLib.cli.parameters import (
    Acquired,
    AsJson,
    Data,
    Device,
    MemoryGb,
    OutFile,
    OutFolder,
    Precision,
    Seed,
    Thickness,
    runtime,
)
from MedSRLib.cli.rendering import print_table, run_job, telling_errors, write_json

app = typer.Typer(
    name="medsr",
    help="Super-resolution of 3D medical images. Research use only; not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(model_commands.app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medsr {__version__}")
        raise typer.Exit


@app.callback()
def _medsr(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


@app.command()
def methods(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the methods."""
    with telling_errors():
        from dataclasses import asdict

        from MedSRLib.methods import options, registry

        known = registry.infos()
        broken = registry.unavailable()
        if as_json:
            listed = [
                {**asdict(info), "options": [asdict(option) for option in options.of_method(info.identifier)]}
                for info in known
            ]
            write_json({"methods": listed, "unavailable": broken})
            return
        rows = [
            (info.identifier, info.title, info.family, "model" if info.needs_model else "", info.description)
            for info in known
        ]
        print_table(("method", "title", "family", "needs", "what it does"), rows)
        for name, reason in broken.items():
            typer.echo(f"{name} is not available: {reason}")


app.command()(upscale_command.upscale)


@app.command()
def degrade(
    image: Annotated[Path, typer.Argument(help="An image file, or a folder with a DICOM series.")],
    output: OutFile,
    scale: Annotated[str, typer.Option(help="How many times coarser: 2, or 1,1,4 along x,y,z.")],
    kind: Annotated[str, typer.Option(help="How: physical, spline, kspace, ...")] = "physical",
    thickness: Annotated[str | None, typer.Option(help="Slice thickness in mm: 5, or three along x,y,z.")] = None,
    noise: Annotated[float, typer.Option(help="Rician noise, a fraction of the 99th percentile.")] = 0.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make the coarser volume that a scanner would have made."""
    parameters = {
        "scale": parsing.factors(scale),
        "kind": kind,
        "thickness": parsing.factors(thickness),
        "noise": noise,
        "seed": seed,
    }
    job = {
        "task": "degrade",
        "inputs": {"image": image},
        "outputs": {"image": output},
        "parameters": parameters,
    }
    run_job(job, as_json)


@app.command()
def evaluate(
    results: Annotated[list[Path], typer.Argument(help="The results to measure.")],
    output: OutFolder,
    reference: Annotated[
        Path | None, typer.Option(help="The true high-resolution image; without one, --input is needed.")
    ] = None,
    image: Annotated[Path | None, typer.Option("--input", help="The image the results were made of.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Where to measure, beside the whole image.")] = None,
    measures: Annotated[
        str, typer.Option(help="core, default, arssr, sander, all, or names with commas: psnr,lpips,hfen.")
    ] = "default",
    labels: Annotated[Path | None, typer.Option(help="The true segmentation, for Dice and volume error.")] = None,
    lesions: Annotated[Path | None, typer.Option(help="A mask of lesions, to measure each of them.")] = None,
    uncertainty: Annotated[
        list[str] | None, typer.Option(help="Without a reference: an uncertainty map, as result=FILE.")
    ] = None,
    acquisition: Acquired = "physical",
    thickness: Thickness = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Measure results against the truth, or look at them beside their input alone, and write a report."""
    inputs = {
        "reference": reference,
        "results": parsing.named_results(results),
        "image": image,
        "mask": mask,
        "labels": labels,
        "lesions": lesions,
        "uncertainty": parsing.named_files(uncertainty or []),
    }
    parameters = {
        "measures": parsing.names(measures),
        "device": device,
        "acquisition": acquisition,
        "thickness": thickness,
    }
    run_job({"task": "evaluate", "inputs": inputs, "outputs": {"folder": output}, "parameters": parameters}, as_json)


@app.command()
def benchmark(
    protocol: Annotated[Path, typer.Argument(help="A protocol (.toml), or the name of one of MedSR's.")],
    data: Data,
    output: OutFolder,
    dask: Annotated[
        str | None, typer.Option(help="Measure on a Dask cluster: LOCAL, or a scheduler such as tcp://host:8786.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes of --dask LOCAL; 2 if not given.")] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    as_json: AsJson = False,
) -> None:
    """Compare methods on many volumes: tables, figures, statistics.

    What is measured is kept in the folder: run the command again after an interruption, or with a method, volume or
    scale more, and only what is missing is measured.
    """
    compute = {"device": device, "precision": precision, "memory_gb": memory_gb}
    job = {
        "task": "benchmark",
        "inputs": {"protocol": protocol, "manifest": data},
        "outputs": {"folder": output},
        "parameters": compute | {"dask": dask, "workers": workers},
    }
    run_job(job, as_json)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe (.toml or .json), or the name of one of MedSR's.")],
    data: Data,
    output: OutFolder,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training.")] = False,
    devices: Annotated[int, typer.Option(help="Processes or GPUs on this machine.")] = 1,
    nodes: Annotated[int, typer.Option(help="Machines.")] = 1,
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: AsJson = False,
) -> None:
    """Train a model by a recipe."""
    job = {
        "task": "train",
        "inputs": {"recipe": recipe, "manifest": data},
        "outputs": {"folder": output},
        "parameters": {
            "resume": resume,
            "devices": devices,
            "nodes": nodes,
            "device": device,
            "precision": precision,
        },
    }
    run_job(job, as_json)


@app.command()
def demo(
    output: OutFolder = Path("demo-output"),
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    as_json: AsJson = False,
) -> None:
    """Degrade a real brain volume, upscale it, measure it and show it."""
    parameters = {"device": device, "precision": precision, "memory_gb": memory_gb}
    run_job({"task": "demo", "outputs": {"folder": output}, "parameters": parameters}, as_json)


@app.command()
def bench(
    method: Annotated[str, typer.Argument(help="What to time: arssr, metrics, networks or csc.")] = "arssr",
    size: Annotated[
        int | None, typer.Option(help="Voxels along an edge: 64 for arssr, 256 for metrics and csc, 48 for networks.")
    ] = None,
    scale: Annotated[float | None, typer.Option(help="How many times finer, 2 if not given; for arssr.")] = None,
    model: Annotated[str | None, typer.Option(help="A model; random weights if not given; for arssr.")] = None,
    threads: Annotated[int | None, typer.Option(help="Processor threads; all if not given.")] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Time ArSSR beside plainer ways, metrics and coding beside other programs, or networks in every precision."""
    parameters = {"method": method, "size": size, "scale": scale, "model": model, "threads": threads}
    job = {"task": "bench", "parameters": {**parameters, **runtime(device, precision, memory_gb, seed)}}
    run_job(job, as_json)


@app.command()
def machine(as_json: AsJson = False) -> None:
    """Show what can be computed on here, and why a device that is there cannot be used."""
    from MedSRLib.inference import machine as this_machine

    with telling_errors():
        found = this_machine.describe()
    if as_json:
        write_json(found)
        return
    rows = [
        [
            device["name"] + (" (auto)" if device["name"] == found["best"] else ""),
            device["title"],
            "?" if device["free_gb"] is None else f"{device['free_gb']:g} GB",
            device["reason"] or ", ".join(device["precisions"]),
        ]
        for device in found["devices"]
    ]
    print_table(("device", "what it is", "free memory", "precisions, or why not"), rows)


@app.command()
def run(
    job: Annotated[Path, typer.Argument(help="A job file (JSON).")],
    cancel_file: Annotated[Path | None, typer.Option(help="The job stops when this file appears.")] = None,
) -> None:
    """Run a job file and print its events as JSON, one object a line."""
    run_job(job, as_json=True, cancel_file=cancel_file)
