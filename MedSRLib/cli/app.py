"""The ``medsr`` commands: each builds a job and runs it, but for the few that only show what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from MedSRLib import __version__
from MedSRLib.cli import model_commands, parsing
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

AsJson = Annotated[bool, typer.Option("--json", help="Print the events as JSON, one object a line.")]
OutFile = Annotated[Path, typer.Option("-o", "--output", help="Where to write the image.")]
OutFolder = Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")]
Data = Annotated[Path, typer.Option("--data", help="A manifest (.tsv), or a folder of volumes.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Precision = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
MemoryGb = Annotated[float | None, typer.Option(help="Working memory the job may use, in GB.")]
Seed = Annotated[int, typer.Option(help="Seed of every random generator.")]


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

        from MedSRLib.methods import registry

        known = registry.infos()
        broken = registry.unavailable()
        if as_json:
            write_json({"methods": [asdict(info) for info in known], "unavailable": broken})
            return
        rows = [
            (info.identifier, info.title, info.family, "model" if info.needs_model else "", info.description)
            for info in known
        ]
        print_table(("method", "title", "family", "needs", "what it does"), rows)
        for name, reason in broken.items():
            typer.echo(f"{name} is not available: {reason}")


@app.command()
def upscale(
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write, or the folder of a batch.")],
    image: Annotated[Path | None, typer.Argument(help="An image file, or a folder with a DICOM series.")] = None,
    batch: Annotated[Path | None, typer.Option(help="Upscale every volume of a manifest or a folder.")] = None,
    method: Annotated[str, typer.Option(help="A method of `medsr methods`.")] = "bspline",
    scale: Annotated[str | None, typer.Option(help="How many times finer: 2, or 1,1,4 along x,y,z.")] = None,
    spacing: Annotated[str | None, typer.Option(help="Spacing wanted in mm: 1, or 1,1,3 along x,y,z.")] = None,
    like: Annotated[Path | None, typer.Option(help="An image whose grid is wanted.")] = None,
    isotropic: Annotated[bool, typer.Option("--isotropic", help="The finest spacing along every axis.")] = False,
    guide: Annotated[Path | None, typer.Option(help="A sharper image of another modality.")] = None,
    model: Annotated[str | None, typer.Option(help="A model of `medsr models list`, or its path.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="An option of the method, key=value.")] = None,
    output_type: Annotated[str, typer.Option(help="float32, or input for the input's pixel type.")] = "float32",
    consistency: Annotated[
        Path | None, typer.Option(help="Also write how far the result, degraded again, is from the input.")
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Increase the resolution of a volume, or of every volume of a batch."""
    if (image is None) == (batch is None):
        raise typer.BadParameter("Give one image, or --batch with a manifest or a folder.")
    if batch is not None and any((like, guide, consistency)):
        raise typer.BadParameter("--like, --guide and --consistency belong to a single image, not to --batch.")
    parameters = {
        "method": method,
        "scale": parsing.factors(scale),
        "spacing": parsing.factors(spacing),
        "isotropic": isotropic,
        "model": model,
        "options": parsing.options(option or []),
        "output_type": output_type,
        **_runtime(device, precision, memory_gb, seed),
    }
    if batch is not None:
        job: dict[str, Any] = {"task": "batch", "inputs": {"manifest": batch}, "outputs": {"folder": output}}
    else:
        inputs = {"image": image, "like": like, "guide": guide}
        job = {"task": "upscale", "inputs": inputs, "outputs": {"image": output, "consistency": consistency}}
    run_job({**job, "parameters": parameters}, as_json)


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
    reference: Annotated[Path, typer.Option(help="The true high-resolution image.")],
    output: OutFolder,
    image: Annotated[Path | None, typer.Option("--input", help="The image the results were made of.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Where to measure, beside the whole image.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure results against the truth and write a report."""
    inputs = {
        "reference": reference,
        "results": parsing.named_results(results),
        "image": image,
        "mask": mask,
    }
    run_job({"task": "evaluate", "inputs": inputs, "outputs": {"folder": output}}, as_json)


@app.command()
def benchmark(
    protocol: Annotated[Path, typer.Argument(help="A protocol (.toml), or the name of one of MedSR's.")],
    data: Data,
    output: OutFolder,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    as_json: AsJson = False,
) -> None:
    """Compare methods on many volumes, in a table."""
    job = {
        "task": "benchmark",
        "inputs": {"protocol": protocol, "manifest": data},
        "outputs": {"folder": output},
        "parameters": {"device": device, "precision": precision, "memory_gb": memory_gb},
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
    method: Annotated[str, typer.Argument(help="What to time: arssr or metrics.")] = "arssr",
    size: Annotated[int | None, typer.Option(help="Voxels along an edge: 64 for arssr, 256 for metrics.")] = None,
    scale: Annotated[float | None, typer.Option(help="How many times finer, 2 if not given; for arssr.")] = None,
    model: Annotated[str | None, typer.Option(help="A model; random weights if not given; for arssr.")] = None,
    threads: Annotated[int | None, typer.Option(help="Processor threads; all if not given.")] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    memory_gb: MemoryGb = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Time the inference of a method beside plainer ways, or the metrics beside other programs."""
    parameters = {"method": method, "size": size, "scale": scale, "model": model, "threads": threads}
    job = {"task": "bench", "parameters": {**parameters, **_runtime(device, precision, memory_gb, seed)}}
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


def _runtime(device: str, precision: str, memory_gb: float | None, seed: int) -> dict[str, Any]:
    return {"device": device, "precision": precision, "memory_gb": memory_gb, "seed": seed}
