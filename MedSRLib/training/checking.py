"""What a training would be like, before it is started: its volumes, its length, and what may spoil it.

Of the volumes only the headers are read, and one volume to time a few real steps on the device.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk
import torch

from MedSRLib import images
from MedSRLib._optional import require
from MedSRLib.errors import InputError, OutputError
from MedSRLib.inference import machine
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.manifests import load as load_manifest
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.training import frames
from MedSRLib.training import recipe as recipes
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learner, learner_of
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.split import Split, split_by_subject, subjects_of

_TIMED_STEPS = 4
_ENOUGH_S = 5.0
_COARSE = 1.5
"""An axis so much coarser than the finest is worth a word: the truth itself is coarse there."""

_FULL = 0.7
"""Of the free memory: the network and its patches need room, too."""

_VALIDATION_SHARE = 4
"""A validation costs about as much as so many steps: 12 batches, forward only."""


@dataclass(frozen=True)
class _Length:
    """Steps of a run, seconds of one, and numbers in the model."""

    steps: int
    seconds: float
    parameters: int


@dataclass(frozen=True)
class _Header:
    volume: Volume
    size: tuple[int, ...]
    spacing: tuple[float, ...]


def check(recipe_path: Path, manifest_path: Path, *, runtime: Runtime, progress: Progress) -> dict[str, Any]:
    """What a run by this recipe on these volumes would be like.

    Returns:
        subjects, volumes (all that fit), validation_subjects, validation_volumes, patches_per_step, steps,
        seconds_per_step, hours, parameters, modalities, spacing_mm (finest and coarsest of the volumes),
        memory_gb (of the volumes), and problems: sentences about what may spoil the run.

    Raises:
        MedSRError: for what would make the run impossible.
    """
    recipe = recipes.load(recipe_path)
    kind = _kind(recipe)
    split = split_by_subject(load_manifest(manifest_path), recipe)
    progress.stage("Looking at the volumes")
    headers, problems = _headers((*split.train.volumes, *split.validation.volumes), progress)
    usable, small = _large_enough(headers, split, recipe, kind)
    progress.stage("Timing a few steps")
    length = _length(recipe, kind, [header.volume for header in usable], split, runtime, progress)
    validations = length.steps / recipe.validate_every if split.validation.volumes and recipe.optimisation else 0
    spacings = [h for header in headers for h in header.spacing]
    memory = sum(4 * _voxels(header) for header in headers) / 2**30
    every = Manifest((*split.train.volumes, *split.validation.volumes), split.train.root)
    return {
        "subjects": len(subjects_of(every)),
        "volumes": len(every.volumes),
        "validation_subjects": len(split.validation_subjects),
        "validation_volumes": len(split.validation.volumes),
        "patches_per_step": recipe.sampling.batch,
        "steps": length.steps,
        "seconds_per_step": round(length.seconds, 4),
        "hours": round(length.seconds * (length.steps + _VALIDATION_SHARE * validations) / 3600, 4),
        "parameters": length.parameters,
        "modalities": sorted({v.modality for v in every.volumes if v.modality}),
        "spacing_mm": [round(min(spacings), 3), round(max(spacings), 3)],
        "memory_gb": round(memory, 2),
        "problems": [
            *split.warnings,
            *problems,
            *small,
            *_cautions(recipe, split, headers, kind),
            *_tight(memory, runtime),
        ],
    }


def _headers(volumes: tuple[Volume, ...], progress: Progress) -> tuple[list[_Header], list[str]]:
    """Size and spacing of every volume, and what is wrong with those that cannot be read."""
    headers, problems = [], []
    for volume in volumes:
        progress.check()
        try:
            headers.append(_header(volume))
        except (InputError, RuntimeError):
            problems.append(f"'{volume.path}' cannot be read: the training would stop there.")
    if not headers:
        raise InputError("None of the volumes can be read.", problems[0], "Check the paths of the manifest.")
    return headers, problems


def _header(volume: Volume) -> _Header:
    """Size and spacing, x, y, z; of a file without its voxels."""
    if not volume.path.is_file():
        image: Any = images.read(volume.path)
    else:
        image = sitk.ImageFileReader()
        image.SetFileName(str(volume.path))
        image.ReadImageInformation()
    return _Header(volume, tuple(image.GetSize()[:3]), tuple(image.GetSpacing()[:3]))


def _kind(recipe: Recipe) -> Any:
    """What learns by the recipe: a learner, or the training of a network."""
    learner = learner_of(recipe.method)
    if learner is not None:
        learner.check(recipe)
        return learner
    require("lightning", "train")
    from MedSRLib.training.kinds import training_of

    return training_of(recipe)


def _large_enough(
    headers: list[_Header], split: Split, recipe: Recipe, training: Any
) -> tuple[list[_Header], list[str]]:
    """The volumes to train on that hold a patch, and a sentence about those that do not."""
    small = [header for header in headers if not training.holds(header.size, header.spacing, recipe)]
    held_out = set(split.validation_subjects)
    usable = [h for h in headers if h not in small and h.volume.subject not in held_out]
    if not usable:
        raise InputError(
            f"No training volume has {training.needs(recipe)}.",
            "One patch needs that many.",
            "Use a smaller largest scale or patch, or larger volumes.",
        )
    if not small:
        return usable, []
    names = ", ".join(header.volume.path.name for header in small[:3]) + (" …" if len(small) > 3 else "")
    return usable, [f"{len(small)} volumes do not have {training.needs(recipe)} and are left out: {names}."]


def _cautions(recipe: Recipe, split: Split, headers: list[_Header], training: Any) -> list[str]:
    found = []
    coarse = [header for header in headers if max(header.spacing) > _COARSE * min(header.spacing)]
    if coarse and training.refines_all_axes:
        worst = max(max(header.spacing) for header in coarse)
        found.append(
            f"{len(coarse)} volumes are coarse along an axis (up to {worst:.3g} mm): a model cannot learn detail "
            "that its truth does not have."
        )
    if not split.validation.volumes:
        found.append("No subject is held out: nothing will show whether the model beats cubic interpolation.")
    try:
        library.refuse_taken_name(recipe.name)
    except OutputError as error:
        found.append(str(error))
    return found


def _steps(recipe: Recipe, volumes: int) -> int:
    """Steps of the whole run; an epoch is one pass over the fixed crops of all volumes."""
    o, s = recipe.descent, recipe.sampling
    return o.steps or o.epochs * max(1, volumes * s.crops_per_subject // s.batch)


def _tight(memory_gb: float, runtime: Runtime) -> list[str]:
    """A sentence if the volumes, which are held all at once, nearly fill the device."""
    free = next((device.free_gb for device in machine.devices() if device.name == runtime.device), None)
    if free is None or memory_gb <= _FULL * free:
        return []
    return [
        f"The volumes take {memory_gb:.3g} GB of memory all at once, and {free:.3g} GB are free on {runtime.device}: "
        "use fewer, or another device."
    ]


def _length(
    recipe: Recipe, kind: Any, volumes: list[Volume], split: Split, runtime: Runtime, progress: Progress
) -> _Length:
    if not isinstance(kind, Learner):
        return _Length(_steps(recipe, len(volumes)), *_timed(recipe, volumes[0], split, runtime, progress))
    seconds, parameters = _tried(recipe, kind, volumes[0], split, runtime, progress)
    return _Length(kind.steps(recipe), seconds, parameters)


def _tried(
    recipe: Recipe, learner: Learner, volume: Volume, split: Split, runtime: Runtime, progress: Progress
) -> tuple[float, int]:
    """Seconds of one outer iteration, and numbers in the model, by a shortened learning from one volume."""
    found = frames.read((volume,), recipe.data.normalisation, progress, split.companions)
    short, factor = learner.trial(recipe)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(Path(folder), False, Progress())
        learned = learner.learn(short, found, [], keeper=keeper, device=runtime.device, progress=progress)
    seconds = (time.perf_counter() - begun) * factor / learner.steps(recipe)
    return seconds, sum(tensor.numel() for tensor in learned.tensors.values())


def _timed(recipe: Recipe, volume: Volume, split: Split, runtime: Runtime, progress: Progress) -> tuple[float, int]:
    """Seconds of one step, and numbers in the network."""
    from MedSRLib.training.engine import module_of

    one = Split(Manifest((volume,), Path()), Manifest((), Path()), split.companions)
    module = module_of(recipe, one, runtime, Progress())
    module.to(runtime.device)
    optimiser = module.configure_optimizers()["optimizer"]
    kind = torch.device(runtime.device).type
    times: list[float] = []
    while len(times) < _TIMED_STEPS and sum(times) < _ENOUGH_S:
        progress.update(len(times) / _TIMED_STEPS)
        begun = time.perf_counter()
        with torch.autocast(kind, runtime.dtype, enabled=runtime.precision != "float32"):
            loss = module.loss(module.draws.batch(len(times)))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        float(loss.detach())  # waits for the device
        times.append(time.perf_counter() - begun)
    count = sum(parameter.numel() for parameter in module.network.parameters())
    return min(times[1:] or times), count


def _voxels(header: _Header) -> int:
    count = 1
    for n in header.size:
        count *= n
    return count
