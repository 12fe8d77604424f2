"""The task "evaluate": results measured against the truth, or looked at beside their input alone, in a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import images
from MedSRLib.errors import OptionError
from MedSRLib.jobs import checks

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.jobs.job import EvaluateJob
    from MedSRLib.progress import Progress


def perform(job: EvaluateJob, progress: Progress) -> dict[str, Any]:
    """Write the report; what cannot be measured is refused before any image is read."""
    from MedSRLib.evaluation import report

    given = job.inputs
    more = (given.reference, given.image, given.mask, given.labels, given.lesions)
    checks.inputs_exist([*given.results.values(), *given.uncertainty.values(), *more])
    checks.folder_can_be_written(job.outputs.folder)
    if given.reference is None:
        return _without_reference(job, progress)
    names, device = _measures(job), _device(job.parameters.device)

    def read(path: Path | None) -> sitk.Image | None:
        return None if path is None else images.read(path, progress)

    progress.stage("Reading")
    reference = images.read(given.reference, progress)
    results = {name: images.read(path, progress) for name, path in given.results.items()}
    acquired, mask = read(given.image), read(given.mask)
    wanted = report.Wanted(names, read(given.labels), read(given.lesions), device)
    progress.stage("Measuring")
    written = report.write_report(
        job.outputs.folder,
        reference,
        results,
        input=acquired,
        mask=mask,
        progress=progress,
        provenance={name: _origin_beside(path) for name, path in given.results.items()},
        wanted=wanted,
    )
    return {"outputs": {"folder": str(job.outputs.folder), "report": str(written)}, "measures": list(names)}


def _without_reference(job: EvaluateJob, progress: Progress) -> dict[str, Any]:
    from MedSRLib.acquisition import Acquisition
    from MedSRLib.evaluation import unreferenced

    given = job.inputs
    assert given.image is not None  # a job without either is refused
    assumed = Acquisition(job.parameters.acquisition, job.parameters.thickness)
    progress.stage("Reading")
    written = unreferenced.write_report(
        job.outputs.folder,
        images.read(given.image, progress),
        {name: images.read(path, progress) for name, path in given.results.items()},
        mask=None if given.mask is None else images.read(given.mask, progress),
        uncertainty={name: images.read(path, progress) for name, path in given.uncertainty.items()},
        acquisition=assumed,
        provenance={name: _origin_beside(path) for name, path in given.results.items()},
        progress=progress,
    )
    return {"outputs": {"folder": str(job.outputs.folder), "report": str(written)}}


def _measures(job: EvaluateJob) -> tuple[str, ...]:
    """Those asked for, and those that the given labels or lesions are for."""
    from MedSRLib.evaluation import measures

    given = {measures.LABELS: job.inputs.labels, measures.LESIONS: job.inputs.lesions}
    added = [name for name, one in measures.MEASURES.items() if given.get(one.input) is not None]
    return measures.chosen([*job.parameters.measures, *added])


def _device(name: str) -> str:
    """A device that has double precision, which the measures need."""
    from MedSRLib.inference import runtime

    chosen = runtime.choose(name).device
    if chosen == "mps" and name == "mps":
        raise OptionError("The measures cannot be taken on mps.", "It has no double precision.", "Use cpu.")
    return "cpu" if chosen == "mps" else chosen


def _origin_beside(path: Path) -> dict[str, Any]:
    """What the sidecar of a result says of its origin; nothing, where there is none of ours."""
    try:
        found = json.loads(images.sidecar(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
