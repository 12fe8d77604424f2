"""Visual information fidelity in the pixel domain (VIFp), for batches of slices.

    VIF = Σ log10(1 + g² σx² / (σv² + σn²)) / Σ log10(1 + σx² / σn²)
    g = σxy / σx²,   σv² = σy² - g σxy,   σn² = 2

summed over all windows and four scales (Sheikh and Bovik 2006, doi:10.1109/TIP.2005.859378; the pixel variant is
theirs too). The window of scale s = 1 ... 4 is Gaussian, N = 2^(5-s) + 1 pixels long (17, 9, 5, 3) with σ = N / 5;
from the second scale on the pictures are first smoothed with it and every second pixel is kept. Only windows
inside the picture count. σn² assumes intensities from 0 to 255.

Where the reference has no variance there is no information to lose: such a window adds nothing to either sum.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.evaluation.windows import bands, gaussian
from MedSRLib.inference.sampling import apply_separable

SMALLEST = 41
"""Pixels a picture needs along each side, for one window at the coarsest scale."""

NOISE_VARIANCE = 2.0
_NO_VARIANCE = 1e-10


def vif(reference: Tensor, image: Tensor) -> Tensor:
    """VIFp of each pair of slices: 1 for identical ones, above 1 where contrast was added.

    Args:
        reference, image: (n, j, i), intensities from 0 to 255, sides of at least `SMALLEST` pixels.

    Returns:
        (n,), float64; NaN where the reference slice is constant, as it holds no information.
    """
    kept, whole = information(reference, image)
    return torch.where(whole > 0, kept / whole, torch.nan)


def information(reference: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """The numerator and the denominator of `vif`, each (n,): summed over slices they give one VIF for a volume."""
    x, y = reference.double(), image.double()
    kept, whole = torch.zeros_like(x[:, 0, 0]), torch.zeros_like(x[:, 0, 0])
    for scale in range(4):
        length = 2 ** (4 - scale) + 1
        if scale:
            x, y = (_smoothed(values, length)[:, ::2, ::2].contiguous() for values in (x, y))
        one, both = _information(x, y, length)
        kept, whole = kept + one, whole + both
    return kept, whole


def _information(x: Tensor, y: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The two sums of one scale, each (n,): information in the image, and in the reference."""
    mx, my = _smoothed(x, length), _smoothed(y, length)
    variance_x = (_smoothed(x * x, length) - mx * mx).clamp_(min=0)
    variance_y = (_smoothed(y * y, length) - my * my).clamp_(min=0)
    covariance = _smoothed(x * y, length) - mx * my
    flat_x, flat_y = variance_x < _NO_VARIANCE, variance_y < _NO_VARIANCE
    gain = covariance / (variance_x + _NO_VARIANCE)
    noise = variance_y - gain * covariance
    # What the image does not take from the reference is noise: all of it where one is flat or they are opposed.
    alone = flat_x | (gain < 0)
    gain = gain.masked_fill(alone | flat_y, 0.0)
    noise = torch.where(alone, variance_y, noise).masked_fill(flat_y, 0.0).clamp(min=_NO_VARIANCE)
    variance_x = variance_x.masked_fill(flat_x, 0.0)
    kept = torch.log10(1 + gain * gain * variance_x / (noise + NOISE_VARIANCE))
    whole = torch.log10(1 + variance_x / NOISE_VARIANCE)
    return kept.sum(dim=(1, 2)), whole.sum(dim=(1, 2))


def _smoothed(values: Tensor, length: int) -> Tensor:
    """The Gaussian means of slices (n, j, i) over all windows inside them."""
    along_j, along_i = bands(gaussian(length, length / 5), tuple(values.shape[1:]), "valid", values)
    return apply_separable(values, [torch.eye(len(values)).to(values), along_j, along_i])
