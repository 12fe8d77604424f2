"""From a grid along the image's axes to any grid in physical space.

Methods only refine along the image's own axes. Where the wanted grid is oblique to the image, or coarser
along an axis, a finer image on the image's axes is made first, with the spacing

    w_a = min(h_a, H_a),   1/H_a² = Σ_b (cos(a, b) / h'_b)²

(h of the image, h' of the wanted grid, H its resolution along the image's axes). That image is then resampled
by cubic B-splines; along axes where it is finer than wanted it is blurred first, by a Gaussian of full width
at half maximum √(H_a² - w_a²), so that nothing aliases.
"""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from MedSRLib import grids, images, intensity
from MedSRLib.acquisition.matrices import FWHM_PER_SIGMA, gaussian_matrix
from MedSRLib.errors import GridError
from MedSRLib.grids import Grid
from MedSRLib.inference.sampling import apply_separable, interpolate

_TOLERANCE = 1e-6
_ITK = {"bspline": sitk.sitkBSpline, "linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}


def working_grid(source: Grid, wanted: Grid) -> Grid:
    """The grid a method is asked for: the wanted one if it only refines, else one along the source's axes.

    Both grids are in canonical order (`images.canonical`).

    Raises:
        GridError: if it would have too many voxels.
    """
    refines = all(w <= h * (1 + _TOLERANCE) for w, h in zip(wanted.spacing, source.spacing, strict=True))
    if refines and grids.relate(wanted, source) is not None:
        return wanted
    finest = np.minimum(source.spacing, _spacing_along(source, wanted))
    return grids.with_spacing(source, [float(h) for h in finest])


def onto(image: sitk.Image, wanted: Grid, kind: str, outside: np.ndarray | None, beyond: float) -> sitk.Image:
    """A float32 image on the wanted grid: `resample` where it is not there yet, and one value outside.

    Args:
        image: 3D, float32.
        wanted: any grid.
        kind: as for `resample`.
        outside: of `outside`, for the grid of what the image was made of.
        beyond: the value of the voxels outside.
    """
    if Grid.of(image) != wanted:
        image = resample(image, wanted, kind, beyond=beyond)
    if outside is None:
        return image
    values = images.to_array(image)
    values[outside] = beyond
    return images.from_array(values, wanted)


def resample(image: sitk.Image, wanted: Grid, kind: str, *, beyond: float) -> sitk.Image:
    """A float32 image on any grid, with antialiasing unless by nearest neighbour.

    Args:
        image: 3D, float32.
        wanted: any grid.
        kind: "bspline"; "linear", which makes no value beyond those there are; or "nearest", which invents none.
        beyond: value of voxels outside the image's field of view (where the directions differ).
    """
    import torch

    source = Grid.of(image)
    values = torch.from_numpy(images.to_array(image))
    if kind != "nearest":
        blur = [values.new_tensor(matrix) for matrix in _antialiasing(source, wanted)]
        values = apply_separable(values, blur)
    if grids.relate(wanted, source) is not None:
        return images.from_array(interpolate(values, source, wanted, kind).numpy(), wanted)
    return sitk.Resample(
        images.from_array(values.numpy(), source),
        wanted.size,
        sitk.Transform(),
        _ITK[kind],
        wanted.origin,
        wanted.spacing,
        wanted.direction,
        beyond,
        sitk.sitkFloat32,
    )


def outside(wanted: Grid, source: Grid) -> np.ndarray | None:
    """Which wanted voxels have centres outside the source's field of view, bool (k, j, i); None if none."""
    last = np.array(wanted.size) - 1
    corners = np.array([(x, y, z) for x in (0, last[0]) for y in (0, last[1]) for z in (0, last[2])])
    if not _beyond(source.index(wanted.physical(corners)).T, source).any():
        return None
    first = source.index(wanted.physical((0.0, 0.0, 0.0)))
    steps = source.index(wanted.physical(np.eye(3))) - first
    x, y = np.arange(wanted.size[0]), np.arange(wanted.size[1])[:, None]
    mask = np.empty(wanted.shape, dtype=bool)
    for z in range(wanted.size[2]):
        index = [first[a] + steps[0, a] * x + steps[1, a] * y + steps[2, a] * z for a in range(3)]
        mask[z] = _beyond(index, source)
    return mask


def shown_on(image: sitk.Image, grid: Grid, normalisation: str) -> np.ndarray:
    """Another image of the same patient on a grid, normalised by what it shows there, float32 (k, j, i).

    Beyond its field of view it has the lowest value that it shows. How a network saw its guides in training is thus how
    it sees them in use.

    Args:
        image: 3D, float32.
        grid: any.
        normalisation: see `intensity.fit`.

    Raises:
        GridError: if it shows no part of the grid's field of view.
    """
    beyond = outside(grid, Grid.of(image))
    if beyond is not None and beyond.all():
        raise GridError(
            "The two images do not overlap.",
            "Their fields of view have no point in common.",
            "Check that both are of one patient and in one coordinate system.",
        )
    values = images.to_array(image)
    if not grid.equals(Grid.of(image)):
        values = images.to_array(resample(image, grid, "bspline", beyond=float(values.min())))
    shown = values if beyond is None else values[~beyond]
    found = intensity.fit(normalisation, shown)
    if beyond is not None:
        values[beyond] = shown.min()
    return found.apply(values)


def _beyond(index: list[np.ndarray] | np.ndarray, grid: Grid) -> np.ndarray:
    """Whether continuous indices, given axis by axis, lie outside the grid's field of view."""
    axes = [(i < -0.5 - _TOLERANCE) | (i > n - 0.5 + _TOLERANCE) for i, n in zip(index, grid.size, strict=True)]
    return axes[0] | axes[1] | axes[2]


def _spacing_along(source: Grid, wanted: Grid) -> np.ndarray:
    """H: the wanted grid's spacing as seen along the source's axes, mm, x, y, z."""
    cosines = source.axes.T @ wanted.axes
    return 1 / np.linalg.norm(cosines / np.array(wanted.spacing), axis=1)


def _antialiasing(source: Grid, wanted: Grid) -> list[np.ndarray]:
    """The blur along k, j, i: a Gaussian where the source is finer than wanted, else the identity."""
    matrices = []
    for size, fine, coarse in zip(source.size, source.spacing, _spacing_along(source, wanted), strict=True):
        if coarse <= fine * (1 + _TOLERANCE):
            matrices.append(np.eye(size))
            continue
        sigma = math.sqrt(coarse**2 - fine**2) / FWHM_PER_SIGMA / fine
        centres = np.arange(size, dtype=np.float64)
        matrices.append(gaussian_matrix(size, centres, sigma, max(1, math.ceil(4 * sigma))))
    return matrices[::-1]
