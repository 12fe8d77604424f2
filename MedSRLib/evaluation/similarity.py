"""Structural similarity on torch: uniform or Gaussian window, 3D or slice by slice, one scale or several.

    SSIM = l · s,   l = (2 μx μy + c1) / (μx² + μy² + c1),   s = (2 σxy + c2) / (σx² + σy² + c2)

with c1 = (0.01 R)², c2 = (0.03 R)², R the data range (Wang et al. 2004, doi:10.1109/TIP.2003.819861). Computed
from the sum u = x + y and the difference v = x - y, because the same numbers are then

    l = 1 - μv² / ((μu² + μv²) / 2 + c1),   s = 1 - σv² / ((σu² + σv²) / 2 + c2):

four moments instead of five, and where the images agree nothing is left to be rounded, so that float32 gives
the values of float64 to 1e-6. Multi-scale SSIM (Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216) is
l_M^w_M · Π s_m^w_m over scales that are halved by averaging.

uniform    7 × 7 × 7 (or the largest odd size that fits a thin volume), sample covariance: scikit-image
Gaussian   σ = 1.5, 11 samples, population covariance, borders reflected: torchmetrics
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MedSRLib.errors import InputError
from MedSRLib.evaluation.windows import Array, bands, gaussian, window_sum
from MedSRLib.inference.sampling import apply_separable

GAUSSIAN_LENGTH, GAUSSIAN_SIGMA = 11, 1.5
SLICE_WINDOW = 7
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_SLAB_VOXELS = {"cpu": 1 << 20, "cuda": 1 << 25}
"""Voxels worked on at once: few enough for the caches of a processor, many enough to share windows' margins."""


def box_mean(
    reference: np.ndarray, image: np.ndarray, *, data_range: float, window: Sequence[int], device: str = "cpu"
) -> float:
    """Mean SSIM with a uniform window, over all voxels whose window lies inside the volume.

    Args:
        reference, image: (k, j, i), same shape and intensity unit.
        data_range: R, in the same unit, > 0.
        window: odd window lengths along k, j, i, none above the volume's.
        device: "cpu" or a GPU.
    """
    parts = _parts(reference, image, data_range, window, device)
    total = sum(float(part.sum(dtype=np.float64)) for _, part in parts)
    return total / math.prod(n - w + 1 for n, w in zip(reference.shape, window, strict=True))


def box_map(
    reference: np.ndarray, image: np.ndarray, *, data_range: float, window: Sequence[int], device: str = "cpu"
) -> np.ndarray:
    """SSIM of the uniform window around every voxel, float32 (k, j, i), borders mirrored; see `box_mean`."""
    margins = [(w // 2, w // 2) for w in window]
    x, y = (np.pad(array, margins, mode="symmetric") for array in (reference, image))
    found = np.empty(reference.shape, dtype=np.float32)
    for start, part in _parts(x, y, data_range, window, device):
        found[start : start + len(part)] = part
    return found


def slices(reference: Tensor, image: Tensor, *, data_range: float) -> Tensor:
    """2D SSIM of each pair of slices, (n, j, i), with a 7 × 7 uniform window (less on smaller slices), float64 (n,)."""
    window = (1, *(min(SLICE_WINDOW, n - 1 + n % 2) for n in reference.shape[1:]))
    x, y = (values.float().contiguous().flatten() for values in (reference, image))
    flat, shape, strides = _box(x, y, tuple(reference.shape), data_range, window)
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


def _refuse_small(shape: tuple[int, ...], scales: int) -> None:
    thinnest = min((n for n in shape if n > 1), default=0)
    fitting = int(math.log2(thinnest / GAUSSIAN_LENGTH)) + 1 if thinnest >= GAUSSIAN_LENGTH else 0
    if not 1 <= scales <= min(fitting, len(SCALE_WEIGHTS)):
        raise InputError(
            f"Multi-scale SSIM cannot use {scales} scales on a volume of {' × '.join(map(str, shape))} voxels.",
            f"Each scale halves the volume, and {GAUSSIAN_LENGTH} voxels must be left.",
            f"Use at most {min(fitting, len(SCALE_WEIGHTS))} scales." if fitting else "Use SSIM.",
        )


def _parts(
    x: np.ndarray, y: np.ndarray, data_range: float, window: Sequence[int], device: str
) -> Iterator[tuple[int, np.ndarray]]:
    """The SSIM where the window fits, in slabs along k: the first row of each slab, and its values (k, j, i).

    On a processor NumPy works on whole slabs in threads, as many as torch may use: threads that share every
    operation wait for one another, and on a busy machine that is most of the time.
    """
    rows = max(1, _SLAB_VOXELS["cpu" if device == "cpu" else "cuda"] // math.prod(x.shape[1:]))

    def part(start: int) -> tuple[int, np.ndarray]:
        some = [np.asarray(a[start : start + rows + window[0] - 1], dtype=np.float32) for a in (x, y)]
        if device == "cpu":
            flat, shape, strides = _box(some[0].ravel(), some[1].ravel(), some[0].shape, data_range, window)
            bytes_ = [flat.itemsize * s for s in strides]
            return start, np.lib.stride_tricks.as_strided(flat, shape, bytes_, writeable=False)
        tensors = [_tensor(a, device).flatten() for a in some]
        values, shape, strides = _box(tensors[0], tensors[1], some[0].shape, data_range, window)
        return start, values.as_strided(shape, strides).cpu().numpy()

    starts = range(0, x.shape[0] - window[0] + 1, rows)
    if device != "cpu":
        yield from map(part, starts)
        return
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(part, starts)


def _box(
    x: Array, y: Array, shape: tuple[int, ...], data_range: float, window: Sequence[int]
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """The SSIM of the uniform window wherever it fits in volumes given flat.

    Returns:
        A flat array, and the shape and strides (in voxels) of the values in it: the sums also ran over the ends
        of rows, and what they gave there is left out.
    """
    count = math.prod(window)
    strides = (shape[1] * shape[2], shape[2], 1)

    def mean(values: Array) -> Array:
        for width, stride in zip(reversed(window), reversed(strides), strict=True):
            values = window_sum(values, width, stride)
        return values * (1 / count)

    luminance, structure = _terms(x, y, mean, data_range, count / max(count - 1, 1))
    luminance *= structure
    return luminance, tuple(n - w + 1 for n, w in zip(shape, window, strict=True)), strides


def _gaussian_terms(x: Tensor, y: Tensor, data_range: float) -> tuple[Tensor, Tensor]:
    """Luminance and structure with the Gaussian window, borders reflected, shape of x (k, j, i)."""
    kernels = {n: gaussian(min(GAUSSIAN_LENGTH, 2 * n - 1), GAUSSIAN_SIGMA) for n in x.shape}
    matrices = [bands(kernels[n], (n,), "reflected", x)[0] for n in x.shape]
    return _terms(x, y, lambda values: apply_separable(values, matrices), data_range, 1.0)


def _terms(x: Array, y: Array, mean: Callable[[Array], Array], data_range: float, sample: float) -> tuple[Array, Array]:
    """Luminance and structure from the window's means; ``sample`` turns mean squares into sample variances.

    Moments are taken about the overall mean: those of a CT stored around 1000 would drown in rounding.
    """
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    moments = []
    for part in (x + y, x - y):
        centre = part.mean()
        part -= centre
        average = mean(part)
        part *= part
        variance = mean(part)
        variance -= average * average
        variance *= sample
        average += centre
        moments += [average, variance]
    mu, both, mv, apart = moments
    both += apart
    both *= 0.5
    both += c2
    apart /= both
    mv *= mv
    mu *= mu
    mu += mv
    mu *= 0.5
    mu += c1
    mv /= mu
    return 1 - mv, 1 - apart


def _inside(values: Tensor) -> Tensor:
    """The part of a map (k, j, i) where the Gaussian window lies inside; axes of one voxel are kept whole."""
    r = GAUSSIAN_LENGTH // 2
    return values[tuple(slice(None) if n == 1 else slice(r, n - r) for n in values.shape)]


def _tensor(array: np.ndarray, device: str) -> Tensor:
    """A float32 copy of an array on the device."""
    return torch.from_numpy(np.array(array, dtype=np.float32)).to(device)
