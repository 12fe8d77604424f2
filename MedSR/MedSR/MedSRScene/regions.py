"""A region of interest as a box of voxels, whatever transforms lie between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk
import vtk

from MedSRScene import places
from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsROINode, vtkMRMLVolumeNode

_LATTICE = 7
"""Points along each edge of the region that are looked up: a bent transform bends its faces too."""

_SLACK = 1e-6
"""Of a voxel: a region that ends between two voxels does not take both for the sake of rounding."""


@dataclass(frozen=True)
class Box:
    """A part of an image: index of its first voxel and size, both along x, y, z, counted from the stored voxels."""

    index: tuple[int, int, int]
    size: tuple[int, int, int]

    def of(self, image: sitk.Image) -> sitk.Image:
        """The part of an image, its voxels where they were."""
        return sitk.RegionOfInterest(image, self.size, self.index)


def box(node: vtkMRMLVolumeNode, roiNode: vtkMRMLMarkupsROINode, marginMm: float = 0.0) -> Box:
    """The smallest box of a volume's voxels that covers a region and a margin around it.

    Args:
        node: the volume.
        roiNode: may be turned, and under other transforms than the volume.
        marginMm: along the volume's axes.

    Raises:
        SceneError: if the region has no size yet, or lies outside the volume.
    """
    indexes = places.indices(_points(roiNode), node)
    margin = marginMm / np.array(node.GetSpacing())
    first = places.firstIndex(node)
    count = np.array(node.GetImageData().GetDimensions())
    # The centre of voxel n lies at n, its edges at n - 0.5 and n + 0.5.
    low = np.floor(indexes.min(axis=0) - margin + 0.5 + _SLACK).astype(int) - first
    high = np.ceil(indexes.max(axis=0) + margin - 0.5 - _SLACK).astype(int) - first
    low, high = np.maximum(low, 0), np.minimum(high, count - 1)
    if (low > high).any():
        raise SceneError(
            _("The region of interest '{region}' lies outside '{volume}'. Move it onto the volume.").format(
                region=roiNode.GetName(), volume=node.GetName()
            )
        )
    x, y, z = (int(n) for n in low)
    i, j, k = (int(n) for n in high - low + 1)
    return Box((x, y, z), (i, j, k))


def _points(roiNode: vtkMRMLMarkupsROINode) -> np.ndarray:
    """A lattice of points all over the region, world, RAS."""
    size = np.array(roiNode.GetSize())
    if not (size > 0).all():
        raise SceneError(
            _("The region of interest '{region}' is empty. Place it in the views first.").format(
                region=roiNode.GetName()
            )
        )
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(roiNode.GetObjectToWorldMatrix())
    steps = np.linspace(-0.5, 0.5, _LATTICE)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3) * size
    toWorld = places.array(matrix)
    return lattice @ toWorld[:3, :3].T + toWorld[:3, 3]
