"""What each task of a job does: check what can be checked at once, then call the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import files, images, provenance
from MedSRLib.errors import InputError
from MedSRLib.jobs import batch, checks, compare, evaluate, training_job, upscale, upscale_job, window_job
from MedSRLib.jobs import job as jobs

if TYPE_CHECKING:
    from MedSRLib.progress import Progress


def perform(job: jobs.Job, progress: Progress) -> dict[str, Any]:
    """Do the job and return what the result event tells: ``outputs``, and what else the task has to say.

    Raises:
        MedSRError: for a mistake or a limit of the machine.
        Cancelled: if the user asked to stop.
    """
    return _TASKS[type(job)](job, progress)


def _degrade(job: jobs.DegradeJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.acquisition import degrading

    source, target, wanted = job.inputs.image, job.outputs.image, job.parameters
    checks.inputs_exist([source])
    checks.images_can_be_written([target], [source])
    degrading.check_kind(wanted.kind)
    progress.stage("Reading")
    image = images.read(source, progress)
    progress.stage("Degrading")
    coarse = degrading.degrade(
        image,
        wanted.scale,
        kind=wanted.kind,
        thickness=wanted.thickness,
        noise=wanted.noise,
        seed=wanted.seed,
        progress=progress,
    )
    origin = provenance.record(
        task="degrade",
        input=source.name,
        input_sha256=files.sha256(source) if source.is_file() else None,
        settings=wanted.model_dump(mode="json"),
    )
    progress.stage("Writing")
    images.write(coarse, target, provenance=origin)
    return {"outputs": {"image": str(target)}, "provenance": origin}


def _benchmark(job: jobs.BenchmarkJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.protocols import run
    from MedSRLib.protocols.cluster import Cluster

    wanted = job.parameters
    cluster = None if wanted.dask is None else Cluster(wanted.dask, wanted.workers)
    protocol = _found(job.inputs.protocol, "Protocols")
    checks.inputs_exist([job.inputs.manifest])
    checks.folder_can_be_written(job.outputs.folder)
    runtime = upscale.runtime_of(job.parameters)
    folder = job.outputs.folder
    table = run.run_benchmark(
        protocol, job.inputs.manifest, folder, runtime=runtime, progress=progress, cluster=cluster
    )
    return {"outputs": {"folder": str(folder), "report": str(folder / "benchmark.html")}, "table": str(table)}


def _train(job: training_job.TrainJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.models import library
    from MedSRLib.training import engine
    from MedSRLib.training import recipe as recipes

    recipe = _found(job.inputs.recipe, "Recipes")
    checks.inputs_exist([job.inputs.manifest])
    checks.folder_can_be_written(job.outputs.folder)
    if job.parameters.install:
        library.refuse_taken_name(recipes.load(recipe).name)
    model = engine.train(
        recipe,
        job.inputs.manifest,
        job.outputs.folder,
        resume=job.parameters.resume,
        devices=job.parameters.devices,
        nodes=job.parameters.nodes,
        runtime=upscale.runtime_of(job.parameters),
        progress=progress,
    )
    told = {"outputs": {"model": str(model), "folder": str(job.outputs.folder)}}
    return {**told, "installed": library.install(model).stem} if job.parameters.install else told


def _check_training(job: training_job.CheckTrainingJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.training import checking

    recipe = _found(job.inputs.recipe, "Recipes")
    checks.inputs_exist([job.inputs.manifest])
    runtime = upscale.runtime_of(job.parameters)
    return {"outputs": {}, **checking.check(recipe, job.inputs.manifest, runtime=runtime, progress=progress)}


def _demo(job: jobs.DemoJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib import demo

    checks.folder_can_be_written(job.outputs.folder)
    report = demo.run_demo(job.outputs.folder, runtime=upscale.runtime_of(job.parameters), progress=progress)
    return {"outputs": {"folder": str(job.outputs.folder), "report": str(report)}}


def _machine(job: window_job.MachineJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.inference import machine

    progress.stage("Looking at this machine")
    return {"outputs": {}, **machine.describe()}


def _import_model(job: window_job.ImportModelJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.models import importing, library

    path, name = job.inputs.model, job.parameters.name
    checks.inputs_exist([path])
    progress.stage("Checking the model")
    if path.suffix in (".safetensors", ".json"):
        installed = library.install(path, name)
    else:
        model = importing.import_checkpoint(path, name or files.stem(path))
        installed = library.locate(model.card.name)
    return {"outputs": {"model": str(installed)}, "model": installed.stem}


def _bench(job: jobs.BenchJob, progress: Progress) -> dict[str, Any]:
    import torch

    wanted, runtime = job.parameters, upscale.runtime_of(job.parameters)
    if wanted.threads is not None:
        torch.set_num_threads(wanted.threads)
    if wanted.method == "metrics":
        from MedSRLib.bench import metrics

        found = metrics.run(wanted.size or 256, runtime=runtime, progress=progress)
        return {"outputs": {}, "table": metrics.table(found), "measured": found}
    if wanted.method == "networks":
        from MedSRLib.bench import networks

        found = networks.run(wanted.size or 48, runtime=runtime, progress=progress)
        return {"outputs": {}, "table": networks.table(found), "measured": found}
    if wanted.method == "csc":
        from MedSRLib.bench import csc

        found = csc.run(wanted.size or 256, runtime=runtime, progress=progress)
        return {"outputs": {}, "table": csc.table(found), "measured": found}
    from MedSRLib.bench import arssr
    from MedSRLib.models import library

    model = None if wanted.model is None else library.load(wanted.model, "arssr")
    measured = arssr.run(wanted.size or 64, wanted.scale or 2.0, model=model, runtime=runtime, progress=progress)
    return {"outputs": {}, "measured": measured}


def _found(path: Path, shelf: str) -> Path:
    """The file at the path, or the one of that name that comes with MedSR.

    Raises:
        InputError: if there is neither; the ones that come with MedSR are named.
    """
    if path.is_file():
        return path
    here = Path(__file__).parents[1] / "Resources" / shelf
    folder = here if here.is_dir() else Path(__file__).parents[2] / "Resources" / shelf
    shipped = {file.name: file for file in sorted(folder.glob("*.toml"))}
    for name in (path.name, f"{path.name}.toml"):
        if name in shipped:
            return shipped[name]
    raise InputError(
        f"There is no file '{path}'.",
        "",
        f"Give the path of one, or use one of: {', '.join(shipped) or 'none'}.",
    )


_TASKS: dict[type[Any], Callable[[Any, Progress], dict[str, Any]]] = {
    upscale_job.UpscaleJob: upscale.perform,
    upscale_job.BatchJob: batch.perform,
    jobs.DegradeJob: _degrade,
    jobs.EvaluateJob: evaluate.perform,
    window_job.CompareJob: compare.perform,
    jobs.BenchmarkJob: _benchmark,
    training_job.TrainJob: _train,
    training_job.CheckTrainingJob: _check_training,
    jobs.DemoJob: _demo,
    window_job.MachineJob: _machine,
    window_job.ImportModelJob: _import_model,
    jobs.BenchJob: _bench,
}
