"""The smooth part of an image, which convolutional filters need not explain.

    low = argmin_l ‖x − l‖² + η ‖∇l‖²,    l̂ = x̂ / (1 + η Σ_a (2 − 2 cos ω_a)),    high = x − low

with forward differences, on the image continued by reflection. Its influence falls to a hundredth within about
5 √η voxels. B. Wohlberg, "Convolutional sparse representations as an image model", ICASSP 2016, on why to split.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from MedSRLib.sparse import spectra
from MedSRLib.sparse.coding import padded, unpadded


def split(images: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """The smooth part of images (n, *size), and what is left.

    Args:
        images: any number of axes after the first.
        strength: η; 0 leaves nothing to the second part.
    """
    margin = [math.ceil(5 * math.sqrt(strength)) + 1] * (images.ndim - 1)
    large = padded(images, margin)
    size = large.shape[1:]
    gain = 1 / (1 + strength * _roughness(tuple(size), large))
    low = unpadded(spectra.inverse(spectra.forward(large, len(size)) * gain, size), margin)
    return low, images - low


def _roughness(size: tuple[int, ...], like: Tensor) -> Tensor:
    """Σ_a (2 − 2 cos ω_a) on the half spectrum of a grid."""
    total = like.new_zeros(())
    for axis, n in enumerate(size):
        last = axis == len(size) - 1
        omega = 2 * math.pi * (torch.fft.rfftfreq(n) if last else torch.fft.fftfreq(n)).to(like)
        total = total + (2 - 2 * omega.cos()).view(-1, *[1] * (len(size) - 1 - axis))
    return total
