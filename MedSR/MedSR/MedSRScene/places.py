"""Where things are: points of the patient (RAS, mm, world) to voxels, through every parent transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLTransformNode, vtkMRMLVolumeNode


def voxels(node: vtkMRMLVolumeNode) -> np.ndarray:
    """The voxels of a volume (k, j, i), or (k, j, i, components); the node's own memory.

    Raises:
        SceneError: if the node holds no voxels.
    """
    data = node.GetImageData()
    scalars = None if data is None else data.GetPointData().GetScalars()
    if scalars is None or 0 in data.GetDimensions():
        raise SceneError(
            _("The volume '{name}' holds no image. Choose one that is loaded.").format(name=node.GetName())
        )
    components = scalars.GetNumberOfComponents()
    shape = data.GetDimensions()[::-1] + ((components,) if components > 1 else ())
    return vtk_to_numpy(scalars).reshape(shape)


def ijkToRAS(node: vtkMRMLVolumeNode) -> np.ndarray:
    """Voxel indices to the node's own coordinates, 4 × 4."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return array(matrix)


def indices(points: np.ndarray, node: vtkMRMLVolumeNode) -> np.ndarray:
    """World points (n, 3), RAS, as continuous voxel indices (i, j, k) of a volume.

    Index 0 is the first voxel of the geometry, which image data that are a part of a whole do not hold.
    """
    local = mapped(points, None, node.GetParentTransformNode())
    inverse = np.linalg.inv(ijkToRAS(node))
    return local @ inverse[:3, :3].T + inverse[:3, 3]


def world(indexes: np.ndarray, node: vtkMRMLVolumeNode) -> np.ndarray:
    """Continuous voxel indices (n, 3) as world points, RAS."""
    matrix = ijkToRAS(node)
    local = np.asarray(indexes, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3]
    return mapped(local, node.GetParentTransformNode(), None)


def firstIndex(node: vtkMRMLVolumeNode) -> np.ndarray:
    """Index (i, j, k) of the first voxel that the node holds."""
    return np.array(node.GetImageData().GetExtent()[::2])


def mapped(points: np.ndarray, source: vtkMRMLTransformNode | None, target: vtkMRMLTransformNode | None) -> np.ndarray:
    """Points (n, 3) from below one transform node to below another; None is the world."""
    points = np.asarray(points, dtype=float).reshape(-1, 3)
    if source is target:
        return points
    between = transformBetween(source, target)
    matrix = matrixOf(between)
    return applied(between, points) if matrix is None else points @ matrix[:3, :3].T + matrix[:3, 3]


def transformBetween(
    source: vtkMRMLTransformNode | None, target: vtkMRMLTransformNode | None
) -> vtk.vtkGeneralTransform:
    """The way from below one transform node to below another, linear or not."""
    from slicer import vtkMRMLTransformNode

    between = vtk.vtkGeneralTransform()
    vtkMRMLTransformNode.GetTransformBetweenNodes(source, target, between)
    return between


def detached(transform: vtk.vtkAbstractTransform) -> vtk.vtkGeneralTransform:
    """A transform that no longer follows the nodes it came from; large displacement data are shared, not copied."""
    from slicer import vtkMRMLTransformNode

    parts, own = vtk.vtkCollection(), vtk.vtkGeneralTransform()
    own.PostMultiply()
    vtkMRMLTransformNode.FlattenGeneralTransform(parts, transform)
    for number in range(parts.GetNumberOfItems()):
        part = parts.GetItemAsObject(number)
        part.Update()
        copy = part.MakeTransform()
        copy.DeepCopy(part)
        own.Concatenate(copy)
    return own


def matrixOf(transform: vtk.vtkAbstractTransform) -> np.ndarray | None:
    """The 4 × 4 matrix of a transform; None where it is not linear."""
    from slicer import vtkMRMLTransformNode

    linear = vtk.vtkTransform()  # asking the nodes for a matrix instead would log an error where there is none
    found = vtkMRMLTransformNode.IsGeneralTransformLinear(transform, linear)
    return array(linear.GetMatrix()) if found else None


def applied(transform: vtk.vtkAbstractTransform, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) moved by a transform."""
    before, after = vtk.vtkPoints(), vtk.vtkPoints()
    for each in (before, after):
        each.SetDataTypeToDouble()
    before.SetData(numpy_to_vtk(np.ascontiguousarray(points, dtype=float), deep=True))
    transform.TransformPoints(before, after)
    return vtk_to_numpy(after.GetData()).copy()


def array(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    """A matrix of VTK as an array, 4 × 4."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
