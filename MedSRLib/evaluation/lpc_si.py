"""Local phase coherence sharpness index (LPC-SI), for batches of slices, without a reference.

At a sharp edge the phases of fine and coarse wavelets agree; blur breaks the agreement. After Hassen, Wang and
Salama 2013 (doi:10.1109/TIP.2013.2251643), with log-Gabor responses M_s of three scales s = 1, 3/2, 2
(wavelengths 4 s pixels) in eight orientations o:

    LPC_o = max(0, cos arg(M_1 M_2⁻³ M_3²)),   e_o = max(0, |M_1| - T),   T = mean + 2 std of |M_1|
    map   = Σ_o LPC_o e_o / (Σ_o e_o + 2)
    LPC-SI = Σ_n u_n v_n / Σ_n u_n,   u_n = exp(-(n / (N - 1)) / 10⁻⁴)

with v_0 ≥ v_1 ≥ ... the map's N values without a border of a sixteenth of the shorter side, where T is taken too.

    radial    exp(-ln²(4 s f) / (2 ln² 0.75)) / (1 + (f / 0.45)³⁰), none at f = 0, f in cycles a pixel
    angular   exp(-Δθ² / (2 σ²)), σ = (π / 8) / 1.5, around o π / 8 on one side only, so that M_s is complex

The constant 2 assumes intensities from 0 to 255. Written from the paper; the authors' code is not used.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST = 16
"""Pixels a side needs: the coarsest wavelength is eight."""

_SCALES = (1.0, 1.5, 2.0)
_ORIENTATIONS = 8
_WAVELENGTH = 4.0
_BANDWIDTH = 0.75
_CUTOFF, _ORDER = 0.45, 15
_ANGLE_RATIO = 1.5
_ENERGY_CONSTANT = 2.0
_BETA = 1e-4


def lpc_si(image: Tensor) -> Tensor:
    """LPC-SI of each slice, 0 to 1, the higher the sharper; 0 for a constant slice.

    Args:
        image: (n, j, i), intensities from 0 to 255, sides of at least `SMALLEST` pixels.

    Returns:
        (n,), float64.
    """
    strength = coherence_map(image)
    border = round(min(image.shape[1:]) / 16)
    centre = _centre(strength, border).flatten(1).double()
    ordered = centre.sort(dim=1, descending=True).values
    rank = torch.arange(ordered.shape[1], dtype=torch.float64, device=image.device)
    weight = torch.exp(-rank / max(len(rank) - 1, 1) / _BETA)
    return (ordered * weight).sum(dim=1) / weight.sum()


def coherence_map(image: Tensor) -> Tensor:
    """The strength of local phase coherence at every pixel, (n, j, i), 0 to 1."""
    border = round(min(image.shape[1:]) / 16)
    spectrum = torch.view_as_real(torch.fft.fft2(image))
    radial, angular = _radial(image), _angular(image)
    weighted, energy = torch.zeros_like(image), torch.zeros_like(image)
    for orientation in angular:
        filters = ((ring * orientation)[:, :, None] for ring in radial)
        fine, middle, coarse = (torch.fft.ifft2(torch.view_as_complex(spectrum * f)) for f in filters)
        size = torch.view_as_real(fine).square().sum(dim=-1).sqrt_()
        inner = _centre(size, border).flatten(1)
        threshold = inner.mean(dim=1) + 2 * inner.std(dim=1)
        size -= threshold[:, None, None]
        strong = size > 0
        e = size[strong]
        energy[strong] += e
        weighted[strong] += _coherence(fine[strong], middle[strong], coarse[strong]) * e
    return weighted.div_(energy + _ENERGY_CONSTANT)


def _coherence(fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
    """cos(arg M_1 - 3 arg M_2 + 2 arg M_3), negatives as zero."""
    return torch.cos(fine.angle() - 3 * middle.angle() + 2 * coarse.angle()).clamp_(min=0)


def _radial(image: Tensor) -> list[Tensor]:
    fy, fx = _frequencies(image)
    f = torch.hypot(fy, fx)
    low_pass = 1 / (1 + (f / _CUTOFF) ** (2 * _ORDER))
    width = 2 * torch.log(torch.tensor(_BANDWIDTH, dtype=torch.float64)).square().to(image)
    rings = []
    for scale in _SCALES:
        ring = torch.exp(-torch.log((f * _WAVELENGTH * scale).clamp(min=1e-12)).square() / width) * low_pass
        ring[0, 0] = 0
        rings.append(ring)
    return rings


def _angular(image: Tensor) -> list[Tensor]:
    fy, fx = _frequencies(image)
    theta = torch.atan2(-fy, fx)
    sigma = torch.pi / _ORIENTATIONS / _ANGLE_RATIO
    spreads = []
    for o in range(_ORIENTATIONS):
        apart = (theta - o * torch.pi / _ORIENTATIONS + torch.pi).remainder(2 * torch.pi) - torch.pi
        spreads.append(torch.exp(-apart.square() / (2 * sigma**2)))
    return spreads


def _frequencies(image: Tensor) -> tuple[Tensor, Tensor]:
    """Cycles a pixel along j and along i, shapes (j, 1) and (1, i)."""
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64).to(image) for n in image.shape[1:])
    return rows[:, None], columns[None, :]


def _centre(values: Tensor, border: int) -> Tensor:
    return values[:, border : values.shape[1] - border, border : values.shape[2] - border]
