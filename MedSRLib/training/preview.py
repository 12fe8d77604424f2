"""A picture of how far a training is: one slice as the input has it, as the model makes it now, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning  # noqa: TID253 - this file is only imported to train
import numpy as np
import SimpleITK as sitk

from MedSRLib.files import atomic_path
from MedSRLib.progress import Progress
from MedSRLib.training.module import Training

FILE = "preview.png"
_GAP = 4
_SMALLEST = 128
"""Height that a slice is enlarged to by whole factors, so that its voxels can be seen."""


class Preview(lightning.Callback):
    """Rewrites ``preview.png`` in the run's folder every ``every`` steps and at the end.

    Args:
        folder: of the run.
        every: steps.
        progress: is told of each picture.
    """

    def __init__(self, folder: Path, every: int, progress: Progress) -> None:
        self._path = folder / FILE
        self._every = every
        self._progress = progress

    def on_train_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any) -> None:
        """Draw what the network makes of the example now."""
        step = trainer.global_step
        due = step % self._every == 0 or step == trainer.max_steps
        if not due or not trainer.is_global_zero or not isinstance(module, Training):
            return
        write(self._path, module.pictures())
        self._progress.preview(self._path, step=step)


def write(path: Path, pictures: Sequence[np.ndarray]) -> None:
    """Write input, result and truth of one slice side by side, in the window of the truth.

    Args:
        path: of the PNG file.
        pictures: all three, (j, i).

    Raises:
        OutputError: if the file cannot be written.
    """
    low, high = np.percentile(pictures[-1], (0.5, 99.5))
    grey = [np.clip((picture - low) / max(high - low, 1e-6), 0, 1) * 255 for picture in pictures]
    enlarged = [_enlarged(picture.round().astype(np.uint8)) for picture in grey]
    gap = np.full((enlarged[0].shape[0], _GAP), 255, np.uint8)
    page = np.concatenate([enlarged[0], gap, enlarged[1], gap, enlarged[2]], axis=1)
    with atomic_path(path) as temporary:
        sitk.WriteImage(sitk.GetImageFromArray(page), str(temporary))


def _enlarged(picture: np.ndarray) -> np.ndarray:
    factor = max(1, -(-_SMALLEST // picture.shape[0]))
    return picture.repeat(factor, 0).repeat(factor, 1)
