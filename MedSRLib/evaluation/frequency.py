"""What became of fine detail: the high-frequency error norm, and agreement frequency by frequency.

    HFEN   = ‖LoG x - LoG y‖ / ‖LoG x‖                 LoG: Laplacian of a Gaussian, σ 1.5 voxels, 15 samples
    FSC(r) = Re Σ X Y* / √(Σ |X|² Σ |Y|²)              sums over a shell of equal spatial frequency r

HFEN after Ravishankar and Bresler 2011 (doi:10.1109/TMI.2010.2090538), here in 3D: 0 for identical images, 1 if
all detail is gone. Fourier shell correlation after Harauz and van Heel 1986; 1 where the images agree, 0 where
they have nothing in common; the frequency up to which it stays above a threshold is the resolution to which the
result can be trusted (1/7 for two independent halves of data, 0.5 against a known reference;
van Heel and Schatz 2005, doi:10.1016/j.jsb.2005.05.009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSRLib.evaluation.windows import bands, gaussian
from MedSRLib.inference.sampling import apply_separable

_LENGTH, _SIGMA = 15, 1.5
_TAPER = 1 / 8
"""The part of each axis, at either end, over which a volume is faded out before its Fourier transform."""


def hfen(reference: np.ndarray, image: np.ndarray, *, mask: np.ndarray | None = None, device: str = "cpu") -> float:
    """High-frequency error norm; NaN if the reference has no detail at all.

    Borders are continued by their nearest voxel; along an axis of one voxel nothing is filtered.

    Args:
        reference, image: (k, j, i), same shape and intensity unit.
        mask: bool (k, j, i); the norms are taken over its voxels.
        device: "cpu" or a GPU.
    """
    x, d = (torch.from_numpy(np.array(a, dtype=np.float64)).to(device) for a in (reference, image))
    d -= x
    wanted, lost = laplacian_of_gaussian(x - x.mean()), laplacian_of_gaussian(d)
    if mask is not None:
        inside = torch.from_numpy(mask).to(device)
        wanted, lost = wanted[inside], lost[inside]
    # What rounding leaves of a constant is no detail.
    norm = float(wanted.norm())
    return float(lost.norm()) / norm if norm > 1e-9 * float(x.abs().max()) else float("nan")


def laplacian_of_gaussian(values: Tensor) -> Tensor:
    """Σ_a (t_a² / σ⁴ - 1 / σ²) G(t), made to sum to zero, over a volume (k, j, i)."""
    axes = [axis for axis, n in enumerate(values.shape) if n > 1]
    smooth, box = gaussian(_LENGTH, _SIGMA), np.full(_LENGTH, 1 / _LENGTH)
    t = np.arange(_LENGTH) - _LENGTH // 2
    curved = (np.square(t) / _SIGMA**4 - 1 / _SIGMA**2) * smooth
    found = torch.zeros_like(values)
    for axis in axes:
        kernels = [curved if a == axis else smooth for a in axes]
        found += _filtered(values, axes, kernels)
    # MATLAB's and everyone's LoG filter subtracts its own mean, which is a box: constants give zero.
    return found - len(axes) * float(curved.sum()) * _filtered(values, axes, [box] * len(axes))


def _filtered(values: Tensor, axes: Sequence[int], kernels: Sequence[np.ndarray]) -> Tensor:
    matrices = [torch.ones(1, 1).to(values)] * 3
    for axis, kernel in zip(axes, kernels, strict=True):
        matrices[axis] = bands(kernel, (values.shape[axis],), "nearest", values)[0]
    return apply_separable(values, matrices)


@dataclass(frozen=True, eq=False)
class ShellCorrelation:
    """Fourier shell correlation as a curve.

    Attributes:
        frequencies: mean of each shell, 1/mm, rising.
        correlations: -1 to 1; NaN where either image has no energy.
        counts: Fourier coefficients in each shell.
    """

    frequencies: np.ndarray
    correlations: np.ndarray
    counts: np.ndarray

    def resolution_mm(self, threshold: float) -> float:
        """Wavelength in mm at which the curve first falls below ``threshold``, interpolated linearly.

        The wavelength of the last shell if it never does; infinite if it is below from the start.
        """
        valid = np.isfinite(self.correlations)
        f, c = self.frequencies[valid], self.correlations[valid]
        below = np.flatnonzero(c < threshold)
        if not len(f) or (len(below) and below[0] == 0):
            return float("inf")
        if not len(below):
            return float(1 / f[-1])
        b = int(below[0])
        share = (c[b - 1] - threshold) / (c[b - 1] - c[b])
        return float(1 / (f[b - 1] + share * (f[b] - f[b - 1])))


def shell_correlation(
    reference: np.ndarray, image: np.ndarray, *, spacing: Sequence[float], device: str = "cpu"
) -> ShellCorrelation:
    """Fourier shell correlation of two volumes, up to the Nyquist frequency of the coarsest axis.

    The mean is taken away and the outer eighth of each axis faded out (a cosine): the borders' jump would
    correlate. A shell is as wide as one frequency step of the longest axis, in mm. The zero frequency is left
    out; axes of one voxel are not transformed.

    Args:
        reference, image: (k, j, i), same shape and intensity unit.
        spacing: voxel size along k, j, i, mm.
        device: "cpu" or a GPU.
    """
    axes = [axis for axis, n in enumerate(reference.shape) if n > 1]
    x, y = (_spectrum(a, axes, device) for a in (reference, image))
    radius = torch.zeros(()).double()
    for axis in axes:
        frequency = torch.fft.fftfreq(reference.shape[axis], d=spacing[axis], dtype=torch.float64)
        radius = radius + frequency.square().view([-1 if a == axis else 1 for a in range(3)])
    radius = radius.sqrt().expand(x.shape).flatten().to(device)
    step = 1 / max(reference.shape[a] * spacing[a] for a in axes)
    shells = round(min(0.5 / spacing[a] for a in axes) / step)
    place = (radius / step).round().long()
    place = torch.where(place > shells, 0, place)

    def summed(values: Tensor) -> np.ndarray:
        total = torch.bincount(place, weights=values.flatten(), minlength=shells + 1)
        return np.asarray(total[1 : shells + 1].cpu().numpy())

    power = np.sqrt(summed(x.abs().square()) * summed(y.abs().square()))
    counts = summed(torch.ones_like(radius))
    floor = 1e-12 * float(power.max())
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.where(power > floor, summed((x * y.conj()).real) / power, np.nan)
        return ShellCorrelation(summed(radius) / counts, correlations, counts.astype(np.int64))


def _spectrum(array: np.ndarray, axes: Sequence[int], device: str) -> Tensor:
    values = torch.from_numpy(np.array(array, dtype=np.float64)).to(device)
    values -= values.mean()
    for axis in axes:
        n = values.shape[axis]
        depth = (torch.arange(n, dtype=torch.float64).add(0.5) / (n * _TAPER)).clamp(max=1)
        fade = torch.sin(torch.minimum(depth, depth.flip(0)) * torch.pi / 2).square().to(device)
        values *= fade.view([-1 if a == axis else 1 for a in range(3)])
    return torch.fft.fftn(values, dim=list(axes))
