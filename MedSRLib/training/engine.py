"""Training: a recipe and a manifest in, a model with its card out.

    medsr train RECIPE --data MANIFEST -o DIR [--resume] [--devices N] [--nodes N]

Lightning runs the loop of networks: mixed precision, several devices and machines. Methods that learn in closed forms
have a learner (`learners`). The folder holds the copied recipe, the
last checkpoint, the best weights, the history and a preview; a run that was killed, or asked to stop, goes on with
``resume`` and ends with the same weights as one that was not.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from MedSRLib._optional import require
from MedSRLib.errors import OptionError, OutputError
from MedSRLib.files import write_text_atomic
from MedSRLib.manifests import Manifest
from MedSRLib.manifests import load as load_manifest
from MedSRLib.training import frames, history, learners
from MedSRLib.training import recipe as recipes
from MedSRLib.training.learners import Learned, Learner
from MedSRLib.training.recipe import Recipe
from MedSRLib.training.split import Split, split_by_subject

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress
    from MedSRLib.training.frames import Frame
    from MedSRLib.training.module import Training

DATA = "data.json"
"""In a run's folder: which volumes it trains on, so that another session can go on with it."""

_KEPT = ("recipe.toml", "recipe.json")


def train(
    recipe_path: Path,
    manifest_path: Path,
    out_folder: Path,
    *,
    resume: bool = False,
    devices: int = 1,
    nodes: int = 1,
    runtime: Runtime,
    progress: Progress,
) -> Path:
    """Train by a recipe and save the model; return the path of its weights.

    Args:
        recipe_path: TOML or JSON, see `recipe.Recipe`.
        manifest_path: the volumes, see `manifests.load`.
        out_folder: the run's folder; made if missing.
        resume: go on from ``last.ckpt`` in that folder.
        devices: processes (CPU) or GPUs on this machine.
        nodes: machines, each started with Lightning's environment variables.
        runtime: device, precision; the recipe's seed is used.
        progress: receives progress, losses, validation figures and previews.

    Raises:
        MedSRError: for a recipe, manifest or folder that cannot be used.
        Cancelled: if the user asked to stop; ``last.ckpt`` holds the very step.
    """
    recipe = recipes.load(Path(recipe_path))
    _check(recipe, devices * nodes)
    manifest = load_manifest(Path(manifest_path))
    split_by_subject(manifest, recipe)  # refuses what cannot be trained on before a folder is made
    out_folder = Path(out_folder)
    _prepare_folder(out_folder, Path(recipe_path), recipe, resume)
    write_text_atomic(out_folder / DATA, json.dumps({"manifest": str(Path(manifest_path).absolute())}) + "\n")
    return _train(recipe, manifest, out_folder, resume, devices, nodes, runtime, progress)


def fit(recipe: Recipe, manifest: Manifest, *, runtime: Runtime, progress: Progress) -> Model:
    """Train by a recipe and return the model; nothing is left on disk, so nothing can be resumed.

    Raises:
        MedSRError: for a recipe or manifest that cannot be used.
    """
    from MedSRLib.models import library

    _check(recipe, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = _train(recipe, manifest, Path(folder), False, 1, 1, runtime, progress)
        return dataclasses.replace(library.load(path), path=None)


def _train(
    recipe: Recipe,
    manifest: Manifest,
    folder: Path,
    resume: bool,
    devices: int,
    nodes: int,
    runtime: Runtime,
    progress: Progress,
) -> Path:
    from MedSRLib.training.result import save_model

    split = split_by_subject(manifest, recipe)
    progress.stage("Reading the training volumes")
    learner = learners.learner_of(recipe.method)
    if learner is not None:
        learned = _learn(learner, recipe, split, folder, resume, runtime, progress)
    else:
        learned = _descend(recipe, split, folder, resume, devices, nodes, runtime, progress)
    return save_model(recipe, learned, split, folder, runtime, progress)


def _learn(
    learner: Learner, recipe: Recipe, split: Split, folder: Path, resume: bool, runtime: Runtime, progress: Progress
) -> Learned:
    """What the learner finds."""
    from MedSRLib.training.keeping import Keeper

    train, validation = _frames(recipe, split, progress)
    train += frames.read(split.unpaired, recipe.data.normalisation, progress)
    progress.log(f"Learning from {len(train)} volumes, validating on {len(validation)}.")
    progress.stage("Training")
    keeper = Keeper(folder, resume, progress)
    return learner.learn(recipe, train, validation, keeper=keeper, device=runtime.device, progress=progress)


def _descend(
    recipe: Recipe,
    split: Split,
    folder: Path,
    resume: bool,
    devices: int,
    nodes: int,
    runtime: Runtime,
    progress: Progress,
) -> Learned:
    """The best weights that gradient descent finds, the last where nothing is validated."""
    from safetensors.torch import load_file

    from MedSRLib import images
    from MedSRLib.training import loop

    module = module_of(recipe, split, runtime, progress)
    progress.stage("Training")
    checkpoint = folder / history.LAST
    loop.run(module, folder, checkpoint if resume and checkpoint.exists() else None, devices, nodes, runtime, progress)
    spacings = [tuple(images.read(v.path).GetSpacing()[:3]) for v in split.train.volumes]
    learned = Learned.of(module.network, module.learned(spacings), {"steps": module.global_step})
    best = folder / history.BEST
    return dataclasses.replace(learned, tensors=load_file(best)) if best.exists() else learned


def _check(recipe: Recipe, processes: int) -> None:
    """Refuse what cannot be run, before a folder is made."""
    learner = learners.learner_of(recipe.method)
    if learner is None:
        require("lightning", "train")
        return
    learner.check(recipe)
    if processes > 1:
        raise OptionError(
            f"The method '{recipe.method}' learns in one process, not in {processes}.",
            "Its steps are closed forms over all samples, not batches that could be shared.",
            "Leave --devices and --nodes out.",
        )


def kept_recipe(folder: Path) -> Path | None:
    """The recipe that the run in a folder was started with; None where no run was started."""
    return next((path for name in _KEPT if (path := folder / name).is_file()), None)


def _prepare_folder(folder: Path, recipe_path: Path, recipe: Recipe, resume: bool) -> None:
    """Keep a copy of the recipe in the folder, and refuse one that holds another run."""
    if not resume:
        if (folder / history.LAST).exists():
            raise OutputError(
                f"The folder '{folder}' already holds a training run.",
                "It would be overwritten.",
                "Add --resume to go on with it, or choose another folder.",
            )
        _start_folder(folder, recipe_path)
        return
    kept = kept_recipe(folder)
    if kept is not None and recipes.load(kept) != recipe:
        raise OptionError(
            f"The recipe '{recipe_path}' is not the one that the run in '{folder}' was started with.",
            "A run cannot change its recipe half-way.",
            f"Use '{kept}', or start a new run in another folder.",
        )
    if kept is None:
        _start_folder(folder, recipe_path)


def _start_folder(folder: Path, recipe_path: Path) -> None:
    """Make the folder with a copy of the recipe, in place of one of a run that never came to a checkpoint."""
    text = recipe_path.read_text(encoding="utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _KEPT:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error
    write_text_atomic(folder / f"recipe{recipe_path.suffix.lower()}", text)


def module_of(recipe: Recipe, split: Split, runtime: Runtime, progress: Progress) -> Training:
    """Network and patches of a recipe, ready for the loop; the volumes are read.

    Raises:
        MedSRError: for volumes that cannot be used, or a method that does not learn.
    """
    import torch

    from MedSRLib.training import kinds
    from MedSRLib.training.starting import take_weights

    training = kinds.training_of(recipe)
    train, validation = _frames(recipe, split, progress)
    torch.manual_seed(recipe.seed)
    module = training.of(recipe, train, validation, runtime.device)
    progress.log(f"Training on {module.draws.count} volumes, validating on {len(split.validation.volumes)}.")
    if recipe.start_from:
        take_weights(module, recipe.start_from)
    return module


def _frames(recipe: Recipe, split: Split, progress: Progress) -> tuple[list[Frame], list[Frame]]:
    """The volumes to train on and those to validate on, read and normalised."""
    for warning in split.warnings:
        progress.warn(warning)
    train, validation = (
        frames.read(volumes, recipe.data.normalisation, progress, split.companions)
        for volumes in (split.train.volumes, split.validation.volumes)
    )
    return train, validation
