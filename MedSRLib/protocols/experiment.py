"""One measurement after another: turn, degrade, upscale, turn back, measure.

What decides a number stands here and in what this file imports; `sources` hashes exactly that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib import images, upscaling
from MedSRLib.acquisition import degrading
from MedSRLib.errors import ModelError
from MedSRLib.evaluation import slices
from MedSRLib.evaluation.metrics import json_ready
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.slicewise import FLAT
from MedSRLib.inference.refinement import Refinement
from MedSRLib.methods import registry
from MedSRLib.methods.guides import Guide
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.protocols.cells import Case, Cell, Measured
from MedSRLib.protocols.columns import IN_PLANE
from MedSRLib.protocols.rotations import Turn
from MedSRLib.protocols.scales import factors
from MedSRLib.protocols.subject import Region, Subject

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.evaluation.measures import Found
    from MedSRLib.evaluation.reference import Reference


def measure(cells: Sequence[Cell], progress: Progress) -> Iterator[tuple[Cell, Measured]]:
    """Measure cells; a volume is read once, and degraded once for the methods that follow each other on it.

    Raises:
        MedSRError: for a volume, method or model that cannot be used.
        Cancelled: if asked to stop.
    """
    subject, of, bench = None, None, None
    for number, cell in enumerate(cells):
        part = progress.part(number / len(cells), (number + 1) / len(cells))
        case = cell.case
        progress.stage(cell.spoken())
        if subject is None or of != (case.group.label, case.scan.paths["volume"], case.frame):
            subject = Subject(case, cell.runtime.device, progress)
            of, bench = (case.group.label, case.scan.paths["volume"], case.frame), None
        if bench is None or bench.case != case:
            bench = _Bench(subject, case)
        yield cell, bench.measured(cell, part)
        part.update(1.0)


class _Bench:
    """A case ready for methods: the input they are given, the grid they are asked for."""

    def __init__(self, subject: Subject, case: Case) -> None:
        self.case, self._subject = case, subject
        self._region = subject.region(case)
        self._turn = Turn(subject.grid, subject.axis, case.rotation)
        self._input = degrading.degrade(
            self._turned(images.to_array(subject.image)),
            factors(case.scale, subject.axis),
            kind=case.degradation.kind,
            thickness=case.degradation.thickness,
            noise=case.degradation.noise,
            seed=case.noise_seed,
        )

    def measured(self, cell: Cell, progress: Progress) -> Measured:
        """Upscale and measure; a number that is not finite is None (a perfect result has infinite PSNR)."""
        started = time.perf_counter()
        result = self._turn.undo(images.to_array(self._upscaled(cell, progress.part(0, 0.8))))
        seconds = time.perf_counter() - started
        measurer = self._subject.measurer(self._region)
        array = self._region.of(result)
        if "target" in self.case.scan.paths:
            array = _as_bright(array, self._subject.measured_reference(self._region))
        found = measurer.measured(array, progress.part(0.8, 1))
        truth = self._subject.measured_reference(self._region)
        numbers = {f"{name}_{where}": value for name, by in found.values.items() for where, value in by.items()}
        axis = slices.AXES[self._region.axis]
        for name, by_axis in found.slices.items():
            counted = np.asarray(by_axis.get(axis, ()), dtype=np.float64)
            counted = counted[np.isfinite(counted)]
            numbers[f"{name}_{IN_PLANE}"] = float(counted.mean()) if len(counted) else math.nan
        settings = {"data_range": truth.data_range, "mask": truth.settings()["mask"]}
        return Measured(
            json_ready(numbers) | settings | {"seconds": round(seconds, 3)},
            _by_slice(truth, array, found, self._region, self._subject.grid.spacing[self._region.axis]),
        )

    def _turned(self, array: np.ndarray) -> sitk.Image:
        return images.from_array(self._turn.apply(array), self._turn.turned_grid)

    def _shown(self) -> str:
        """What the guide shows; empty where the group's guides may show one or the other."""
        named = self.case.group.guide
        names = [named] if isinstance(named, str) else list(named or [])
        return names[0] if len({name.lower() for name in names}) == 1 else ""

    def _upscaled(self, cell: Cell, progress: Progress) -> sitk.Image:
        needs_guide = registry.get(cell.method.identifier).info.needs_guide
        guide = self._subject.guide if needs_guide and cell.method.guide else None
        return upscaling.upscale(
            self._input,
            cell.method.identifier,
            like=self._turn.turned_grid,
            guide=None if guide is None else [Guide(self._turned(guide), self._shown())],
            model=_model(cell),
            options=cell.method.options_for(self.case.degradation),
            ensemble=cell.method.ensemble,
            refine=Refinement() if cell.method.refine else None,
            runtime=cell.runtime,
            progress=progress,
        )


def _model(cell: Cell) -> library.Model | None:
    """The weights that were planned for, which on another machine may be others of that name.

    Raises:
        ModelError: if they are.
    """
    if cell.model is None:
        return None
    model = library.load(cell.model, cell.method.identifier)
    if model.card.weights_sha256 != cell.model_sha256:
        raise ModelError(
            f"The model '{cell.model}' is not the one the benchmark was started with.",
            "Its checksum differs.",
            "Install the same model on every machine, and start again.",
        )
    return model


def _as_bright(array: np.ndarray, truth: Reference) -> np.ndarray:
    """A volume of another modality by the straight line that brings it nearest to the truth: units are arbitrary."""
    x, y = (values[truth.mask].astype(np.float64) for values in (array, truth.array))
    variance = float(x.var())
    slope = float(((x - x.mean()) * (y - y.mean())).mean()) / variance if variance else 0.0
    return (slope * (array - x.mean()) + y.mean()).astype(np.float32)


def _by_slice(truth: Reference, array: np.ndarray, found: Found, region: Region, spacing: float) -> dict[str, Any]:
    """The numbers of the measured slices, along the axis through them; None where a slice is not counted."""
    axis = slices.AXES[region.axis]
    counted = _counted(truth, region)
    errors = slices.curves(array - truth.array, truth.mask, truth.data_range)[axis]
    values: dict[str, Any] = {
        name: [v if n else None for v, n in zip(numbers, counted, strict=True)] for name, numbers in errors.items()
    }
    for name, by_axis in found.slices.items():
        if axis in by_axis:
            values[name] = [float(v) if math.isfinite(v) else None for v in by_axis[axis]]
    places = {
        "axis": axis,
        "index": [int(n) for n in region.index],
        "position_mm": [round(float(n) * spacing, 4) for n in region.index],
    }
    return places | values


def _counted(truth: Reference, region: Region) -> list[bool]:
    """Whether each slice shows anything in the mask, as in `slicewise`: a PSNR of air is beyond all measure."""
    found = []
    for values, mask in zip(*(np.moveaxis(a, 2 - region.axis, 0) for a in (truth.array, truth.mask)), strict=True):
        inside = values[mask]
        found.append(bool(inside.size) and float(np.ptp(inside)) >= FLAT * truth.data_range)
    return found
