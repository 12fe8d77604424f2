"""Putting an image on the grid of another, through a displacement field where the two are bent against each other."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from MedSRLib.grids import Grid

_SPLINE_SUPPORT = 4
_EDGE_TOLERANCE = 1e-6
_MOST_POINTS = 5000


def onto(grid: Grid, image: sitk.Image, field: sitk.Image | None = None, *, nearest: bool = False) -> sitk.Image:
    """The image on a grid, by cubic B-spline (linearly where it is thinner than four voxels).

    Args:
        grid: the wanted grid.
        image: 3D, float32.
        field: displacement vectors (LPS, mm): a point p of the grid shows what lies at p + field(p) of the image.
        nearest: by nearest neighbour, for labels and to show voxels as they are; 0 outside the image.

    Returns:
        Positions outside the image take its border values, unless ``nearest``.
    """
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(grid.size)
    resampler.SetOutputSpacing(grid.spacing)
    resampler.SetOutputOrigin(grid.origin)
    resampler.SetOutputDirection(grid.direction)
    resampler.SetInterpolator(sitk.sitkNearestNeighbor if nearest else _interpolator(image))
    resampler.SetUseNearestNeighborExtrapolator(not nearest)
    resampler.SetDefaultPixelValue(0)
    if field is not None:
        resampler.SetTransform(_transform(field))
    return resampler.Execute(image)


def interpolator_name(image: sitk.Image) -> str:
    """What `onto` does with an image, in words."""
    return "linear" if _interpolator(image) == sitk.sitkLinear else "cubic B-spline"


def coverage(mask: np.ndarray, grid: Grid, image: sitk.Image, field: sitk.Image | None = None) -> float:
    """The share of a mask's voxels (bool, (k, j, i), on the grid) that lie in the image's field of view.

    Through a field, at most 5000 voxels spread evenly over the mask are asked.
    """
    voxels = np.argwhere(mask)[:, ::-1]
    if field is not None:
        voxels = voxels[:: max(1, len(voxels) // _MOST_POINTS)]
    points = grid.physical(voxels)
    if field is not None:
        transform = _transform(field)
        points = np.array([transform.TransformPoint(point) for point in points.tolist()])
    index = Grid.of(image).index(points)
    inside = (index >= -0.5 - _EDGE_TOLERANCE) & (index <= np.array(image.GetSize()) - 0.5 + _EDGE_TOLERANCE)
    return float(inside.all(axis=1).mean())


def _interpolator(image: sitk.Image) -> int:
    return int(sitk.sitkLinear if min(image.GetSize()) < _SPLINE_SUPPORT else sitk.sitkBSpline)


def _transform(field: sitk.Image) -> sitk.Transform:
    # The transform takes the memory of the image it is given.
    return sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
