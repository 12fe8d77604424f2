"""Two volumes in turn, as the squares of a checkerboard: where both lie alike, edges go on from square to square.

Both are resampled into one box of the world (RAS), through every parent transform, and shown with their own window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from MedSRScene import compositions, derived, places, windows

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene, vtkMRMLVolumeNode

MOST_VOXELS = 12_000_000
"""Of the box; as many are resampled and composed in less than a second."""

_WHITE = 255.0


@dataclass(frozen=True)
class Box:
    """A box of the world, its sides along R, A and S.

    Attributes:
        size: voxels.
        spacing: mm, the same along all sides.
        origin: RAS of the first voxel.
    """

    size: tuple[int, int, int]
    spacing: float
    origin: tuple[float, float, float]

    @classmethod
    def around(cls, node: vtkMRMLVolumeNode, finest: float) -> Box:
        """All that a volume shows, sampled at ``finest`` mm, or coarser where that were more than `MOST_VOXELS`."""
        bounds = [0.0] * 6
        node.GetRASBounds(bounds)
        extent = np.array(bounds[1::2]) - bounds[::2]
        spacing = max(finest, float(np.prod(extent) / MOST_VOXELS) ** (1 / 3))
        size = np.maximum(np.ceil(extent / spacing), 1).astype(int)
        origin = (np.array(bounds[::2]) + bounds[1::2] - (size - 1) * spacing) / 2
        x, y, z = (float(value) for value in origin)
        i, j, k = (int(count) for count in size)
        return cls((i, j, k), spacing, (x, y, z))

    @property
    def matrix(self) -> np.ndarray:
        """From voxel indices to RAS, 4 × 4."""
        found = np.diag([self.spacing, self.spacing, self.spacing, 1.0])
        found[:3, 3] = self.origin
        return found


class Checkerboard:
    """The nodes of one checkerboard; they are marked as derived, and `remove` takes them out of the scene.

    Args:
        first, second: the volumes.
        squares: along the longest side of what ``first`` shows.

    Raises:
        SceneError: if one of them holds no voxels, or has several numbers a voxel.
    """

    def __init__(self, first: vtkMRMLScalarVolumeNode, second: vtkMRMLScalarVolumeNode, squares: int) -> None:
        self._scene: vtkMRMLScene = first.GetScene()
        for node in (first, second):
            places.voxels(node)
        box = Box.around(first, min(*first.GetSpacing(), *second.GetSpacing()))
        self._parts = [_added(self._scene, box, resampled(node, box), node.GetName()) for node in (first, second)]
        for node in self._parts:
            node.SetHideFromEditors(True)
        self.node = compositions.checkerboard(*self._parts, squares)

    def setSquares(self, squares: int) -> None:
        """Redo the squares, in place."""
        compositions.checkerboard(*self._parts, squares, self.node)

    def remove(self) -> None:
        """Take all nodes out of the scene."""
        for node in (self.node, *self._parts):
            if self._scene.IsNodePresent(node):
                derived.remove(self._scene, node)


def resampled(node: vtkMRMLVolumeNode, box: Box) -> np.ndarray:
    """What a volume shows in a box (k, j, i): 0 is black and 255 white in its window; black where it shows nothing."""
    way = vtk.vtkGeneralTransform()
    way.PostMultiply()
    way.Concatenate(_vtk(box.matrix))
    way.Concatenate(places.transformBetween(None, node.GetParentTransformNode()))
    way.Concatenate(_vtk(np.linalg.inv(places.ijkToRAS(node))))
    matrix = places.matrixOf(way)
    low, high = _window(node)
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(node.GetImageData())
    if matrix is None:
        reslice.SetResliceTransform(way)
    else:
        reslice.SetResliceAxes(_vtk(matrix))
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(low)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(*(edge for count in box.size for edge in (0, count - 1)))
    reslice.Update()
    values = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(box.size[::-1])
    shown = np.empty(values.shape, np.uint8)
    for k, plane in enumerate(values):  # plane by plane: a float copy of all would take four times the memory
        shown[k] = np.clip((plane - np.float32(low)) * np.float32(_WHITE / (high - low)), 0, _WHITE)
    return shown


def _window(node: vtkMRMLVolumeNode) -> tuple[float, float]:
    """The intensities that are shown black and white."""
    display = windows.displayOf(node, make=True)
    if display is not None and display.GetWindowLevelMax() > display.GetWindowLevelMin():
        return float(display.GetWindowLevelMin()), float(display.GetWindowLevelMax())
    values = places.voxels(node)
    return float(values.min()), float(max(values.max(), values.min() + 1))


def _added(scene: vtkMRMLScene, box: Box, values: np.ndarray, name: str) -> vtkMRMLScalarVolumeNode:
    data = vtk.vtkImageData()
    data.SetDimensions(box.size)
    data.GetPointData().SetScalars(numpy_to_vtk(values.reshape(-1), deep=True))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"{name} resampled"))
    node.SetIJKToRASMatrix(_vtk(box.matrix))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, _WHITE)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.EndModify(modifying)
    node.SetAndObserveImageData(data)
    derived.mark(node)
    return node


def _vtk(matrix: np.ndarray) -> vtk.vtkMatrix4x4:
    made = vtk.vtkMatrix4x4()
    made.DeepCopy(np.asarray(matrix, dtype=float).ravel().tolist())
    return made
