"""Checkpoints that survive a kill: written to a temporary name, renamed when whole.

``last.ckpt`` holds everything a run needs to go on; ``best.safetensors`` the weights with the smallest
validation error. Both are replaced, never half-written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
from safetensors.torch import save_file

from MedSRLib.files import atomic_path
from MedSRLib.progress import Progress
from MedSRLib.training.arssr import ArSSRTraining

LAST = "last.ckpt"
BEST = "best.safetensors"


class Checkpoints(lightning.Callback):
    """Saves the run every ``every`` steps and the best weights after each validation.

    The best error so far is part of the checkpoint, so that a resumed run compares with it.
    """

    def __init__(self, folder: Path, every: int) -> None:
        self._folder = folder
        self._every = every
        self._best = float("inf")

    def state_dict(self) -> dict[str, Any]:
        """Kept in the checkpoint."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Taken from the checkpoint."""
        self._best = state_dict["best"]

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Save the run, on every process together as Lightning wants."""
        step = trainer.global_step
        if step % self._every and step != trainer.max_steps:
            return
        temporary = self._folder / (LAST + ".part")
        trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            temporary.replace(self._folder / LAST)

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Keep the weights if they are the best so far."""
        error = trainer.callback_metrics.get("validation_mse")
        if trainer.sanity_checking or error is None or not float(error) < self._best:
            return
        self._best = float(error)
        if trainer.is_global_zero and isinstance(module, ArSSRTraining):
            tensors = {k: v.detach().cpu().contiguous() for k, v in module.network.state_dict().items()}
            with atomic_path(self._folder / BEST) as path:
                save_file(tensors, path)


class Reporting(lightning.Callback):
    """Turns Lightning's hooks into the events of a job, and a cancel into a stop."""

    def __init__(self, progress: Progress, total: int, baseline_psnr: float | None) -> None:
        self._progress = progress
        self._total = total
        self._baseline = baseline_psnr

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Report the fraction done and, now and then, the loss."""
        step = trainer.global_step
        if not trainer.is_global_zero:
            return
        self._progress.update(step / self._total)
        if step % 50 == 0 or step == self._total:
            self._progress.metric("loss", float(trainer.callback_metrics["loss"]), step=step)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Report the validation error as PSNR beside that of cubic interpolation."""
        error = trainer.callback_metrics.get("validation_mse")
        if trainer.is_global_zero and error is not None and not trainer.sanity_checking:
            psnr = psnr_of(float(error))
            self._progress.metric("validation_psnr", psnr, step=trainer.global_step, cubic=self._baseline)


def psnr_of(mean_squared_error: float) -> float:
    """PSNR in dB of normalised intensities with range 1."""
    import math

    return round(-10 * math.log10(max(mean_squared_error, 1e-12)), 3)
