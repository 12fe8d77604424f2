"""A picture of how far a training is: one slice as the input has it, as the model makes it now, and the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
import numpy as np
import SimpleITK as sitk
import torch

from MedSRLib.files import atomic_path
from MedSRLib.progress import Progress
from MedSRLib.training.arssr import ArSSRTraining
from MedSRLib.training.pairs import Batch

FILE = "preview.png"
_GAP = 4
_SMALLEST = 128
"""Height that a slice is enlarged to by whole factors, so that its voxels can be seen."""


class Preview(lightning.Callback):
    """Rewrites ``preview.png`` in the run's folder every ``every`` steps and at the end.

    Args:
        folder: of the run.
        example: one patch asked for at one slice; see `Pairs.example`.
        every: steps.
        progress: is told of each picture.
    """

    def __init__(self, folder: Path, example: Batch, every: int, progress: Progress) -> None:
        self._path = folder / FILE
        self._example = example
        self._every = every
        self._progress = progress

    def on_train_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any) -> None:
        """Draw what the network makes of the example now."""
        step = trainer.global_step
        due = step % self._every == 0 or step == trainer.max_steps
        if not due or not trainer.is_global_zero or not isinstance(module, ArSSRTraining):
            return
        with torch.no_grad():
            now = module.predict(self._example).float()
        write(self._path, self._example, now)
        self._progress.preview(self._path, step=step)


def write(path: Path, example: Batch, now: torch.Tensor) -> None:
    """Write input, result and truth of one slice side by side, in one window.

    Args:
        path: of the PNG file.
        example: with targets (1, 1, 1, j', i').
        now: the network's answer, (1, 1, 1, j', i').

    Raises:
        OutputError: if the file cannot be written.
    """
    truth = example.target[0, 0, 0].cpu().numpy()
    low, high = np.percentile(truth, (0.5, 99.5))
    pictures = [_input(example), now[0, 0, 0].cpu().numpy(), truth]
    grey = [np.clip((picture - low) / max(high - low, 1e-6), 0, 1) * 255 for picture in pictures]
    enlarged = [_enlarged(picture.round().astype(np.uint8)) for picture in grey]
    gap = np.full((enlarged[0].shape[0], _GAP), 255, np.uint8)
    page = np.concatenate([enlarged[0], gap, enlarged[1], gap, enlarged[2]], axis=1)
    with atomic_path(path) as temporary:
        sitk.WriteImage(sitk.GetImageFromArray(page), str(temporary))


def _input(example: Batch) -> np.ndarray:
    """The voxels of the input nearest to the wanted ones (j', i')."""
    if example.queries is None:
        raise ValueError("an example has queries")
    image = example.image[0, 0].cpu().numpy()
    nearest = [
        np.clip(np.rint(positions), 0, n - 1).astype(int)
        for positions, n in zip(example.queries.positions, image.shape, strict=True)
    ]
    slices: np.ndarray = image[np.ix_(*nearest)][0]
    return slices


def _enlarged(picture: np.ndarray) -> np.ndarray:
    factor = max(1, -(-_SMALLEST // picture.shape[0]))
    return picture.repeat(factor, 0).repeat(factor, 1)
