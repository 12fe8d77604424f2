"""The task "batch": every volume of a manifest upscaled in the same way, resumable.

Results lie in the folders and under the names of the manifest, as .nii.gz. The sidecar of a result holds the
settings and the checksums of input and result; a result that agrees with all three is not made again. A
volume that fails does not keep the others from being made; the failures are told at the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import files, images, manifests
from MedSRLib.errors import Cancelled, InputError, MedSRError, OutputError
from MedSRLib.jobs import checks, faults, upscale
from MedSRLib.jobs.upscale_job import BatchJob

if TYPE_CHECKING:
    from MedSRLib.progress import Progress


@dataclass(frozen=True)
class _Volume:
    source: Path
    target: Path
    maps: Mapping[str, Path]


def perform(job: BatchJob, progress: Progress) -> dict[str, Any]:
    """Upscale what is not done yet.

    Raises:
        MedSRError: at the end, if volumes failed by a mistake or a limit of the machine; it names them.
        FaultError: at the end, if any volume failed by a fault of MedSR; it names them all.
    """
    checks.inputs_exist([job.inputs.manifest])
    for folder in (job.outputs.folder, job.outputs.consistency, job.outputs.uncertainty):
        if folder is not None:
            checks.folder_can_be_written(folder)
    volumes = _volumes(job)
    settled = upscale.settle(job.parameters)
    upscale.refuse_maps(settled, {name: path for name in upscale.MAPS if (path := getattr(job.outputs, name))})
    done: list[str] = []
    skipped: list[str] = []
    failed: dict[Path, MedSRError | faults.FaultError] = {}
    for number, volume in enumerate(volumes):
        part = progress.part(number / len(volumes), (number + 1) / len(volumes))
        part.stage(f"{volume.source.name} ({number + 1} of {len(volumes)})")
        if _is_whole(volume, settled):
            skipped.append(str(volume.target))
        elif problem := _attempt(volume, settled, part):
            failed[volume.source] = problem
            part.warn(f"{volume.source} failed: {problem}")
        else:
            done.append(str(volume.target))
        part.update(1.0)
    _tell_failures(failed, len(volumes))
    return {"outputs": {"folder": str(job.outputs.folder), "images": done}, "skipped": skipped}


def _volumes(job: BatchJob) -> list[_Volume]:
    """What to make of what.

    Raises:
        InputError: for a manifest without volumes.
        OutputError: if a result or its sidecar would lie over an input or over another file.
    """
    manifest = manifests.load(job.inputs.manifest)
    if not manifest.volumes:
        raise InputError(f"The manifest '{job.inputs.manifest}' names no volume.")
    folders = {name: folder for name in upscale.MAPS if (folder := getattr(job.outputs, name)) is not None}
    found = []
    for volume in manifest.volumes:
        name = _result_name(volume.path, manifest.root)
        maps = {kind: folder / name for kind, folder in folders.items()}
        found.append(_Volume(volume.path, job.outputs.folder / name, maps))
    taken = {volume.source.resolve() for volume in found}
    for target in (path for volume in found for path in (volume.target, *volume.maps.values())):
        if target.resolve() in taken:
            raise OutputError(
                f"The result '{target}' would lie over an input or another result.",
                "MedSR never overwrites its inputs.",
                "Give another output folder, or other file names.",
            )
        taken.add(target.resolve())
        images.check_sidecar(target)
    return found


def _result_name(source: Path, root: Path) -> Path:
    """The path of a volume below the manifest's root (its bare name, if it lies elsewhere), as .nii.gz."""
    inside = source.relative_to(root) if source.is_relative_to(root) else Path(source.name)
    if ".." in inside.parts:
        inside = Path(source.name)
    return inside.with_name(f"{files.stem(inside)}.nii.gz")


def _is_whole(volume: _Volume, settled: upscale.Settled) -> bool:
    """Whether the result is there, intact, and made of this input with these settings and this version."""
    try:
        record = json.loads(images.sidecar(volume.target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(
        volume.target.is_file()
        and all(path.is_file() for path in volume.maps.values())
        and volume.source.is_file()
        and record.get("settings") == settled.made_with(_model_of(record)).settings()
        and record.get("medsr_version") == _version()
        and record.get("input_sha256") == files.sha256(volume.source)
        and record.get("output_sha256") == files.sha256(volume.target)
    )


def _model_of(record: dict[str, Any]) -> str | None:
    """The name of the model in the record of a result."""
    settings = record.get("settings")
    return settings.get("model") if isinstance(settings, dict) else None


def _attempt(volume: _Volume, settled: upscale.Settled, progress: Progress) -> MedSRError | faults.FaultError | None:
    """Make one result; what went wrong is returned, so that the next volume has its turn."""
    try:
        image = images.read(volume.source, progress)
        settled = settled.chosen_for(image)
        outcome = settled.apply(image, progress)
        origin = upscale.origin_of(settled, volume.source, image, outcome.image)
        for path in (volume.target, *volume.maps.values()):
            path.parent.mkdir(parents=True, exist_ok=True)
        upscale.write_maps(volume.maps, settled, image, outcome, origin)
        images.write(outcome.image, volume.target, provenance=origin)
        whole = {**origin, "output_sha256": files.sha256(volume.target)}
        files.write_text_atomic(images.sidecar(volume.target), json.dumps(whole, indent=2) + "\n")
    except Cancelled:
        raise
    except Exception as error:  # told at the end, with its exit code
        return faults.describe(error, progress)
    return None


def _tell_failures(failed: dict[Path, MedSRError | faults.FaultError], count: int) -> None:
    if not failed:
        return
    faulty = any(isinstance(problem, faults.FaultError) for problem in failed.values())
    what = f"{len(failed)} of {count} volumes failed: {_listed(failed)}."
    if faulty:
        raise faults.FaultError(f"{what} At least one by a fault of MedSR: please report it with the log.")
    raise MedSRError(what, "The log says why, volume by volume.", "Mend them and run the batch again.")


def _listed(paths: Sequence[Path] | dict[Path, Any]) -> str:
    return ", ".join(f"'{path}'" for path in paths)


def _version() -> str:
    from MedSRLib import __version__

    return __version__
