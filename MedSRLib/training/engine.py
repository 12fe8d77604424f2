"""Training: a recipe and a manifest in, a model with its card out.

    medsr train RECIPE --data MANIFEST -o DIR [--resume] [--devices N] [--nodes N]

Lightning runs the loop: mixed precision, several devices and machines. The folder holds the copied recipe, the
last checkpoint and the best weights; a run that was killed goes on with ``resume`` and ends with the same
weights as one that was not.
"""

from __future__ import annotations

import dataclasses
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib import images, intensity
from MedSRLib._optional import require
from MedSRLib.errors import InputError, OptionError, OutputError
from MedSRLib.files import write_text_atomic
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.manifests import load as load_manifest
from MedSRLib.training import recipe as recipes
from MedSRLib.training.recipe import Recipe

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress
    from MedSRLib.training.arssr import ArSSRTraining
    from MedSRLib.training.pairs import Pairs

_PRECISIONS: dict[str, Any] = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}
_VALIDATION_BATCHES = 12
_VALIDATION_FIRST = 1_000_000_000  # step numbers no training run reaches


@dataclass(frozen=True)
class Split:
    """Volumes to train on and volumes to validate on; no subject is in both."""

    train: Manifest
    validation: Manifest


def split_by_subject(manifest: Manifest, recipe: Recipe) -> Split:
    """Choose the recipe's volumes and part them by subject.

    Raises:
        InputError: if nothing is left to train on, or a validation subject does not exist.
    """
    d = recipe.data
    chosen = manifest.select(role=d.role, modality=d.modality, organ=d.organ)
    kept = tuple(v for v in chosen.volumes if v.dataset not in d.exclude_datasets)
    held_out = set(d.validation_subjects)
    missing = held_out - {v.subject for v in kept}
    if missing:
        raise InputError(
            f"The manifest has no subject {', '.join(sorted(missing))} among the chosen volumes.",
            "The recipe names them in data.validation_subjects.",
            "Correct the recipe or the manifest.",
        )
    train = tuple(v for v in kept if v.subject not in held_out)
    if not train:
        raise InputError(
            "No volume of the manifest fits the recipe.",
            f"Wanted: role {d.role}, modality {d.modality}, organ {d.organ}.",
            "Correct the [data] section of the recipe, or use another manifest.",
        )
    held = tuple(v for v in kept if v.subject in held_out)
    return Split(Manifest(train, manifest.root), Manifest(held, manifest.root))


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
        recipe_path: TOML, see `recipe.Recipe`.
        manifest_path: the volumes, see `manifests.load`.
        out_folder: the run's folder; made if missing.
        resume: go on from ``last.ckpt`` in that folder.
        devices: processes (CPU) or GPUs on this machine.
        nodes: machines, each started with Lightning's environment variables.
        runtime: device, precision; the recipe's seed is used.
        progress: receives progress, losses and validation figures.

    Raises:
        MedSRError: for a recipe, manifest or folder that cannot be used.
    """
    require("lightning", "train")
    recipe = recipes.load(Path(recipe_path))
    out_folder = Path(out_folder)
    checkpoint = _prepare_folder(out_folder, Path(recipe_path), resume)
    manifest = load_manifest(Path(manifest_path))
    return _train(recipe, manifest, out_folder, checkpoint, devices, nodes, runtime, progress)


def fit(recipe: Recipe, manifest: Manifest, *, runtime: Runtime, progress: Progress) -> Model:
    """Train by a recipe and return the model; nothing is left on disk, so nothing can be resumed.

    Raises:
        MedSRError: for a recipe or manifest that cannot be used.
    """
    from MedSRLib.models import library

    require("lightning", "train")
    with tempfile.TemporaryDirectory() as folder:
        path = _train(recipe, manifest, Path(folder), None, 1, 1, runtime, progress)
        return dataclasses.replace(library.load(path), path=None)


def _train(
    recipe: Recipe,
    manifest: Manifest,
    folder: Path,
    checkpoint: Path | None,
    devices: int,
    nodes: int,
    runtime: Runtime,
    progress: Progress,
) -> Path:
    from MedSRLib.training.result import save_model

    split = split_by_subject(manifest, recipe)
    progress.stage("Reading the training volumes")
    module = _module(recipe, split, runtime, progress)
    progress.stage("Training")
    _run(module, folder, checkpoint, devices, nodes, runtime, progress)
    return save_model(module, split, folder, runtime, progress)


def _prepare_folder(folder: Path, recipe_path: Path, resume: bool) -> Path | None:
    """The checkpoint to go on from, or None; keeps a copy of the recipe beside it."""
    from MedSRLib.training.checkpoints import LAST

    text = recipe_path.read_text(encoding="utf-8")
    kept, checkpoint = folder / "recipe.toml", folder / LAST
    if not resume:
        if checkpoint.exists():
            raise OutputError(
                f"The folder '{folder}' already holds a training run.",
                "It would be overwritten.",
                "Add --resume to go on with it, or choose another folder.",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error
        write_text_atomic(kept, text)
        return None
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise OptionError(
            f"The recipe '{recipe_path}' is not the one that the run in '{folder}' was started with.",
            "A run cannot change its recipe half-way.",
            f"Use '{kept}', or start a new run in another folder.",
        )
    return checkpoint if checkpoint.exists() else None


def _module(recipe: Recipe, split: Split, runtime: Runtime, progress: Progress) -> ArSSRTraining:
    import torch

    from MedSRLib.training.arssr import ArSSRTraining

    if recipe.method != "arssr":
        raise OptionError(f"The method '{recipe.method}' has no training.", "", 'Use method = "arssr".')
    torch.manual_seed(recipe.seed)
    pairs = _pairs(split.train.volumes, recipe, runtime.device)
    validation = []
    if split.validation.volumes:
        held_out = _pairs(split.validation.volumes, recipe, runtime.device)
        validation = [held_out.batch(_VALIDATION_FIRST + n) for n in range(_VALIDATION_BATCHES)]
    progress.log(f"Training on {pairs.count} volumes, validating on {len(split.validation.volumes)}.")
    module = ArSSRTraining(recipe, pairs, validation)
    if recipe.start_from:
        _take_weights(module, recipe.start_from)
    return module


def _take_weights(module: ArSSRTraining, name: str) -> None:
    """Start from a model of the library, or of a file, with the recipe's architecture."""
    from MedSRLib.models import library
    from MedSRLib.models.building import network_of

    start = network_of(library.load(name, "arssr"))
    if start.config != module.network.config:
        raise OptionError(
            f"The model '{name}' has another architecture than the recipe.",
            "start_from refines the weights of a model, so both must agree.",
            "Copy the architecture from the model's card into the recipe.",
        )
    module.network.load_state_dict(start.state_dict())


def _pairs(volumes: tuple[Volume, ...], recipe: Recipe, device: str) -> Pairs:
    """The pairs of some volumes, normalised; the frames of a 4D volume count singly."""
    from MedSRLib.training.pairs import Pairs

    arrays, groups = [], []
    for volume in volumes:
        for frame in images.frames(images.read(volume.path)):
            array = images.to_array(frame)
            arrays.append(intensity.fit(recipe.data.normalisation, array).apply(array))
            groups.append(volume.dataset)
    return Pairs(arrays, recipe, device, groups)


def _run(
    module: ArSSRTraining,
    folder: Path,
    checkpoint: Path | None,
    devices: int,
    nodes: int,
    runtime: Runtime,
    progress: Progress,
) -> None:
    import lightning
    import torch

    from MedSRLib.training.checkpoints import Checkpoints, Reporting

    recipe, total = module.recipe, module.total_steps()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    accelerator = runtime.device.split(":")[0]
    many = devices * nodes > 1
    trainer = lightning.Trainer(
        accelerator="gpu" if accelerator == "cuda" else accelerator,
        devices=devices,
        num_nodes=nodes,
        strategy=_strategy(accelerator) if many else "auto",
        precision=_PRECISIONS[runtime.precision],
        max_steps=total,
        max_epochs=-1,
        gradient_clip_val=recipe.optimisation.clip or None,
        callbacks=[
            Checkpoints(folder, recipe.checkpoint_every),
            Reporting(progress, total, _cubic_psnr(module)),
        ],
        val_check_interval=recipe.validate_every if module.validation else None,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        deterministic=True,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    steps: Any = torch.utils.data.DataLoader(_numbers(total), batch_size=1)
    cases: Any = torch.utils.data.DataLoader(_numbers(len(module.validation)), batch_size=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on data loader workers: ours hold step numbers
        trainer.fit(
            module,
            steps,
            cases if module.validation else None,
            ckpt_path=checkpoint,
            weights_only=True,
        )


def _numbers(count: int) -> Any:
    """Step numbers as a data set: batches are made from them on the device."""
    return range(count)


def _strategy(accelerator: str) -> Any:
    from lightning.pytorch.strategies import DDPStrategy

    return DDPStrategy(process_group_backend="nccl" if accelerator == "cuda" else "gloo")


def _cubic_psnr(module: ArSSRTraining) -> float | None:
    """PSNR of Keys' cubic interpolation on the validation batches, the line a model must beat."""
    from MedSRLib.inference.sampling import apply_separable
    from MedSRLib.networks.arssr import axis_matrices
    from MedSRLib.training.checkpoints import psnr_of

    errors = []
    for batch in module.validation:
        if batch.queries is None:
            return None
        matrices = axis_matrices("cubic", batch.image.shape[2:], batch.queries)
        cubic = apply_separable(batch.image, [m.to(batch.image) for m in matrices])
        errors.append(float((cubic - batch.target).square().mean()))
    return psnr_of(float(np.mean(errors))) if errors else None
