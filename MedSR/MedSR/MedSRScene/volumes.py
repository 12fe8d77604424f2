"""Volume nodes to images and back, with the geometry exact.

MRML counts in RAS, ITK in LPS: the signs of the first two rows change, and nothing else. An image is in the
coordinates of its node: parent transforms are not applied, so a result gets the parent of what it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene, vtkMRMLVolumeNode

ATTRIBUTE_PREFIX = "MedSR."

_LPS = np.array([-1.0, -1.0, 1.0])
_RIGHT_ANGLE_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Voxels:
    """Voxels and geometry (LPS) ready to be given to a node; made in a thread, so that the scene need not wait."""

    scalars: vtk.vtkDataArray
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> Voxels:
        """Of an image, copied once.

        Raises:
            SceneError: if the image is not 3D, or has several numbers a voxel.
        """
        if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
            raise SceneError(_("Only a 3D image with one number a voxel can be shown as a scalar volume."))
        values = sitk.GetArrayViewFromImage(image).ravel()
        scalars = vtk.vtkDataArray.CreateDataArray(get_vtk_array_type(values.dtype))
        scalars.SetNumberOfValues(values.size)
        np.copyto(vtk_to_numpy(scalars), values)  # numpy lets other threads run meanwhile, VTK's own copy does not
        return cls(scalars, image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @classmethod
    def read(cls, path: Path) -> Voxels:
        """Of a file; may be called in a thread."""
        return cls.of(sitk.ReadImage(str(path)))


def image_of(node: vtkMRMLVolumeNode) -> sitk.Image:
    """The voxels of a volume node as an image of the same type, in the node's own coordinates (LPS).

    Raises:
        SceneError: if the node holds no voxels.
    """
    data = node.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None or 0 in data.GetDimensions():
        raise SceneError(
            _("The volume '{name}' holds no image. Choose one that is loaded.").format(name=node.GetName())
        )
    scalars = data.GetPointData().GetScalars()
    components = scalars.GetNumberOfComponents()
    shape = data.GetDimensions()[::-1] + ((components,) if components > 1 else ())
    image = sitk.GetImageFromArray(vtk_to_numpy(scalars).reshape(shape), isVector=components > 1)
    directions = np.zeros((3, 3))
    node.GetIJKToRASDirections(directions)
    image.SetSpacing(node.GetSpacing())
    image.SetDirection((directions * _LPS[:, None]).ravel().tolist())
    image.SetOrigin(_first_voxel(node, data.GetExtent()))
    return image


def image_within(node: vtkMRMLVolumeNode, other: vtkMRMLVolumeNode) -> sitk.Image:
    """`image_of` a node, in the coordinates of another node that may lie under another parent transform.

    Raises:
        SceneError: as `image_of`; if the transform between them bends or shears the voxels.
    """
    from slicer import vtkMRMLTransformNode

    image = image_of(node)
    source, target = node.GetParentTransformNode(), other.GetParentTransformNode()
    if source is target:
        return image
    between = vtk.vtkMatrix4x4()
    linear = vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(source, target, between)
    matrix = _array(between) * np.outer([*_LPS, 1], [*_LPS, 1])
    columns = matrix[:3, :3] @ np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    spacing = np.linalg.norm(columns, axis=0)
    direction = columns / spacing
    if not linear or np.abs(direction.T @ direction - np.eye(3)).max() > _RIGHT_ANGLE_TOLERANCE:
        raise SceneError(
            _(
                "The grid of '{name}' cannot be used with '{other}': the transform between them bends or shears it. "
                "Harden the transform on it, or choose another volume."
            ).format(name=node.GetName(), other=other.GetName())
        )
    image.SetOrigin((matrix @ [*image.GetOrigin(), 1])[:3].tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetSpacing(spacing.tolist())
    return image


def show(
    image: sitk.Image | Voxels,
    scene: vtkMRMLScene,
    *,
    name: str | None,
    beside: vtkMRMLVolumeNode,
    output: vtkMRMLScalarVolumeNode | None = None,
) -> vtkMRMLScalarVolumeNode:
    """Show an image in the scene: same parent transform, window, level, colours and folder as ``beside``.

    Args:
        image: 3D, one number a voxel, in the coordinates of ``beside``.
        scene: where a new node is added.
        name: of the node; None leaves a given node its own.
        beside: the volume the image was made of.
        output: this node is filled instead of a new one.

    Raises:
        SceneError: if the image is not 3D, or has several numbers a voxel.
    """
    voxels = image if isinstance(image, Voxels) else Voxels.of(image)
    if output is None:
        unique = scene.GenerateUniqueName(name or "MedSR")
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", unique)
    else:
        node = output
    modifying = node.StartModify()
    if output is not None and name is not None:
        node.SetName(name)
    _dress(node, beside)
    _fill(node, voxels)
    node.SetAndObserveTransformNodeID(beside.GetTransformNodeID())
    node.EndModify(modifying)
    _place(node, beside, scene)
    return node


def record(node: vtkMRMLVolumeNode, provenance: Mapping[str, Any]) -> None:
    """Write where a node came from into its attributes "MedSR.<key>", in place of what they said before.

    Text stays as it is, other values are written as JSON; None is left out.
    """
    for attribute in node.GetAttributeNames() or ():
        if attribute.startswith(ATTRIBUTE_PREFIX):
            node.RemoveAttribute(attribute)
    for key, value in provenance.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            node.SetAttribute(ATTRIBUTE_PREFIX + key, text)


def _first_voxel(node: vtkMRMLVolumeNode, extent: tuple[int, ...]) -> list[float]:
    """Position (LPS) of the first stored voxel; its index is not 0 where the image data are a part of a whole."""
    if extent[::2] == (0, 0, 0):
        return (np.array(node.GetOrigin()) * _LPS).tolist()
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return (_LPS * (_array(matrix) @ [*extent[::2], 1])[:3]).tolist()


def _fill(node: vtkMRMLScalarVolumeNode, voxels: Voxels) -> None:
    """Give the node voxels, not copied, and their geometry."""
    data = vtk.vtkImageData()
    data.SetDimensions(voxels.size)
    data.GetPointData().SetScalars(voxels.scalars)
    directions = np.reshape(voxels.direction, (3, 3)) * _LPS[:, None]
    node.SetIJKToRASDirections(directions.tolist())
    node.SetSpacing(voxels.spacing)
    node.SetOrigin((_LPS * voxels.origin).tolist())
    node.SetAndObserveImageData(data)


def _dress(node: vtkMRMLScalarVolumeNode, beside: vtkMRMLVolumeNode) -> None:
    """Let both look alike; a node that has its window before its voxels need not look through them for one."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    mine, theirs = node.GetDisplayNode(), beside.GetDisplayNode()
    if mine is None or theirs is None or not theirs.IsA("vtkMRMLScalarVolumeDisplayNode"):
        return
    modifying = mine.StartModify()
    mine.AutoWindowLevelOff()
    mine.SetWindowLevel(theirs.GetWindow(), theirs.GetLevel())
    mine.SetAndObserveColorNodeID(theirs.GetColorNodeID())
    mine.SetInterpolate(theirs.GetInterpolate())
    mine.EndModify(modifying)


def _place(node: vtkMRMLScalarVolumeNode, beside: vtkMRMLVolumeNode, scene: vtkMRMLScene) -> None:
    """Put the node into the folder or study of ``beside``, where the scene has one."""
    hierarchy = scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return
    nothing = hierarchy.GetInvalidItemID()
    neighbour = hierarchy.GetItemByDataNode(beside)
    if neighbour == nothing:
        return
    folder = hierarchy.GetItemParent(neighbour)
    item = hierarchy.GetItemByDataNode(node)
    if item == nothing:
        hierarchy.CreateItem(folder, node)
    else:
        hierarchy.SetItemParent(item, folder)


def _array(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
