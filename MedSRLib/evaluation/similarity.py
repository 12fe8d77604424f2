"""Structural similarity on torch: Gaussian window, slice by slice, several scales.

The formula and its form are those of `box_similarity`, which has the uniform window in 3D. Here:

slices     7 × 7 uniform window, sample covariance: scikit-image on each slice
Gaussian   σ = 1.5, 11 samples, population covariance, borders reflected: torchmetrics
several    l_M^w_M · Π s_m^w_m over scales that are halved by averaging, with the Gaussian window (multi-scale
           SSIM, Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216): torchmetrics
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.errors import InputError
from MedSRLib.evaluation.box_similarity import box, terms
from MedSRLib.evaluation.windows import bands, gaussian
from MedSRLib.inference.sampling import apply_separable

GAUSSIAN_LENGTH, GAUSSIAN_SIGMA = 11, 1.5
SLICE_WINDOW = 7
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def slices(reference: Tensor, image: Tensor, *, data_range: float) -> Tensor:
    """2D SSIM of each pair of slices, (n, j, i), with a 7 × 7 uniform window (less on smaller slices), float64 (n,)."""
    window = (1, *(min(SLICE_WINDOW, n - 1 + n % 2) for n in reference.shape[1:]))
    x, y = (values.float().contiguous().flatten() for values in (reference, image))
    flat, shape, strides = box(x, y, tuple(reference.shape), data_range, window)
    return flat.as_strided(shape, strides).mean(dim=(1, 2), dtype=torch.float64)


def gaussian_map(reference: np.ndarray, image: np.ndarray, *, data_range: float, device: str = "cpu") -> np.ndarray:
    """SSIM of the Gaussian window around every voxel, float32 (k, j, i), borders reflected.

    Along an axis of fewer than six voxels the window is cut to what its reflection can fill; an axis of one
    voxel is not smoothed. The mean of the map is torchmetrics' value.
    """
    x, y = (_tensor(array, device) for array in (reference, image))
    luminance, structure = _gaussian_terms(x, y, data_range)
    return np.asarray(luminance.mul_(structure).cpu().numpy())


def ssim_gaussian(
    reference: np.ndarray, image: np.ndarray, *, data_range: float, mask: np.ndarray | None = None, device: str = "cpu"
) -> float:
    """Mean of `gaussian_map`, over the volume or over the voxels of a mask, bool (k, j, i)."""
    values = gaussian_map(reference, image, data_range=data_range, device=device)
    return float((values if mask is None else values[mask]).mean(dtype=np.float64))


def ms_ssim(
    reference: np.ndarray,
    image: np.ndarray,
    *,
    data_range: float,
    scales: int = len(SCALE_WEIGHTS),
    device: str = "cpu",
) -> float:
    """Multi-scale SSIM with the Gaussian window; of a volume of one slice, that of the picture.

    The structure term is averaged where the window lies inside the volume; a negative average counts as zero.

    Args:
        scales: 1 to 5; of fewer than five the first weights are used, divided by their sum.

    Raises:
        InputError: if the window does not fit the volume at the coarsest scale.
    """
    _refuse_small(reference.shape, scales)
    share = 1.0 if scales == len(SCALE_WEIGHTS) else sum(SCALE_WEIGHTS[:scales])
    x, y = (_tensor(array, device) for array in (reference, image))
    found = 1.0
    for scale, weight in enumerate(SCALE_WEIGHTS[:scales]):
        luminance, structure = _gaussian_terms(x, y, data_range)
        if scale == scales - 1:
            term = luminance.mul_(structure).mean(dtype=torch.float64)
        else:
            term = _inside(structure).mean(dtype=torch.float64)
            halves = [1 if n == 1 else 2 for n in x.shape]
            x, y = (functional.avg_pool3d(a[None], halves)[0] for a in (x, y))
        found *= max(float(term), 0.0) ** (weight / share)
    return found


def most_scales(shape: tuple[int, ...]) -> int:
    """How many scales `ms_ssim` can use on a volume, 0 to 5."""
    thinnest = min((n for n in shape if n > 1), default=0)
    fitting = int(math.log2(thinnest / GAUSSIAN_LENGTH)) + 1 if thinnest >= GAUSSIAN_LENGTH else 0
    return min(fitting, len(SCALE_WEIGHTS))


def _refuse_small(shape: tuple[int, ...], scales: int) -> None:
    fitting = most_scales(shape)
    if not 1 <= scales <= fitting:
        raise InputError(
            f"Multi-scale SSIM cannot use {scales} scales on a volume of {' × '.join(map(str, shape))} voxels.",
            f"Each scale halves the volume, and {GAUSSIAN_LENGTH} voxels must be left.",
            f"Use at most {fitting} scales." if fitting else "Use SSIM.",
        )


def _gaussian_terms(x: Tensor, y: Tensor, data_range: float) -> tuple[Tensor, Tensor]:
    """Luminance and structure with the Gaussian window, borders reflected, shape of x (k, j, i)."""
    kernels = {n: gaussian(min(GAUSSIAN_LENGTH, 2 * n - 1), GAUSSIAN_SIGMA) for n in x.shape}
    matrices = [bands(kernels[n], (n,), "reflected", x)[0] for n in x.shape]
    return terms(x, y, lambda values: apply_separable(values, matrices), data_range, 1.0)


def _inside(values: Tensor) -> Tensor:
    """The part of a map (k, j, i) where the Gaussian window lies inside; axes of one voxel are kept whole."""
    r = GAUSSIAN_LENGTH // 2
    return values[tuple(slice(None) if n == 1 else slice(r, n - r) for n in values.shape)]


def _tensor(array: np.ndarray, device: str) -> Tensor:
    """A float32 copy of an array on the device."""
    return torch.from_numpy(np.array(array, dtype=np.float32)).to(device)
