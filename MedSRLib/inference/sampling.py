"""Separable interpolation: one small matrix per axis, applied as three matrix products.

A value at position p of an axis with n samples is a weighted sum of them, ``Σ_i w(p, i) x_i``. On a regular
output grid the three axes separate, so a volume is resampled by three matrices (n' × n) whose rows hold the
weights: exact, fast, differentiable, and its transpose is the exact adjoint.

The samples are continued beyond both ends by point reflection, ``x[-m] = 2 x[0] - x[m]``: constants and
linear ramps then stay what they are up to the border voxels' centres (for the cubic B-spline this is the
natural spline). Positions beyond the border voxels' centres take the border voxels' values.

    nearest   the nearer sample; half-way, the one with the higher index
    linear    the two neighbours
    cubic     Keys' kernel, a = -1/2, four neighbours
    bspline   the cubic B-spline through the samples (prefilter included: the matrix is dense)
    lanczos   sinc windowed by a sinc of radius 5, ten neighbours

References: R. Keys, IEEE Trans. ASSP 29(6), 1981, doi:10.1109/TASSP.1981.1163711; M. Unser, IEEE Signal
Processing Magazine 16(6), 1999, doi:10.1109/79.799930; C. Duchon, J. Appl. Meteorol. 18, 1979.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from MedSRLib.errors import GridError, OptionError
from MedSRLib.grids import Grid, relate

if TYPE_CHECKING:
    import torch

KINDS = ("nearest", "linear", "cubic", "bspline", "lanczos")
LANCZOS_RADIUS = 5

# The weights of a spline fall off as 0.27^distance, down to denormal numbers that stall processors.
_NEGLIGIBLE = 1e-16
_TIE = 1e-9  # half-way positions that rounding put a little below half-way

Extension = Literal["odd", "even", "edge", "symmetric"]
_EXTENSIONS: dict[str, dict[str, str]] = {
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect", "reflect_type": "even"},
    "edge": {"mode": "edge"},
    "symmetric": {"mode": "symmetric"},
}


def interpolation_matrix(
    kind: str,
    size: int,
    positions: np.ndarray,
    *,
    padding: Literal["border", "zeros"] = "border",
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """The weights that give the values at ``positions`` from ``size`` samples, shape (len(positions), size).

    Args:
        kind: one of `KINDS`.
        size: number of samples along the axis.
        positions: continuous sample indices, shape (m,).
        padding: "border" takes the border voxel's value outside; "zeros" (linear only) treats samples
            outside as 0, as `grid_sample` does.
        dtype: of the tensor, float32 by default.

    Raises:
        OptionError: for an unknown kind, or zeros with another kind than linear.
    """
    import torch

    if padding == "zeros" and kind != "linear":
        raise OptionError(f"The interpolation '{kind}' has no zeros padding.", "", "Use linear.")
    matrix = _zero_padded_linear(size, positions) if padding == "zeros" else weights(kind, size, positions)
    return torch.from_numpy(matrix).to(dtype or torch.float32)


def weights(kind: str, size: int, positions: np.ndarray) -> np.ndarray:
    """`interpolation_matrix` with border padding as a float64 array, shape (len(positions), size).

    Raises:
        OptionError: for an unknown kind.
    """
    p = np.clip(np.asarray(positions, dtype=np.float64), 0, size - 1)
    if kind == "nearest":
        return np.eye(size)[np.minimum(np.floor(p + 0.5 + _TIE).astype(int), size - 1)]
    if kind == "linear":
        return kernel_matrix(size, p, _hat, radius=1)
    if kind == "cubic":
        return kernel_matrix(size, p, _keys, radius=2)
    if kind == "bspline":
        return bspline_matrix(size, p)
    if kind == "lanczos":
        return kernel_matrix(size, p, _lanczos, radius=LANCZOS_RADIUS, unbiased=True)
    raise OptionError(f"There is no interpolation '{kind}'.", "", f"Use one of: {', '.join(KINDS)}.")


def bspline_matrix(size: int, positions: np.ndarray, extension: Extension = "odd") -> np.ndarray:
    """Cubic B-spline interpolation: ``B(p) B(0..n-1)⁻¹``, with B the matrix of B-spline values.

    "odd" is the natural spline, "even" the mirrored one of scipy.ndimage and ITK.
    """
    values = kernel_matrix(size, positions, _bspline, radius=2, extension=extension)
    at_samples = kernel_matrix(size, np.arange(size, dtype=np.float64), _bspline, radius=2, extension=extension)
    matrix = np.linalg.solve(at_samples.T, values.T).T
    matrix[np.abs(matrix) < _NEGLIGIBLE] = 0.0
    return matrix


def kernel_matrix(
    size: int,
    positions: np.ndarray,
    kernel: Callable[[np.ndarray], np.ndarray],
    *,
    radius: int,
    extension: Extension = "odd",
    unbiased: bool = False,
) -> np.ndarray:
    """Rows of ``kernel(i - p)`` over the 2·radius samples around each position, shape (m, size).

    Args:
        size: number of samples.
        positions: continuous indices, shape (m,).
        kernel: weight as a function of the signed distance in samples.
        radius: half-width of the kernel's support, in samples.
        extension: how the samples go on beyond the ends.
        unbiased: normalise each row to sum 1 and mean position p, by shifting what is missing of the mean
            between the two samples next to p.
    """
    first = np.floor(positions).astype(int)
    taps = first[:, None] + np.arange(1 - radius, radius + 1)
    offsets = taps - np.asarray(positions)[:, None]
    rows = kernel(offsets)
    if unbiased:
        rows = rows / rows.sum(axis=1, keepdims=True)
        bias = (rows * offsets).sum(axis=1)
        rows[:, radius - 1] += bias
        rows[:, radius] -= bias
    margin = max(0, -int(taps.min()), int(taps.max()) - size + 1) if taps.size else 0
    extended = np.zeros((len(first), size + 2 * margin))
    extended[np.arange(len(first))[:, None], taps + margin] = rows
    if margin == 0:
        return extended
    pad = ((margin, margin), (0, 0))
    return extended @ np.pad(np.eye(size), pad, **_EXTENSIONS[extension])  # type: ignore[call-overload]


def apply_separable(volume: torch.Tensor, matrices: Sequence[torch.Tensor]) -> torch.Tensor:
    """The volume (..., k, j, i) resampled along its last three axes, shape (..., k', j', i').

    ``out = (M_k ⊗ M_j ⊗ M_i) volume``. The axes are taken in the order that costs the fewest products;
    an axis whose matrix is the identity is left alone.

    Args:
        volume: any floating type and device.
        matrices: M_k (k', k), M_j (j', j), M_i (i', i), of the volume's type and device.
    """
    axes = [axis for axis in range(3) if not _is_identity(matrices[axis])]
    shape = tuple(volume.shape[-3:])
    for axis in min(itertools.permutations(axes), key=lambda order: _cost(order, shape, matrices)):
        volume = _apply(volume, matrices[axis], axis)
    return volume


def interpolate(values: torch.Tensor, source: Grid, target: Grid, kind: str) -> torch.Tensor:
    """The tensor (..., k, j, i) on the source grid interpolated on the target grid.

    Raises:
        GridError: if the grids' directions differ.
        OptionError: for an unknown kind.
    """
    along = relate(target, source)
    if along is None:
        raise GridError(
            "The wanted grid has other directions than the image.",
            "Separable interpolation works along the image's own axes.",
            "Use `upscaling.upscale`, which resamples to any grid.",
        )
    matrices = [
        interpolation_matrix(kind, size, positions).to(values)
        for size, positions in zip(source.shape, along.positions(target), strict=True)
    ]
    return apply_separable(values, matrices)


def _apply(volume: torch.Tensor, matrix: torch.Tensor, axis: int) -> torch.Tensor:
    """The product along one of the last three axes, each as a plain matrix product without copies."""
    *lead, k, j, i = volume.shape
    if axis == 2:
        return (volume.reshape(-1, i) @ matrix.T).reshape(*lead, k, j, -1)
    if axis == 1:
        slabs = volume.reshape(-1, j, i)
        return matrix.expand(len(slabs), *matrix.shape).bmm(slabs).reshape(*lead, k, -1, i)
    slabs = volume.reshape(-1, k, j * i)
    return matrix.expand(len(slabs), *matrix.shape).bmm(slabs).reshape(*lead, -1, j, i)


def _cost(order: Sequence[int], shape: tuple[int, ...], matrices: Sequence[torch.Tensor]) -> int:
    sizes, cost = list(shape), 0
    for axis in order:
        cost += math.prod(sizes) * matrices[axis].shape[0]
        sizes[axis] = matrices[axis].shape[0]
    return cost


def _is_identity(matrix: torch.Tensor) -> bool:
    rows, columns = matrix.shape
    return rows == columns and bool((matrix.diagonal() == 1).all()) and int(matrix.count_nonzero()) == rows


def _zero_padded_linear(size: int, positions: np.ndarray) -> np.ndarray:
    return _hat(np.arange(size) - np.asarray(positions, dtype=np.float64)[:, None])


def _hat(t: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1.0 - np.abs(t))


def _keys(t: np.ndarray) -> np.ndarray:
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def _bspline(t: np.ndarray) -> np.ndarray:
    t = np.abs(t)
    return np.where(t <= 1, 2 / 3 - t * t * (1 - t / 2), np.where(t < 2, (2 - t) ** 3 / 6, 0.0))


def _lanczos(t: np.ndarray) -> np.ndarray:
    return np.where(np.abs(t) < LANCZOS_RADIUS, np.sinc(t) * np.sinc(t / LANCZOS_RADIUS), 0.0)
