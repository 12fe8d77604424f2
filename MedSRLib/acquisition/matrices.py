"""The degradations along one axis, each a matrix of n' acquired by n wanted samples whose rows sum to 1.

With a wanted sample every h mm, acquired samples every h' = k·h mm, and p the position of an acquired sample
in wanted sample indices:

    physical          point spread function around p, as wide as the acquired voxel: a Gaussian with full
                      width at half maximum h', or a box; p cell-aligned (the fields of view are the same)
    slice-profile     the same with a thickness that differs from the separation h' (gap or overlap)
    spline            cubic spline through the samples, no blur; p corner-aligned: (n-1)/(n'-1) apart.
                      This is scipy.ndimage.zoom(x, 1/k, order=3), the degradation of the ArSSR paper
    gaussian-spline   Gaussian, σ = 1 wanted sample, then `spline` (the SRCNN3D family)
    kspace            the n' central frequencies, p cell-aligned (an acquisition with a smaller matrix)
    bicubic-gaussian  Keys' cubic at cell-aligned p, no antialiasing, then the three-tap Gaussian with σ = 1
                      acquired sample
    drop              the samples at p = 0, k, 2k ... as they are, no blur; for a whole k, every k-th slice kept
                      and the others taken away, as Sander et al. (2020) test

An axis that is not coarsened is left alone by all of them. At the borders, weight that falls outside goes to
the border sample (`spline` kinds mirror as scipy does, `kspace` is periodic).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from MedSRLib.errors import OptionError
from MedSRLib.inference.sampling import bspline_matrix, kernel_matrix, weights

KINDS = ("physical", "spline", "gaussian-spline", "kspace", "bicubic-gaussian", "slice-profile", "drop")
DROP = "drop"
CORNER_ALIGNED = ("spline", "gaussian-spline")
WITH_PROFILE = ("physical", "slice-profile")
PROFILES = ("gaussian", "box")

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
_SAME = 1e-6


def acquired_size(kind: str, size: int, scale: float) -> int:
    """How many samples are acquired of ``size`` wanted ones, at least 1.

    Corner-aligned kinds round as scipy.ndimage.zoom does (halves to even), the others as `grids` (halves up);
    `drop` keeps the first sample and all that follow it at whole multiples of the scale.
    """
    if kind == DROP:
        return math.floor((size - 1) / scale + _SAME) + 1
    real = size / scale
    return max(1, round(real) if kind in CORNER_ALIGNED else math.floor(real + 0.5))


@lru_cache(maxsize=256)
def axis_matrix(
    kind: str,
    n_wanted: int,
    n_acquired: int,
    *,
    start: float | None = None,
    step: float | None = None,
    width: float | None = None,
    profile: str = "gaussian",
) -> np.ndarray:
    """The degradation of one axis, float64, shape (n_acquired, n_wanted), read-only.

    Args:
        kind: one of `KINDS`.
        n_wanted: samples of the wanted image along the axis.
        n_acquired: samples of the acquired image.
        start: position of the first acquired sample, in wanted sample indices; by default that of the kind
            (cell-aligned or corner-aligned over the whole axis; the first sample for `drop`).
        step: distance of acquired samples, in wanted samples; by default that of the kind.
        width: full width at half maximum (gaussian) or full width (box) of the point spread function, in
            wanted samples; by default ``step``. Only for the kinds with a profile.
        profile: "gaussian" or "box".

    Raises:
        OptionError: for an unknown kind or profile, or a width that is not positive.
    """
    _check(kind, profile, width)
    default_start, default_step = _alignment(kind, n_wanted, n_acquired)
    first = default_start if start is None else start
    pitch = default_step if step is None else step
    positions = first + pitch * np.arange(n_acquired)
    if pitch <= 1 + _SAME or kind == DROP:
        matrix = weights("linear", n_wanted, _snapped(positions))
    elif kind in WITH_PROFILE:
        matrix = _profile(n_wanted, positions, pitch if width is None else width, profile)
    elif kind == "kspace":
        matrix = _fourier_crop(n_wanted, n_acquired, positions)
    elif kind == "bicubic-gaussian":
        bicubic = weights("cubic", n_wanted, positions)
        matrix = gaussian_matrix(n_acquired, np.arange(n_acquired, dtype=np.float64), 1.0, 1) @ bicubic
    else:
        matrix = bspline_matrix(n_wanted, np.clip(positions, 0, n_wanted - 1), "even")
        if kind == "gaussian-spline":
            matrix = matrix @ _scipy_gaussian(n_wanted)
    matrix.flags.writeable = False
    return matrix


def _check(kind: str, profile: str, width: float | None) -> None:
    if kind not in KINDS:
        raise OptionError(f"There is no degradation '{kind}'.", "", f"Use one of: {', '.join(KINDS)}.")
    if profile not in PROFILES:
        raise OptionError(f"There is no profile '{profile}'.", "", f"Use one of: {', '.join(PROFILES)}.")
    if width is not None and kind not in WITH_PROFILE:
        raise OptionError(f"The degradation '{kind}' has no thickness.", "", f"Use one of: {', '.join(WITH_PROFILE)}.")
    if width is not None and not (math.isfinite(width) and width > 0):
        raise OptionError(f"A thickness of {width} voxels is not positive.", "", "Give a thickness in mm.")


def _alignment(kind: str, n_wanted: int, n_acquired: int) -> tuple[float, float]:
    """Position of the first acquired sample and distance of samples, in wanted sample indices."""
    step = n_wanted / n_acquired
    if kind == DROP:
        return 0.0, float(math.ceil(step))
    if kind in CORNER_ALIGNED and n_acquired > 1:
        return 0.0, (n_wanted - 1) / (n_acquired - 1)
    return (step - 1) / 2, step


def _snapped(positions: np.ndarray) -> np.ndarray:
    """Positions that are whole up to rounding made whole, so that an untouched axis is the identity."""
    whole = np.round(positions)
    return np.where(np.abs(positions - whole) < _SAME, whole, positions)


def _profile(size: int, positions: np.ndarray, width: float, profile: str) -> np.ndarray:
    centres = np.clip(positions, -0.5, size - 0.5)
    if profile == "gaussian":
        sigma = width / FWHM_PER_SIGMA
        return gaussian_matrix(size, centres, sigma, max(1, math.ceil(4 * sigma)))

    def overlap(t: np.ndarray) -> np.ndarray:
        inside = np.minimum(t + 0.5, width / 2) - np.maximum(t - 0.5, -width / 2)
        return np.maximum(0.0, inside) / width

    return kernel_matrix(size, centres, overlap, radius=math.ceil(width / 2 + 0.5) + 1, extension="edge")


def gaussian_matrix(size: int, centres: np.ndarray, sigma: float, radius: int) -> np.ndarray:
    """Rows of Gaussians sampled around the centres, shape (len(centres), size); border weight is folded in.

    Each row has sum 1 and, away from the borders, mean at its centre, so ramps stay ramps; a very narrow
    Gaussian becomes linear interpolation. ``sigma``, ``centres`` and ``radius`` (where the bell is
    cut off) are in samples.
    """

    def kernel(t: np.ndarray) -> np.ndarray:
        nearest = np.abs(t).min(axis=1, keepdims=True)
        bell = np.exp((nearest**2 - t**2) / (2 * sigma**2))
        return np.where(np.abs(t) <= radius, bell, 0.0)

    return kernel_matrix(size, centres, kernel, radius=radius + 1, extension="edge", unbiased=True)


def _scipy_gaussian(size: int) -> np.ndarray:
    """scipy.ndimage.gaussian_filter1d(x, 1.0): nine taps, half-sample symmetric at the borders."""

    def kernel(t: np.ndarray) -> np.ndarray:
        rows = np.where(np.abs(t) <= 4, np.exp(-(t**2) / 2), 0.0)
        return rows / rows.sum(axis=1, keepdims=True)

    return kernel_matrix(size, np.arange(size, dtype=np.float64), kernel, radius=5, extension="symmetric")


def _fourier_crop(n_wanted: int, n_acquired: int, positions: np.ndarray) -> np.ndarray:
    """``1/n Σ_f cos(2π f (p - i) / n)`` over the n' central frequencies; the pair ±n'/2 counts once."""
    frequencies = np.arange(n_acquired // 2 + 1)
    multiplicity = np.where(frequencies == 0, 1.0, 2.0)
    if n_acquired % 2 == 0:
        multiplicity[-1] = 1.0
    offsets = positions[:, None] - np.arange(n_wanted)
    phases = 2 * np.pi / n_wanted * frequencies[:, None, None] * offsets
    return np.tensordot(multiplicity, np.cos(phases), axes=1) / n_wanted
