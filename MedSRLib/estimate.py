"""How long an upscaling will take and how much memory it will need, before it starts.

An estimate, good to a factor of two: from the work a method says it has (`Method.work`), the measured speed of the
machine (`inference.machine`), and a few constants measured on the project's own runs. No torch is loaded for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from MedSRLib.grids import Grid

if TYPE_CHECKING:
    from MedSRLib.models.card import ModelCard

DEFAULT_BUDGET_GB = 2.5
"""As `inference.runtime.DEFAULT_MEMORY_GB`, which cannot be read without torch in every case."""

_GIB = 2**30
_START_S = 3.0
"""Starting the interpreter and loading torch."""

_SHARE_OF_SPEED = 0.35
"""What a whole network reaches of the speed of one warm convolution: 0.65 its encoder, 0.2 its decoder."""

_FILES_S_PER_VOXEL = 2e-8
_PROGRAM_BYTES = 0.45 * _GIB
"""Interpreter, torch and SimpleITK."""

_ARRAYS = 4
"""Copies of the result, float32, that live at the same time."""

_ENSEMBLE_ARRAYS = 4
"""Further copies: mean, spread, the step towards a copy and its square."""

_REFINEMENT = 1.0
"""Resamplings that a refinement, up to five corrections, takes the time of."""

_BYTES_PER_FEATURE_VOXEL = 8.0


@dataclass(frozen=True)
class Estimate:
    """Time in seconds, None if the machine's speed is not known; main memory (of a graphics card: its own) in bytes."""

    seconds: float | None
    memory_bytes: int


def estimate(
    method: str,
    source: Grid,
    target: Grid,
    card: ModelCard | None = None,
    *,
    speed: Mapping[str, float] | None = None,
    memory_gb: float | None = None,
    options: Mapping[str, Any] | None = None,
    ensemble: str | None = None,
    refine: bool = False,
) -> Estimate:
    """What upscaling from one grid to another takes.

    Args:
        method: identifier.
        source: the image's grid.
        target: the wanted grid.
        card: of the model that will be used.
        speed: ``{"flops": a second, "voxels": a second}`` of the device, as the job "machine" tells.
        memory_gb: the budget of the job, None for the default.
        options: of the method.
        ensemble: one of `inference.ensemble.KINDS`, each of whose copies takes the method's whole time.
        refine: whether the result is made consistent with the image.

    Raises:
        OptionError: for an unknown method, option or ensemble.
    """
    from MedSRLib.inference import ensemble as ensembles
    from MedSRLib.methods import registry

    work = registry.create(method, options or {}).work(source, target, card)
    copies = 1 if ensemble is None else len(ensembles.turns(ensemble, source, target))
    fine, coarse = prod(target.size), prod(source.size)
    seconds = None
    if speed is not None:
        once = work.flops / (_SHARE_OF_SPEED * speed["flops"]) + work.voxels / speed["voxels"]
        corrections = (_REFINEMENT if refine else 0.0) * fine / speed["voxels"]
        seconds = _START_S + copies * once + corrections + _FILES_S_PER_VOXEL * (fine + coarse)
    budget = (memory_gb or DEFAULT_BUDGET_GB) * _GIB
    network = work.network_bytes if card is None else _BYTES_PER_FEATURE_VOXEL * coarse * _features(card)
    images = 4.0 * ((_ARRAYS + (_ENSEMBLE_ARRAYS if copies > 1 else 0)) * fine + 2 * coarse)
    return Estimate(seconds, int(_PROGRAM_BYTES + images + min(network, budget)))


def _features(card: ModelCard) -> int:
    """The widest layer that is kept for every input voxel."""
    known = (card.architecture.get(name) for name in ("feature_dim", "channels"))
    return max((int(value) for value in known if isinstance(value, int | float)), default=64)
