"""Make of a reference the coarser image that a scanner, or a paper, would have made of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from MedSRLib import grids, images
from MedSRLib.acquisition.matrices import KINDS, WITH_PROFILE
from MedSRLib.acquisition.model import acquired_grid, build
from MedSRLib.acquisition.noise import RicianNoise
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    import SimpleITK as sitk
    import torch

_SAME = 1e-6


def check_kind(kind: str) -> None:
    """Raise `OptionError`, with the nearest name, for a kind of degradation that does not exist."""
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        raise OptionError(f"There is no degradation '{kind}'.", "", f"{hint}Use one of: {', '.join(KINDS)}.")


def degrade(
    image: sitk.Image,
    scale: float | Sequence[float],
    *,
    kind: str = "physical",
    thickness: float | Sequence[float] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> sitk.Image:
    """The image, 3D or 4D, as it would have been acquired ``scale`` times coarser, as float32.

    ``y = rice(A x, σ)`` with σ = ``noise`` times the 99th percentile of x; without noise ``y = A x``.

    Args:
        image: the reference.
        scale: one factor, or three along x, y, z, each a real number >= 1.
        kind: one of `acquisition.KINDS`.
        thickness: slice thickness (FWHM of the point spread) in mm; the acquired spacing if None.
        noise: standard deviation as a fraction of the 99th percentile.
        seed: of the noise.
        progress: told how far the work is, frame by frame.

    Raises:
        InputError: for an image that cannot be used.
        GridError: for an impossible scale.
        OptionError: for an unknown kind, or a thickness the kind cannot use.
    """
    import torch

    check_kind(kind)
    progress = progress or Progress()
    generator = torch.Generator().manual_seed(seed)
    frames = images.frames(image)
    coarse = []
    for number, frame in enumerate(frames):
        reference = images.prepared(frame, progress)
        wanted = Grid.of(reference)
        acquired = acquired_grid(kind, wanted, scale)
        model = build(kind, wanted, acquired, thickness=thickness)
        x = torch.from_numpy(images.to_array(reference))
        y = _with_noise(model.A(x), noise * float(np.percentile(x.numpy(), 99)), generator, progress)
        coarse.append(images.from_array(y.numpy(), acquired))
        if kind in WITH_PROFILE:
            _tell_thickness(coarse[-1], wanted, thickness)
        progress.update((number + 1) / len(frames))
    result = coarse[0] if image.GetDimension() == 3 else images.join(coarse, like=image)
    images.keep_thickness(result, like=coarse[0])
    return result


def _tell_thickness(coarse: sitk.Image, wanted: Grid, thickness: float | Sequence[float] | None) -> None:
    """Let the metadata tell the slice thickness, where the image has slices: one axis that is coarser."""
    axes = [a for a in range(3) if coarse.GetSpacing()[a] > wanted.spacing[a] * (1 + _SAME)]
    if len(axes) == 1:
        widths = coarse.GetSpacing() if thickness is None else grids.as_triple(thickness, "thickness")
        coarse.SetMetaData(images.THICKNESS_KEY, f"{widths[axes[0]]:g}")


def _with_noise(y: torch.Tensor, sigma: float, generator: torch.Generator, progress: Progress) -> torch.Tensor:
    if sigma <= 0:
        return y
    if bool((y < 0).any()):
        progress.warn("Rician noise belongs to magnitude images; the negative intensities here turn positive.")
    return RicianNoise(sigma)(y, generator)
