"""The loop: Lightning runs a training module until its last step, and everything is written to one folder."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
import torch
from lightning.pytorch.strategies import DDPStrategy  # noqa: TID253

from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress
from MedSRLib.training.checkpoints import Checkpoints, Reporting
from MedSRLib.training.module import Training
from MedSRLib.training.preview import Preview

_PRECISIONS: dict[str, Any] = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}


def run(
    module: Training,
    folder: Path,
    checkpoint: Path | None,
    devices: int,
    nodes: int,
    runtime: Runtime,
    progress: Progress,
) -> None:
    """Train the module to its last step.

    Args:
        module: network, patches and recipe.
        folder: receives checkpoints, history and preview.
        checkpoint: to go on from; None starts anew.
        devices: processes (CPU) or GPUs on this machine.
        nodes: machines.
        runtime: device and precision.
        progress: receives progress, losses, validation figures and previews.

    Raises:
        Cancelled: if the user asked to stop; the checkpoint is that of the very step.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    trainer = _trainer(module, folder, devices, nodes, runtime, progress)
    steps: Any = torch.utils.data.DataLoader(_numbers(module.total_steps()), batch_size=1)
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


def _trainer(
    module: Training, folder: Path, devices: int, nodes: int, runtime: Runtime, progress: Progress
) -> lightning.Trainer:
    recipe, total = module.recipe, module.total_steps()
    accelerator = runtime.device.split(":")[0]
    return lightning.Trainer(
        accelerator="gpu" if accelerator == "cuda" else accelerator,
        devices=devices,
        num_nodes=nodes,
        strategy=_strategy(accelerator) if devices * nodes > 1 else "auto",
        precision=_PRECISIONS[runtime.precision],
        max_steps=total,
        max_epochs=-1,
        gradient_clip_val=recipe.descent.clip or None,
        callbacks=[
            Reporting(folder, progress, total, module.baselines()),
            Preview(folder, recipe.validate_every, progress),
            Checkpoints(folder, recipe.checkpoint_every, progress),
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


def _numbers(count: int) -> Any:
    """Step numbers as a data set: batches are made from them on the device."""
    return range(count)


def _strategy(accelerator: str) -> Any:
    return DDPStrategy(process_group_backend="nccl" if accelerator == "cuda" else "gloo")
