"""Where a comparison looks: a segment or a label map, on the grid of the volume that is the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from MedSRScene import places
from MedSRScene.errors import SceneError
from MedSRScene.frames import Grid, Placed
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLVolumeNode

_MOST_VOXELS = 256
"""Along an axis of a segment that is a surface."""


def placed(mask: Any, segmentID: str | None, frameNode: vtkMRMLVolumeNode) -> Placed:
    """A mask seen from a volume's coordinates.

    Args:
        mask: a label map or other volume (what is not 0 is inside), or a segmentation.
        segmentID: which segment; None for the first.

    Raises:
        SceneError: if the segment is not there or empty, or the volume holds no voxels.
    """
    if not mask.IsA("vtkMRMLSegmentationNode"):
        return Placed.of(mask, frameNode)
    segmentation = mask.GetSegmentation()
    segmentID = segmentID or segmentation.GetNthSegmentID(0)
    segment = segmentation.GetSegment(segmentID) if segmentID else None
    if segment is None:
        raise SceneError(_("The segment is not in '{name}' any more. Choose another.").format(name=mask.GetName()))
    if segmentation.ContainsRepresentation("Binary labelmap"):
        data, matrix = _labels(mask, segmentID)
    else:
        data, matrix = _filled(mask, segmentID, float(Grid.of(frameNode).spacing.min()))
    scalars = data.GetPointData().GetScalars()
    voxels = np.zeros(0) if scalars is None else vtk_to_numpy(scalars)
    if not voxels.any():
        raise SceneError(
            _("The segment '{name}' is empty. Paint it first, or choose another.").format(name=segment.GetName())
        )
    voxels = voxels.reshape(data.GetDimensions()[::-1])
    return Placed.between(voxels, Grid.within(matrix, data), mask.GetParentTransformNode(), frameNode)


def onFrame(mask: Placed) -> sitk.Image:
    """1 inside and 0 outside, uint8, on the frame's grid; needs no node and takes its time."""
    field = mask.displacements()
    transform = sitk.Transform(3, sitk.sitkIdentity) if field is None else sitk.DisplacementFieldTransform(field)
    image = mask.image()
    if image.GetNumberOfComponentsPerPixel() > 1:
        image = sitk.VectorIndexSelectionCast(image, 0)
    inside = sitk.NotEqual(image, 0)
    grid = mask.frame.give(sitk.Image(*[int(n) for n in mask.frame.size], sitk.sitkUInt8))
    return sitk.Resample(inside, grid, transform, sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def voxelCount(image: sitk.Image) -> int:
    """Voxels inside."""
    return int(np.count_nonzero(sitk.GetArrayViewFromImage(image)))


def _labels(mask: vtkMRMLSegmentationNode, segmentID: str) -> tuple[vtk.vtkImageData, np.ndarray]:
    """The segment alone, and its matrix from indices to the node's coordinates (RAS)."""
    import slicer

    data, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
    mask.GetBinaryLabelmapRepresentation(segmentID, data)
    data.GetImageToWorldMatrix(matrix)
    return data, places.array(matrix)


def _filled(mask: vtkMRMLSegmentationNode, segmentID: str, spacing: float) -> tuple[vtk.vtkImageData, np.ndarray]:
    """As `_labels`, of a segment that is a surface; the node gets no labels by it."""
    data, surface = vtk.vtkImageData(), vtk.vtkPolyData()
    mask.GetClosedSurfaceRepresentation(segmentID, surface)
    if surface.GetNumberOfPoints() == 0:
        return data, np.eye(4)
    bounds = np.reshape(surface.GetBounds(), (3, 2))
    spacing = max(spacing, float(np.ptp(bounds, axis=1).max()) / _MOST_VOXELS)
    size = np.ceil(np.ptp(bounds, axis=1) / spacing).astype(int) + 3
    data.SetDimensions(*size.tolist())
    data.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    data.GetPointData().GetScalars().Fill(1)
    matrix = np.diag([spacing, spacing, spacing, 1.0])
    matrix[:3, 3] = bounds[:, 0] - spacing
    data.SetSpacing(spacing, spacing, spacing)
    data.SetOrigin(*matrix[:3, 3].tolist())
    stencil, cut = vtk.vtkPolyDataToImageStencil(), vtk.vtkImageStencil()
    stencil.SetInputData(surface)
    stencil.SetInformationInput(data)
    cut.SetInputData(data)
    cut.SetStencilConnection(stencil.GetOutputPort())
    cut.SetBackgroundValue(0)
    cut.Update()
    return cut.GetOutput(), matrix
