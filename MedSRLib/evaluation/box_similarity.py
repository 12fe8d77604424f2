"""SSIM with a uniform window, on all processor cores without torch, or on a GPU with it.

    SSIM = l · s,   l = (2 μx μy + c1) / (μx² + μy² + c1),   s = (2 σxy + c2) / (σx² + σy² + c2)

with c1 = (0.01 R)², c2 = (0.03 R)², R the data range (Wang et al. 2004, doi:10.1109/TIP.2003.819861). Computed
from the sum u = x + y and the difference v = x - y, because the same numbers are then

    l = 1 - μv² / ((μu² + μv²) / 2 + c1),   s = 1 - σv² / ((σu² + σv²) / 2 + c2):

four moments instead of five, and where the images agree nothing is left to be rounded, so that float32 gives
the values of float64 to 1e-6. The window is 7 × 7 × 7 (or the largest odd size that fits a thin volume), with
sample covariance: scikit-image's value.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", np.ndarray, "Tensor")

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


def _parts(
    x: np.ndarray, y: np.ndarray, data_range: float, window: Sequence[int], device: str
) -> Iterator[tuple[int, np.ndarray]]:
    """The SSIM where the window fits, in slabs along k: the first row of each slab, and its values (k, j, i).

    On a processor NumPy works on whole slabs in threads: threads that share every operation wait for one another,
    and on a busy machine that is most of the time.
    """
    rows = max(1, _SLAB_VOXELS["cpu" if device == "cpu" else "cuda"] // math.prod(x.shape[1:]))

    def part(start: int) -> tuple[int, np.ndarray]:
        some = [np.asarray(a[start : start + rows + window[0] - 1], dtype=np.float32) for a in (x, y)]
        if device == "cpu":
            flat, shape, strides = box(some[0].ravel(), some[1].ravel(), some[0].shape, data_range, window)
            bytes_ = [flat.itemsize * s for s in strides]
            return start, np.lib.stride_tricks.as_strided(flat, shape, bytes_, writeable=False)
        import torch

        tensors = [torch.from_numpy(a.copy()).to(device).flatten() for a in some]
        values, shape, strides = box(tensors[0], tensors[1], some[0].shape, data_range, window)
        return start, values.as_strided(shape, strides).cpu().numpy()

    starts = range(0, x.shape[0] - window[0] + 1, rows)
    if device != "cpu":
        yield from map(part, starts)
        return
    with ThreadPoolExecutor(_threads()) as pool:
        yield from pool.map(part, starts)


def _threads() -> int:
    """As many as torch may use, if it is loaded; else as many as it would."""
    if "torch" in sys.modules:
        return int(sys.modules["torch"].get_num_threads())
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def box(
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

    luminance, structure = terms(x, y, mean, data_range, count / max(count - 1, 1))
    luminance *= structure
    return luminance, tuple(n - w + 1 for n, w in zip(shape, window, strict=True)), strides


def terms(x: Array, y: Array, mean: Callable[[Array], Array], data_range: float, sample: float) -> tuple[Array, Array]:
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


def window_sum(values: Array, width: int, stride: int) -> Array:
    """Sums of ``width`` values that lie ``stride`` apart in a flat array: out[n] = Σ_t values[n + t stride].

    Sums of 1, 2, 4, ... values are made by doubling and put together by the binary digits of ``width``: four
    additions for seven values, each over one contiguous run of memory.

    Returns:
        Flat, shorter by (width - 1) stride; ``values`` itself for a width of one.
    """
    length = len(values) - (width - 1) * stride
    power, terms, done = values, 1, 0
    parts: list[Array] = []
    while True:
        if width & terms:
            parts.append(power[done * stride : done * stride + length])
            done += terms
        if 2 * terms > width:
            break
        power = power[: -terms * stride] + power[terms * stride :]
        terms *= 2
    if len(parts) == 1:
        return parts[0]
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total += part
    return total
