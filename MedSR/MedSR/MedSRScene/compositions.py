"""Two volumes in one: a checkerboard or a wipe of volumes that lie on the same grid, redone in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from MedSRScene import derived, places
from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
"""Side of the patient towards which a wipe goes: RAS axis, sign."""

_MADE = "MedSR.composition"


def checkerboard(
    a: vtkMRMLScalarVolumeNode,
    b: vtkMRMLScalarVolumeNode,
    cells: int = 8,
    output: vtkMRMLScalarVolumeNode | None = None,
) -> vtkMRMLScalarVolumeNode:
    """Fields of two volumes in turn; the first voxel belongs to ``a``.

    Args:
        a, b: on one grid, under one transform (see `compare_run`).
        cells: fields along the longest side of the field of view; they are cubes in mm.
        output: a node that was made here before, filled again.

    Raises:
        SceneError: if the grids differ.
    """
    first, second, mixed, node = _prepared(a, b, output)
    extent = np.array(first.shape[::-1]) * a.GetSpacing()
    edge = extent.max() / max(1, cells)
    k, j, i = (_turns(n, edge / size) for n, size in zip(first.shape, a.GetSpacing()[::-1], strict=True))
    plane = j[:, None] ^ i
    for number, turn in enumerate(k):
        mixed[number] = first[number]
        np.copyto(mixed[number], second[number], where=plane ^ turn)
    return _done(node, a, b, f"checkerboard {cells}")


def wipe(
    a: vtkMRMLScalarVolumeNode,
    b: vtkMRMLScalarVolumeNode,
    position: float = 0.5,
    axis: str = "L",
    output: vtkMRMLScalarVolumeNode | None = None,
) -> vtkMRMLScalarVolumeNode:
    """``a`` up to a cut through the volume, ``b`` beyond it.

    Args:
        a, b: on one grid, under one transform (see `compare_run`).
        position: of the cut, 0 (all is ``b``) to 1 (all is ``a``).
        axis: "R", "L", "A", "P", "S" or "I", the side of the patient towards which the cut moves; "L" is from left
            to right on an axial or coronal view. The cut is a plane of the grid nearest to it.
        output: a node that was made here before; only what changes is copied.

    Raises:
        SceneError: if the grids differ.
    """
    first, second, mixed, node = _prepared(a, b, output)
    number, forward = _gridAxis(a, axis)
    n = first.shape[2 - number]
    cut = round(min(max(position, 0.0), 1.0) * n)
    cut = cut if forward else n - cut
    what = f"wipe {number} {forward}"
    before = _cutBefore(node, a, b, what)
    parts = [(first, slice(0, cut), forward), (second, slice(0, cut), not forward)]
    parts += [(second, slice(cut, n), forward), (first, slice(cut, n), not forward)]
    for source, part, wanted in parts:
        if before is not None:
            low, high = sorted((before, cut))
            part = slice(max(part.start, low), min(part.stop, high))
        if wanted and part.start < part.stop:
            where = tuple(part if axis_ == 2 - number else slice(None) for axis_ in range(3))
            mixed[where] = source[where]
    return _done(node, a, b, f"{what} {cut}")


def _prepared(
    a: vtkMRMLScalarVolumeNode, b: vtkMRMLScalarVolumeNode, output: vtkMRMLScalarVolumeNode | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, vtkMRMLScalarVolumeNode]:
    """The voxels of both and of the output (k, j, i), and the output; it has the grid and looks of ``a``."""
    first, second = places.voxels(a), places.voxels(b)
    sameGrid = first.shape == second.shape and np.allclose(places.ijkToRAS(a), places.ijkToRAS(b), atol=1e-4)
    if not sameGrid or a.GetTransformNodeID() != b.GetTransformNodeID():
        raise SceneError(
            _("'{first}' and '{second}' are not on one grid. Compare them first.").format(
                first=a.GetName(), second=b.GetName()
            )
        )
    if first.ndim != 3 or second.ndim != 3:
        raise SceneError(_("Volumes with several numbers a voxel cannot be composed."))
    node = output or a.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", "MedSR composition")
    dtype = np.result_type(first.dtype, second.dtype)
    data = node.GetImageData()
    if data is None or data.GetExtent() != a.GetImageData().GetExtent() or places.voxels(node).dtype != dtype:
        data = vtk.vtkImageData()
        data.SetExtent(a.GetImageData().GetExtent())
        data.AllocateScalars(get_vtk_array_type(dtype), 1)
        node.SetAndObserveImageData(data)
        node.RemoveAttribute(_MADE)
    _likeA(node, a)
    return first, second, vtk_to_numpy(data.GetPointData().GetScalars()).reshape(first.shape), node


def _likeA(node: vtkMRMLScalarVolumeNode, a: vtkMRMLScalarVolumeNode) -> None:
    if not np.array_equal(places.ijkToRAS(node), places.ijkToRAS(a)):
        matrix = vtk.vtkMatrix4x4()
        a.GetIJKToRASMatrix(matrix)
        node.SetIJKToRASMatrix(matrix)
    if node.GetTransformNodeID() != a.GetTransformNodeID():
        node.SetAndObserveTransformNodeID(a.GetTransformNodeID())
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    mine, theirs = node.GetDisplayNode(), a.GetDisplayNode()
    derived.mark(node)
    if theirs is not None:
        modifying = mine.StartModify()
        mine.AutoWindowLevelOff()
        mine.SetWindowLevel(theirs.GetWindow(), theirs.GetLevel())
        mine.SetAndObserveColorNodeID(theirs.GetColorNodeID())
        mine.SetInterpolate(theirs.GetInterpolate())
        mine.EndModify(modifying)


def _turns(count: int, edge: float) -> np.ndarray:
    """Whose turn each of ``count`` voxels is (False, True, ...), in parts of about ``edge`` voxels, at least one."""
    parts = max(1, min(count, round(count / edge)))
    return np.arange(count) * parts // count % 2 == 1


def _gridAxis(node: vtkMRMLScalarVolumeNode, axis: str) -> tuple[int, bool]:
    """The grid axis (i, j, k as 0, 1, 2) nearest to a side of the patient, and whether its index grows towards it."""
    patient, sign = AXES[axis]
    size = np.array(node.GetImageData().GetDimensions())
    centre = places.firstIndex(node) + (size - 1) / 2
    points = places.world(np.vstack([centre, centre + np.eye(3)]), node)
    steps = points[1:] - points[0]
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    number = int(np.abs(steps[:, patient]).argmax())
    return number, bool(steps[number, patient] * sign > 0)


def _identity(a: vtkMRMLScalarVolumeNode, b: vtkMRMLScalarVolumeNode) -> str:
    """Changes when the voxels of one of both do."""
    return " ".join(f"{node.GetID()}@{node.GetImageData().GetPointData().GetScalars().GetMTime()}" for node in (a, b))


def _cutBefore(
    node: vtkMRMLScalarVolumeNode, a: vtkMRMLScalarVolumeNode, b: vtkMRMLScalarVolumeNode, what: str
) -> int | None:
    """Where the cut was, if the node holds a wipe of the same voxels along the same axis."""
    start = f"{_identity(a, b)} {what} "
    made = node.GetAttribute(_MADE) or ""
    return int(made[len(start) :]) if made.startswith(start) else None


def _done(
    node: vtkMRMLScalarVolumeNode, a: vtkMRMLScalarVolumeNode, b: vtkMRMLScalarVolumeNode, what: str
) -> vtkMRMLScalarVolumeNode:
    node.SetAttribute(_MADE, f"{_identity(a, b)} {what}")
    node.GetImageData().GetPointData().GetScalars().Modified()
    node.GetImageData().Modified()
    return node
