"""Intensities of several volumes along one line in the patient, at the same places in mm."""

from __future__ import annotations

import csv as tables
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRScene import places, splines
from MedSRScene.errors import SceneError
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

STEPS_PER_VOXEL = 4
MOST_POINTS = 1200


@dataclass(frozen=True, eq=False)
class Profiles:
    """Intensities along a line.

    Attributes:
        positions_mm: (n,), from the first point of the line.
        points: (n, 3), RAS, world.
        values: node ID to (n,); NaN outside the volume.
    """

    positions_mm: np.ndarray
    points: np.ndarray
    values: dict[str, np.ndarray]


def along(lineNode: Any, volumes: Sequence[vtkMRMLScalarVolumeNode], step: float | None = None) -> Profiles:
    """Every volume along a markups line or curve, through the volume's own transforms, by cubic B-splines.

    Args:
        lineNode: a vtkMRMLMarkupsNode with two points or more.
        step: mm between the places; by default a quarter of the finest voxel, but never more than 1200 places.

    Raises:
        SceneError: if the line has no length.
    """
    corners = _corners(lineNode)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    if len(corners) < 2 or lengths[-1] <= 0:
        raise SceneError(_("The line '{name}' has no length. Place its second point.").format(name=lineNode.GetName()))
    if step is None:
        step = min((min(node.GetSpacing()) for node in volumes), default=1.0) / STEPS_PER_VOXEL
    count = min(MOST_POINTS, max(2, round(lengths[-1] / step) + 1))
    positions = np.linspace(0.0, lengths[-1], count)
    points = np.stack([np.interp(positions, lengths, corners[:, axis]) for axis in range(3)], axis=1)
    return Profiles(positions, points, {node.GetID(): _values(points, node) for node in volumes})


def csv(path: Path | str, profiles: Profiles, names: Mapping[str, str]) -> None:
    """Write profiles as a table: position_mm, R, A, S and a column for each volume.

    Args:
        names: node ID to the title of its column; a volume without one keeps its ID.

    Raises:
        OSError: if the file cannot be written.
    """
    head = ["position_mm", "R", "A", "S", *(names.get(nodeID, nodeID) for nodeID in profiles.values)]
    columns = [profiles.positions_mm, *profiles.points.T, *profiles.values.values()]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = tables.writer(file)
        writer.writerow(head)
        for row in zip(*columns, strict=True):
            writer.writerow(["" if np.isnan(value) else f"{value:.6g}" for value in row])


def _corners(lineNode: Any) -> np.ndarray:
    """World points of a line or curve, (n, 3)."""
    from vtk.util.numpy_support import vtk_to_numpy

    curve = lineNode.GetCurvePointsWorld() if hasattr(lineNode, "GetCurvePointsWorld") else None
    if curve is not None and curve.GetNumberOfPoints() >= 2:
        return vtk_to_numpy(curve.GetData()).astype(float)
    points = np.zeros((lineNode.GetNumberOfControlPoints(), 3))
    for number in range(len(points)):
        lineNode.GetNthControlPointPositionWorld(number, points[number])
    return points


def _values(points: np.ndarray, node: vtkMRMLScalarVolumeNode) -> np.ndarray:
    index = places.indices(points, node) - places.firstIndex(node)
    voxels = places.voxels(node)
    return splines.sample(voxels if voxels.ndim == 3 else voxels[..., 0], index[:, ::-1])
