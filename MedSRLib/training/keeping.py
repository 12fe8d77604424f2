"""What a learner keeps in the folder of its run, so that a killed run goes on: one file, replaced whole.

``last.ckpt`` is a safetensors file: the named tensors of the state, and in its metadata the number of the step and
small plain values as JSON. The figures go to the history, as those of networks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from MedSRLib.errors import InputError
from MedSRLib.files import atomic_path
from MedSRLib.progress import Progress
from MedSRLib.training import history
from MedSRLib.training.history import LAST, Figure


class Keeper:
    """Keeps the state and the figures of one run.

    Args:
        folder: of the run.
        resume: whether the run goes on from the state in that folder, if there is one.
        progress: is told the figures.

    Attributes:
        step: of the state that the run goes on from; 0 for a new run.
        tensors: of that state; empty for a new run.
        values: plain values of that state.

    Raises:
        InputError: if the state cannot be read.
    """

    def __init__(self, folder: Path, resume: bool, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self.step = 0
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[str, Any] = {}
        if resume and (folder / LAST).is_file():
            self._load(folder / LAST)
        history.begin(folder, self.step)

    def keep(self, step: int, tensors: dict[str, Tensor], **values: Any) -> None:
        """Replace the state: that after ``step`` outer iterations; ``values`` are whatever JSON can hold."""
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with atomic_path(self._folder / LAST) as path:
            save_file(whole, path, {"step": str(step), "values": json.dumps(values)})

    def figure(self, name: str, value: float, *, step: int, cubic: float | None = None) -> None:
        """Tell a measured number, and keep it for the curve.

        Args:
            name: "loss" or "validation_psnr" are drawn.
            value: the number.
            step: outer iterations so far.
            cubic: of a validation, what cubic interpolation reaches.
        """
        history.append(self._folder, Figure(step, name, value, cubic))
        labels = {} if cubic is None else {"cubic": cubic}
        self._progress.metric(name, value, step=step, **labels)

    def _load(self, path: Path) -> None:
        try:
            with safe_open(path, "pt") as file:
                told = file.metadata()
                self.step, self.values = int(told["step"]), json.loads(told["values"])
                self.tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The state of the run '{path}' cannot be read.", f"{error}.", "Start a new run in another folder."
            ) from error
