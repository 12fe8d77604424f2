"""Every metric beside an independent value on real volumes, as a table:

    python Testing/Conformance/metrics_table.py [REFERENCE IMAGE]

Without arguments the volumes are the MNI152 average brain of nilearn and the same made ×2 coarser with 2 % Rician
noise and brought back by cubic B-spline. The other programs are called in the same run: scikit-image, sewar,
torchmetrics, SimpleITK; "literal" is a slow reading of the paper in Testing/Conformance, "NumPy" a direct
evaluation. A row whose difference exceeds what is allowed is marked, and the exit code is 1.
"""

from __future__ import annotations

import importlib.metadata
import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from scipy.ndimage import convolve
from skimage import metrics as skimage_metrics

from MedSRLib.evaluation import frequency, lpips_weights, metrics, mutual_information, segmentation, similarity
from MedSRLib.evaluation.lpc_si import lpc_si
from MedSRLib.evaluation.psi import psi
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.vif import information, vif

HERE = Path(__file__).parent
SLAB = 24
"""Middle slices given to programs that are slow in three dimensions."""

BLOCK = (12, 40, 40)
"""What is given of the middle, k, j, i, to a program that needs a gigabyte for a slab."""


@dataclass(frozen=True)
class Row:
    """One metric, ours and the other's value, and by how much they may differ."""

    metric: str
    ours: float
    program: str
    theirs: float
    allowed: float

    @property
    def agrees(self) -> bool:
        return abs(self.ours - self.theirs) <= self.allowed

    def __str__(self) -> str:
        numbers = f"{self.ours:14.8f}  {self.theirs:14.8f}  {abs(self.ours - self.theirs):9.1e}  {self.allowed:7.0e}"
        return f"{self.metric:34}{numbers}  {self.program:22}{'' if self.agrees else 'DIFFERS'}"


def brain_pair() -> tuple[sitk.Image, sitk.Image]:
    """The average brain, and what cubic B-spline makes of it after ×2 degradation."""
    from MedSRLib.acquisition.degrading import degrade
    from MedSRLib.demo import reference
    from MedSRLib.progress import Progress
    from MedSRLib.upscaling import upscale

    truth = reference(Progress())
    return truth, upscale(degrade(truth, 2, kind="physical", noise=0.02), "bspline", like=truth)


def rows(reference: sitk.Image, image: sitk.Image) -> Iterator[Row]:
    """The rows of the table for a pair of volumes whose slices have at least 88 pixels a side."""
    truth = Reference.of(reference)
    x, (y, _) = truth.array, truth.array_of(image)
    yield from _whole(truth, x, y)
    yield from _structural(truth, x, y)
    middle = slice(len(x) // 2 - SLAB // 2, len(x) // 2 + SLAB // 2)
    yield from _spectral(x[middle], y[middle], truth.grid.spacing)
    low, white = float(x.min()), truth.data_range
    a, b = (np.asarray((v[middle] - low) / white, dtype=np.float64) for v in (x, y))
    yield from _information(a, b)
    yield from _sharpness(b)
    yield from _perceptual(a, b)
    yield from _overlap(truth, x, y)


def _whole(truth: Reference, x: np.ndarray, y: np.ndarray) -> Iterator[Row]:
    r, inside, program = truth.data_range, truth.mask, _version("scikit-image")
    p, d = skimage_metrics.peak_signal_noise_ratio, x.astype(np.float64)
    yield Row("PSNR, dB", metrics.psnr(x, y, data_range=r), program, p(d, y, data_range=r), 1e-6)
    masked = metrics.psnr(x, y, data_range=r, mask=inside)
    yield Row("PSNR in the mask, dB", masked, program, p(d[inside], y[inside], data_range=r), 1e-6)
    other = skimage_metrics.normalized_root_mse(d, y, normalization="min-max")
    yield Row("NRMSE", metrics.nrmse(x, y, data_range=r), program, other, 1e-6)
    yield Row("MAE", metrics.mae(x, y, data_range=r), "NumPy", float(np.abs(d - y).mean()), 1e-5)
    ours = mutual_information.normalised_mutual_information(x, y)
    yield Row("Normalised mutual information", ours, program, skimage_metrics.normalized_mutual_information(x, y), 1e-6)


def _structural(truth: Reference, x: np.ndarray, y: np.ndarray) -> Iterator[Row]:
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        structural_similarity_index_measure,
    )

    r, program = truth.data_range, _version("scikit-image")
    d, e = x.astype(np.float64), y.astype(np.float64)
    value, values = skimage_metrics.structural_similarity(d, e, data_range=r, full=True)
    yield Row("SSIM, 7 × 7 × 7", metrics.ssim(x, y, data_range=r), program, value, 1e-6)
    inside = np.zeros_like(truth.mask)
    inside[3:-3, 3:-3, 3:-3] = truth.mask[3:-3, 3:-3, 3:-3]
    masked = metrics.ssim(x, y, data_range=r, mask=truth.mask)
    yield Row("SSIM in the mask", masked, program, float(values[inside].mean()), 1e-6)
    flat = similarity.slices(torch.from_numpy(x), torch.from_numpy(y), data_range=r).mean()
    pairs = zip(d, e, strict=True)
    other = np.mean([skimage_metrics.structural_similarity(a, b, data_range=r) for a, b in pairs])
    yield Row("SSIM, 2D slices", float(flat), program, float(other), 1e-6)
    some = tuple(slice(n // 2 - wide // 2, n // 2 + wide // 2) for n, wide in zip(x.shape, BLOCK, strict=True))
    a, b = (torch.from_numpy(v[some])[None, None] for v in (d, e))
    other = structural_similarity_index_measure(b, a, data_range=r)
    ours = similarity.ssim_gaussian(x[some], y[some], data_range=r)
    program = _version("torchmetrics")
    yield Row("SSIM, Gaussian 11, 3D (block)", ours, program, float(other), 1e-6)
    weights = np.array(similarity.SCALE_WEIGHTS[:3])
    betas = tuple(weights / weights.sum())
    first = slice(some[0].start, some[0].start + 1)
    a, b = (torch.from_numpy(v[first])[None] for v in (d, e))
    other = multiscale_structural_similarity_index_measure(b, a, data_range=r, betas=betas)
    ours = similarity.ms_ssim(x[first], y[first], data_range=r, scales=3)
    yield Row("MS-SSIM, 3 scales (slice)", ours, program, float(other), 1e-6)


def _spectral(x: np.ndarray, y: np.ndarray, spacing: tuple[float, ...]) -> Iterator[Row]:
    kernel = _literal("test_frequency", "dense_laplacian_of_gaussian")(2)[None]
    first = (slice(0, 1),)
    wanted, found = (convolve(v[first].astype(np.float64), kernel, mode="nearest") for v in (x, y))
    other = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    yield Row("HFEN (slice)", frequency.hfen(x[first], y[first]), "dense filter, SciPy", float(other), 1e-6)
    same = frequency.shell_correlation(x, 2 * x + 1, spacing=spacing[::-1]).correlations
    yield Row("Fourier shell correlation, lowest", float(np.nanmin(same)), "1 for y = 2 x + 1", 1.0, 1e-6)


def _information(a: np.ndarray, b: np.ndarray) -> Iterator[Row]:
    from sewar.full_ref import vifp
    from torchmetrics.functional.image import visual_information_fidelity

    x, y = torch.from_numpy(255 * a[::6]), torch.from_numpy(255 * b[::6])
    ours = float(vif(x, y).mean())
    other = np.mean([vifp(r.numpy(), i.numpy()) for r, i in zip(x, y, strict=True)])
    yield Row("VIF, mean of slices", ours, _version("sewar"), float(other), 1e-3)
    other = visual_information_fidelity(y[:, None], x[:, None])
    yield Row("VIF, mean of slices", ours, _version("torchmetrics"), float(other), 1e-3)
    kept = [float(part.sum()) for part in information(x, y)]
    values = zip(x, y, strict=True)
    other = sum(vifp(r.numpy(), i.numpy()) * float(information(r[None], i[None])[1]) for r, i in values) / kept[1]
    yield Row("VIF of a volume (k slices)", kept[0] / kept[1], f"{_version('sewar')}, weighted", other, 1e-3)


def _sharpness(b: np.ndarray) -> Iterator[Row]:
    one = b[len(b) // 2]
    ours = float(psi(torch.from_numpy(one)[None]))
    yield Row("PSI (slice)", ours, "literal", _literal("test_psi", "literal")(_large(one)), 1e-6)
    ours = float(lpc_si(torch.from_numpy(255 * one)[None]))
    yield Row("LPC-SI (slice)", ours, "literal", _literal("test_lpc_si", "literal")(255 * one), 1e-6)


def _large(picture: np.ndarray) -> np.ndarray:
    """A picture mirrored outwards to 96 pixels a side, as PSI does."""
    before = [max(0, 96 - n) // 2 for n in picture.shape]
    after = [max(0, 96 - n) - p for n, p in zip(picture.shape, before, strict=True)]
    return np.pad(picture, list(zip(before, after, strict=True)), mode="symmetric")


def _perceptual(a: np.ndarray, b: np.ndarray) -> Iterator[Row]:
    found = next(lpips_weights._sources(), None)
    if found is None:
        return
    distance = lpips_weights.Lpips(found[1])
    picture, in_numpy = (_literal("test_lpips", name) for name in ("picture", "in_numpy"))
    for name, known in (("ex_p0", 0.7219), ("ex_p1", 0.1376)):
        ours = float(distance(picture("ex_ref"), picture(name)))
        yield Row(f"LPIPS, ex_ref and {name}", ours, "its authors", known, 5e-5)
    x, y = (2 * v[len(v) // 2] - 1 for v in (a, b))
    ours = float(distance(*(torch.from_numpy(v)[None].float() for v in (x, y))))
    other = in_numpy(found[1], *(np.repeat(v[None], 3, axis=0) for v in (x, y)))
    yield Row("LPIPS (slice)", ours, "NumPy", other, 1e-4)


def _overlap(truth: Reference, x: np.ndarray, y: np.ndarray) -> Iterator[Row]:
    cuts = np.quantile(x[truth.mask], (0.25, 0.6))
    labels = [np.where(truth.mask, 1 + np.digitize(v, cuts), 0).astype(np.uint8) for v in (x, y)]
    oracle = sitk.LabelOverlapMeasuresImageFilter()
    oracle.Execute(*(sitk.GetImageFromArray(v) for v in labels))
    for found in segmentation.overlaps(*labels, spacing=truth.grid.spacing):
        other = oracle.GetDiceCoefficient(found.label)
        yield Row(f"Dice, label {found.label}", found.dice, _version("SimpleITK"), other, 1e-9)


def _literal(module: str, name: str) -> Callable[..., float]:
    return runpy.run_path(str(HERE / f"{module}.py"))[name]


def _version(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"


def main(paths: list[str]) -> int:
    """Print the table; 0 if all agree."""
    pair = tuple(sitk.ReadImage(path) for path in paths) if paths else brain_pair()
    print(f"{'metric':34}{'ours':>14}  {'other':>14}  {'apart':>9}  {'allowed':>7}  {'program':22}")
    agree = True
    for row in rows(*pair):
        print(row, flush=True)
        agree = agree and row.agrees
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
