"""What every volume shows at one place of the patient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from MedSRScene import places

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode


class Reading(NamedTuple):
    """One volume at one place.

    Attributes:
        name: of the volume.
        value: of the nearest voxel; None outside the volume.
        ijk: the nearest voxel, also outside; None where the place cannot be found in the volume.
    """

    name: str
    value: float | None
    ijk: tuple[int, int, int] | None


def at(ras: Sequence[float], volumes: Iterable[vtkMRMLVolumeNode]) -> list[Reading]:
    """The nearest voxel of each volume to a world point (RAS, mm), through the volume's own transforms.

    A volume without voxels reads None. Of several components the first is read.
    """
    return [_read(np.asarray(ras, dtype=float), node) for node in volumes]


def _read(ras: np.ndarray, node: vtkMRMLVolumeNode) -> Reading:
    index = places.indices(ras[None], node)[0]
    if not np.isfinite(index).all():
        return Reading(node.GetName(), None, None)
    i, j, k = (int(value) for value in np.floor(index + 0.5))
    data = node.GetImageData()
    value = None
    if data is not None and data.GetPointData().GetScalars() is not None:
        low_i, high_i, low_j, high_j, low_k, high_k = data.GetExtent()
        if low_i <= i <= high_i and low_j <= j <= high_j and low_k <= k <= high_k:
            value = data.GetScalarComponentAsDouble(i, j, k, 0)
    return Reading(node.GetName(), value, (i, j, k))
