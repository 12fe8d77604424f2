"""A volume seen from the coordinates of another one, whatever transforms lie between them.

Where a transform keeps right angles it becomes part of the image's geometry. Where it shears or bends, the image
stays as it is, and a displacement field says where in it each point of the other volume is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk
import vtk

from MedSRScene import places

if TYPE_CHECKING:
    from slicer import vtkMRMLTransformNode, vtkMRMLVolumeNode

MOST_POINTS = 200_000
"""Of a displacement field."""

TOLERANCE = 0.05
"""Error between the points of a field, in the finest spacing of the frame."""

_SAME_MM = 1e-3
_RIGHT_ANGLE_TOLERANCE = 1e-5
_LPS = np.array([-1.0, -1.0, 1.0])
_LPS4 = np.array([-1.0, -1.0, 1.0, 1.0])
_AT_ONCE = 2000
"""Points between two moments at which other threads may run."""


def inFrameOf(node: vtkMRMLVolumeNode, frameNode: vtkMRMLVolumeNode) -> tuple[sitk.Image, sitk.Image | None]:
    """A volume in the coordinates of another one: its image (LPS), and a field where that is not enough.

    Returns:
        The image; and None, or the displacements (vectors, LPS, mm) from points of the frame to points of the image,
        over the frame's field of view, for `sitk.DisplacementFieldTransform`.

    Raises:
        SceneError: if one of both holds no voxels.
    """
    placed = Placed.of(node, frameNode)
    return placed.image(), placed.displacements()


@dataclass(frozen=True)
class Grid:
    """Size (i, j, k), and the matrix from indices to LPS, 4 × 4."""

    size: tuple[int, int, int]
    matrix: np.ndarray

    @classmethod
    def of(cls, node: vtkMRMLVolumeNode) -> Grid:
        """The grid of the voxels that a node holds, in its own coordinates."""
        return cls.within(places.ijkToRAS(node), node.GetImageData())

    @classmethod
    def within(cls, ijkToRAS: np.ndarray, data: vtk.vtkImageData) -> Grid:
        """The grid of image data, whose first index need not be 0."""
        matrix = _LPS4[:, None] * ijkToRAS
        matrix[:3, 3] += matrix[:3, :3] @ data.GetExtent()[::2]
        return cls(data.GetDimensions(), matrix)

    @classmethod
    def ofImage(cls, image: sitk.Image) -> Grid:
        """The grid of an image."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        matrix[:3, 3] = image.GetOrigin()
        return cls(image.GetSize(), matrix)

    def equals(self, other: Grid) -> bool:
        """Whether size and place are the same; a thousandth of a millimetre is forgiven."""
        return self.size == other.size and np.allclose(self.matrix, other.matrix, atol=_SAME_MM)

    @property
    def spacing(self) -> np.ndarray:
        """(i, j, k), mm."""
        return np.linalg.norm(self.matrix[:3, :3], axis=0)

    def give(self, image: sitk.Image) -> sitk.Image:
        """Let an image have this geometry; the same image."""
        image.SetSpacing(self.spacing.tolist())
        image.SetDirection((self.matrix[:3, :3] / self.spacing).ravel().tolist())
        image.SetOrigin(self.matrix[:3, 3].tolist())
        return image

    def points(self, index: np.ndarray) -> np.ndarray:
        """Continuous indices (n, 3) as points (LPS)."""
        return index @ self.matrix[:3, :3].T + self.matrix[:3, 3]


@dataclass(frozen=True, eq=False)
class Placed:
    """What a thread needs to write a volume in the coordinates of another: no node is touched any more.

    Attributes:
        voxels: the node's own memory, (k, j, i).
        grid: of the image that `image` gives.
        frame: grid of the other volume.
        way: from the frame's coordinates to the node's own (RAS), a copy; None where the grid says it all.
        affine: the same as a matrix, where it is one.
    """

    voxels: np.ndarray
    grid: Grid
    frame: Grid
    way: vtk.vtkGeneralTransform | None = None
    affine: np.ndarray | None = None

    @classmethod
    def of(cls, node: vtkMRMLVolumeNode, frameNode: vtkMRMLVolumeNode) -> Placed:
        """Look at the nodes; quick."""
        return cls.between(places.voxels(node), Grid.of(node), node.GetParentTransformNode(), frameNode)

    @classmethod
    def between(
        cls, voxels: np.ndarray, grid: Grid, parent: vtkMRMLTransformNode | None, frameNode: vtkMRMLVolumeNode
    ) -> Placed:
        """As `of`, for voxels on a grid below a parent transform that belong to no volume node."""
        places.voxels(frameNode)
        frame, target = Grid.of(frameNode), frameNode.GetParentTransformNode()
        if parent is target:
            return cls(voxels, grid, frame)
        way = places.detached(places.transformBetween(target, parent))
        matrix = places.matrixOf(way)
        if matrix is None:
            return cls(voxels, grid, frame, way)
        moved = Grid(grid.size, (_LPS4[:, None] * np.linalg.inv(matrix) * _LPS4) @ grid.matrix)
        return cls(voxels, moved, frame) if _rightAngled(moved) else cls(voxels, grid, frame, way, matrix)

    def image(self) -> sitk.Image:
        """The voxels as an image, a copy."""
        return self.grid.give(sitk.GetImageFromArray(self.voxels, isVector=self.voxels.ndim > 3))

    @property
    def exact(self) -> bool:
        """Whether the image's geometry says it all, without a field."""
        return self.way is None

    def displacements(self) -> sitk.Image | None:
        """See `inFrameOf`; as fine as `TOLERANCE` asks, within `MOST_POINTS`."""
        if self.affine is not None:
            return self._sampled((2, 2, 2))[0]
        if self.way is None:
            return None
        extent = self.frame.spacing * self.frame.size
        edge = float(extent.max()) / 4
        found, counts = None, (0, 0, 0)
        while True:
            finer = tuple(int(count) for count in np.ceil(extent / edge) + 1)
            if np.prod(finer) > MOST_POINTS:
                return found if found is not None else self._sampled((2, 2, 2))[0]
            if finer != counts:
                counts = finer
                found, error = self._sampled(counts)
                if error <= TOLERANCE * float(self.frame.spacing.min()):
                    return found
            edge /= 1.6

    def _sampled(self, counts: tuple[int, ...]) -> tuple[sitk.Image, float]:
        """The field at this many points an axis, from edge to edge of the frame; its error between them, mm."""
        size, n = np.array(self.frame.size), np.array(counts)
        step = (size + 2 * _RIM) / (n - 1)
        lattice = np.stack(np.meshgrid(*(np.arange(count) for count in counts[::-1]), indexing="ij"), axis=-1)
        shifts = self._shifts(lattice[..., ::-1].reshape(-1, 3) * step - 0.5 - _RIM).reshape(*counts[::-1], 3)
        image = sitk.GetImageFromArray(shifts, isVector=True)
        matrix = self.frame.matrix.copy()
        matrix[:3, 3] = self.frame.points(np.full((1, 3), -0.5 - _RIM))[0]
        matrix[:3, :3] = self.frame.matrix[:3, :3] * step
        Grid(tuple(counts), matrix).give(image)
        cells = np.random.default_rng(0).integers(0, n - 1, (_TESTED_CELLS, 3))
        corners = [shifts[tuple((cells + corner).T[::-1])] for corner in np.ndindex(2, 2, 2)]
        truth = self._shifts((cells + 0.5) * step - 0.5 - _RIM)
        return image, float(np.linalg.norm(np.mean(corners, axis=0) - truth, axis=1).max())

    def _shifts(self, index: np.ndarray) -> np.ndarray:
        """Displacements (n, 3), LPS, at indices of the frame."""
        points = self.frame.points(index) * _LPS
        if self.affine is not None:
            moved = points @ self.affine[:3, :3].T + self.affine[:3, 3]
        else:
            parts = np.array_split(points, max(1, len(points) // _AT_ONCE))
            moved = np.concatenate([places.applied(self.way, part) for part in parts])
        return (moved - points) * _LPS


_RIM = 0.25
"""Voxels by which a field reaches beyond the edge of the frame, so that its border is inside."""

_TESTED_CELLS = 1500


def _rightAngled(grid: Grid) -> bool:
    direction = grid.matrix[:3, :3] / grid.spacing
    return bool(np.abs(direction.T @ direction - np.eye(3)).max() <= _RIGHT_ANGLE_TOLERANCE)
