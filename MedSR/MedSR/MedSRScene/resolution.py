"""How finely a volume is sampled along a direction of the patient, parent transforms included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from MedSRScene import places

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode


def steps(node: vtkMRMLVolumeNode) -> np.ndarray:
    """From voxel to voxel along i, j and k (a row each), in the middle of the volume; world, RAS, mm."""
    centre = places.firstIndex(node) + (np.array(node.GetImageData().GetDimensions()) - 1) / 2
    points = places.world(np.vstack([centre, centre + np.eye(3)]), node)
    return points[1:] - points[0]


def coarsest(node: vtkMRMLVolumeNode) -> tuple[np.ndarray, float]:
    """The direction along which a volume is sampled most coarsely (a unit vector), and the step along it, mm."""
    found = steps(node)
    lengths = np.linalg.norm(found, axis=1)
    number = int(lengths.argmax())
    return found[number] / lengths[number], float(lengths[number])


def along(node: vtkMRMLVolumeNode, direction: np.ndarray) -> float:
    """How far one voxel of a volume reaches along a direction, mm."""
    return float(np.linalg.norm(steps(node) @ direction))
