"""Checkpoints that survive a kill: written to a temporary name, renamed when whole.

``last.ckpt`` holds everything a run needs to go on; ``best.safetensors`` the weights with the smallest
validation error. Both are replaced, never half-written. A run that is asked to stop saves its very step first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
from safetensors.torch import save_file

from MedSRLib.errors import Cancelled
from MedSRLib.files import atomic_path
from MedSRLib.progress import Progress
from MedSRLib.training import history
from MedSRLib.training.held_out import psnr_of
from MedSRLib.training.history import BEST, LAST
from MedSRLib.training.module import Training

_TOLD = 200
"""Losses told of a short run; a long one tells every 50th step."""


class Checkpoints(lightning.Callback):
    """Saves the run every ``every`` steps and when asked to stop, and the best weights after each validation.

    The best error so far is part of the checkpoint, so that a resumed run compares with it.
    """

    def __init__(self, folder: Path, every: int, progress: Progress) -> None:
        self._folder = folder
        self._every = every
        self._progress = progress
        self._best = float("inf")
        self._due = False

    def state_dict(self) -> dict[str, Any]:
        """Kept in the checkpoint."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Taken from the checkpoint."""
        self._best = state_dict["best"]

    def on_train_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any) -> None:
        """Save the run, on every process together as Lightning wants; stop it if the user asked for that.

        Raises:
            Cancelled: if the user asked to stop.
        """
        step = trainer.global_step
        self._due = self._due or step % self._every == 0
        if step == trainer.max_steps:
            self._save(trainer)
        elif not _validation_follows(step, module):
            self._save_or_stop(trainer)

    def _save_or_stop(self, trainer: lightning.Trainer) -> None:
        try:
            self._progress.check()
        except Cancelled:
            if trainer.world_size == 1:  # saving is done together, but the others were not asked to stop
                self._save(trainer)
            raise
        if self._due:
            self._save(trainer)

    def _save(self, trainer: lightning.Trainer) -> None:
        self._due = False
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
        if trainer.is_global_zero and isinstance(module, Training):
            tensors = {k: v.detach().cpu().contiguous() for k, v in module.network.state_dict().items()}
            with atomic_path(self._folder / BEST) as path:
                save_file(tensors, path)


class Reporting(lightning.Callback):
    """Turns Lightning's hooks into the events of a job and the lines of the history."""

    def __init__(self, folder: Path, progress: Progress, total: int, baselines: dict[str, float]) -> None:
        self._folder = folder
        self._progress = progress
        self._total = total
        self._baselines = {name: psnr_of(error) for name, error in baselines.items()}
        self._told_every = min(50, max(1, total // _TOLD))
        self._started = False

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Drop what was measured after the checkpoint that the run goes on from."""
        if trainer.is_global_zero:
            history.begin(self._folder, trainer.global_step)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Report the fraction done and, now and then, the loss; the first step warms up and is not timed."""
        step = trainer.global_step
        if not trainer.is_global_zero:
            return
        if not self._started:
            self._started = True
            self._progress.start_at(step / self._total)
        self._progress.tell(step / self._total)
        if step % self._told_every == 0 or step == self._total:
            self._tell(history.Figure(step, "loss", float(trainer.callback_metrics["loss"])))

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Report the validation error as PSNR beside those of plain interpolations."""
        error = trainer.callback_metrics.get("validation_mse")
        if trainer.is_global_zero and error is not None and not trainer.sanity_checking:
            psnr = psnr_of(float(error))
            step = trainer.global_step
            self._tell(history.Figure(step, "validation_psnr", psnr, self._baselines.get("cubic")))
            for name in self._baselines.keys() - {"cubic"}:
                self._tell(history.Figure(step, f"{name}_psnr", self._baselines[name]))

    def _tell(self, figure: history.Figure) -> None:
        history.append(self._folder, figure)
        labels = {"cubic": figure.cubic} if figure.name == "validation_psnr" else {}
        self._progress.metric(figure.name, figure.value, step=figure.step, **labels)


def _validation_follows(step: int, module: lightning.LightningModule) -> bool:
    """Whether the step is validated next: a run saved before that would not catch up on it when it goes on.

    Where every step is validated there is no other moment to save.
    """
    if not isinstance(module, Training) or not module.validation:
        return False
    every = module.recipe.validate_every
    return every > 1 and step % every == 0
