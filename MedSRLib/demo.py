"""The demonstration: a real brain volume is made coarse as a scanner would, super-resolved, and judged.

    y = rice(A x, σ)      x the reference, A the physical acquisition model, σ = 2 % of x's 99th percentile
    x̂ = upscale(y)        by cubic B-spline, by back-projection and by ArSSR, each compared with x

The reference is the MNI152 T1-weighted average brain at 1 mm (Fonov et al. 2009, NeuroImage 47, S102,
doi:10.1016/S1053-8119(09)70884-5) that the wheel of nilearn carries: an average of 152 people, so smoother
than a scan of one person.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from MedSRLib import images, provenance
from MedSRLib.errors import InputError, MissingPackageError, OutputError

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.progress import Progress

METHODS = {"bspline": "Cubic B-spline", "back-projection": "Back-projection", "arssr": "ArSSR"}
"""Identifier in the registry and name in the report."""

NOISE = 0.02
"""Standard deviation of the Rician noise, as a fraction of the reference's 99th percentile."""

PACKAGE = "nilearn"
VOLUME = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"

# The head with a little air, in voxels (x, y, z): multiples of four, so that the scales below are exact.
_START, _SIZE = (22, 23, 0), (152, 188, 160)

_INTRODUCTION = (
    "Reference: the MNI152 T1-weighted average brain at 1 mm (Fonov et al. 2009), from the Python package "
    "nilearn; an average of 152 people, so smoother than a scan of one person. Inputs: the reference blurred "
    "by a point spread as wide as the new voxel, sampled at that voxel size, with Rician noise of 2 % of the "
    "99th percentile."
)


@dataclass(frozen=True)
class Case:
    """One way of making the reference coarse.

    Attributes:
        title: as the report shows it.
        name: as file names carry it.
        scale: along x, y, z.
    """

    title: str
    name: str
    scale: tuple[float, float, float]


CASES = (
    Case("×2", "x2", (2, 2, 2)),
    Case("×(1, 1, 4), thick slices", "x1x1x4", (1, 1, 4)),
)


def run_demo(out_folder: str | Path, *, runtime: Runtime, progress: Progress) -> Path:
    """Run the demonstration and leave its volumes, numbers and report in a folder.

    Args:
        out_folder: made if it does not exist.
        runtime: device, precision, memory budget and seed.
        progress: told how far the work is.

    Returns:
        The path of report.html; metrics.json, metrics.csv and the volumes (.nii.gz) lie beside it.

    Raises:
        MissingPackageError: without nilearn, matplotlib or Jinja2.
        ModelError: without a model for ArSSR.
        OutputError: if the folder cannot be written.
    """
    progress.stage("Reading the reference")
    return demonstrate(reference(progress), CASES, Path(out_folder), runtime=runtime, progress=progress)


def reference(progress: Progress) -> sitk.Image:
    """The MNI152 T1-weighted average brain, cropped to the head, float32, 1 mm.

    Raises:
        MissingPackageError: without nilearn.
        InputError: if this version of nilearn lacks the volume, or has another one.
    """
    try:
        path = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(VOLUME)))
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingPackageError(
            f"The Python package '{PACKAGE}' is not installed.",
            "It brings the volume of the demonstration; nothing else needs it.",
            'In the folder of MedSR, run: pip install -e ".[demo]"',
        ) from error
    whole = images.read(path, progress)
    if any(n < start + size for n, start, size in zip(whole.GetSize(), _START, _SIZE, strict=True)):
        raise InputError(
            f"The volume in {PACKAGE} has {whole.GetSize()} voxels.",
            "This is not the volume that the demonstration knows.",
            f"Install another version of {PACKAGE}: pip install '{PACKAGE}==0.14.*'",
        )
    box = tuple(slice(start, start + size) for start, size in zip(_START, _SIZE, strict=True))
    return images.prepared(whole[box], progress)


def demonstrate(
    truth: sitk.Image, cases: Sequence[Case], folder: Path, *, runtime: Runtime, progress: Progress
) -> Path:
    """Degrade, upscale and compare one 3D volume; arguments, result and errors as `run_demo`."""
    from MedSRLib.evaluation.report import Section, write_sections

    _make(folder)
    _write(truth, folder / "reference.nii.gz", "reference")
    sections = []
    for number, case in enumerate(cases):
        part = progress.part(0.8 * number / len(cases), 0.8 * (number + 1) / len(cases))
        coarse, results = _case(truth, case, folder, runtime, part)
        sections.append(Section(case.title, results, coarse))
    return write_sections(
        folder,
        truth,
        sections,
        progress=progress.part(0.8, 1.0),
        title="MedSR demonstration",
        introduction=_INTRODUCTION,
    )


def _case(
    truth: sitk.Image, case: Case, folder: Path, runtime: Runtime, progress: Progress
) -> tuple[sitk.Image, dict[str, sitk.Image]]:
    """The coarse image of a case and the results by name; all are written to the folder."""
    from MedSRLib.acquisition.degrading import degrade
    from MedSRLib.upscaling import upscale

    progress.stage(f"Degrading {case.title}")
    coarse = degrade(
        truth, case.scale, kind="physical", noise=NOISE, seed=runtime.seed, progress=progress.part(0, 0.05)
    )
    _write(coarse, folder / f"input_{case.name}.nii.gz", "degrade", scale=list(case.scale), noise=NOISE)
    results = {}
    for number, (method, title) in enumerate(METHODS.items()):
        progress.stage(f"{title} {case.title}")
        part = progress.part(0.05 + 0.95 * number / len(METHODS), 0.05 + 0.95 * (number + 1) / len(METHODS))
        results[title] = upscale(coarse, method, like=truth, runtime=runtime, progress=part)
        _write(results[title], folder / f"{method}_{case.name}.nii.gz", "upscale")
    return coarse, results


def _write(image: sitk.Image, path: Path, task: str, **fields: object) -> None:
    """Write an image with its origin: the "MedSR_..." metadata that made it, or the given fields."""
    made_by = {
        key.removeprefix("MedSR_"): image.GetMetaData(key)
        for key in image.GetMetaDataKeys()
        if key.startswith("MedSR_")
    }
    images.write(image, path, provenance=provenance.record(**(made_by | {"task": task, "data": "MNI152"} | fields)))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{folder}' cannot be made.", f"{error.strerror}.") from error
