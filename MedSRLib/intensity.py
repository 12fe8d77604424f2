"""Intensity normalisation ``(x - offset) / scale`` and its exact inverse ``x · scale + offset``.

    min-max     offset = min,   scale = max - min              0..1 for the whole volume
    percentile  offset = P1,    scale = P99 - P1               0..1 for nearly all; nothing is clipped
    z-score     offset = mean,  scale = standard deviation
    foreground  offset = P0.1,  scale = median of the patient without the air - P0.1       1 for the middle tissue
    none        offset = 0,     scale = 1

Nothing is ever clipped, so that every volume comes back as it was. P1 and P99 are percentiles; where they
are equal (a small organ in an empty field of view) min-max takes their place. The foreground (`foreground`) does not
depend on how much air is in the field of view. A constant volume has scale 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from MedSRLib.errors import OptionError

if TYPE_CHECKING:
    import torch

SYNTHETIC_UNIT = 100
"""What a synthesised modality has where its training had 1: the input's own scale means nothing there."""

KINDS = ("min-max", "percentile", "z-score", "foreground", "none")

Values = TypeVar("Values", np.ndarray, "torch.Tensor")

_LOWEST_PERCENT, _HIGHEST_PERCENT = 1, 99
_BACKGROUND_PERCENT = 0.1


@dataclass(frozen=True)
class Normalisation:
    """A linear map of intensities.

    Attributes:
        kind: one of `KINDS`.
        offset: intensity that becomes 0.
        scale: intensity difference that becomes 1, positive.
    """

    kind: str
    offset: float
    scale: float

    def apply(self, x: Values) -> Values:
        """``(x - offset) / scale``, for an array or a tensor of any shape and floating type."""
        return (x - self.offset) / self.scale

    def invert(self, x: Values) -> Values:
        """``x · scale + offset``, for an array or a tensor of any shape and floating type."""
        return x * self.scale + self.offset


def fit(kind: str, array: np.ndarray) -> Normalisation:
    """The normalisation of a volume, from its finite values.

    Args:
        kind: one of `KINDS`.
        array: intensities of any shape and type, at least one of them finite (else nothing is changed).

    Raises:
        OptionError: for an unknown kind.
    """
    if kind not in KINDS:
        raise OptionError(f"There is no normalisation '{kind}'.", "", f"Use one of: {', '.join(KINDS)}.")
    finite = np.isfinite(array)
    values = array if finite.all() else array[finite]
    if kind == "none" or values.size == 0:
        return Normalisation(kind, 0.0, 1.0)
    if kind == "z-score":
        return _of(kind, float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64)))
    if kind == "foreground":
        return _of_foreground(array if array.ndim == 3 and finite.all() else None, values)
    low, high = float(values.min()), float(values.max())
    if kind == "percentile":
        p_low, p_high = (float(p) for p in np.percentile(values, (_LOWEST_PERCENT, _HIGHEST_PERCENT)))
        low, high = (p_low, p_high) if p_high > p_low else (low, high)
    return _of(kind, low, high - low)


def _of_foreground(volume: np.ndarray | None, values: np.ndarray) -> Normalisation:
    """Of a volume (k, j, i), or of values without places, of which those above their mean count."""
    from MedSRLib.foreground import foreground

    low = float(np.percentile(values, _BACKGROUND_PERCENT))
    inside = values[values > values.mean()] if volume is None else volume[foreground(volume)]
    if inside.size and np.median(inside) <= low:  # a small crop, whose air is taken for a gap in the patient
        inside = inside[inside > low]
    return _of("foreground", low, float(np.median(inside)) - low if inside.size else 1.0)


def _of(kind: str, offset: float, scale: float) -> Normalisation:
    """With scale 1 where the intensities differ by no more than float32 rounds them."""
    resolution = float(np.finfo(np.float32).eps) * abs(offset) + float(np.finfo(np.float32).tiny)
    return Normalisation(kind, offset, scale if scale > resolution else 1.0)
