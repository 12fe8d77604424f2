"""What a run computed from the volumes: measures, volumes on one grid, differences; and whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import slicer
import vtk

if TYPE_CHECKING:
    from MedSRScene.compare_run import CompareRun
    from slicer import vtkMRMLScalarVolumeNode


class Computed:
    """The results of the last run that was done.

    Attributes:
        measures: as `CompareRun.measures`.
        resampledIDs: node ID of a volume to that of the same on the reference's grid.
    """

    def __init__(self) -> None:
        self.measures: dict[str, Any] = {}
        self.resampledIDs: dict[str, str] = {}
        self._differences: dict[str, str] = {}
        self._made: dict[str, Any] = {}
        self._referenceID = ""

    def take(self, run: CompareRun, reference: vtkMRMLScalarVolumeNode | None) -> None:
        """Keep the results of a run in place of the last ones, and note what it was made from."""
        self.clear()
        self.measures = run.measures or {}
        self.resampledIDs, self._differences = dict(run.resampled), dict(run.differences)
        self._referenceID = "" if reference is None else reference.GetID()
        known = [slicer.mrmlScene.GetNodeByID(nodeID) for nodeID in self.resampledIDs]
        known += [] if reference is None else [reference]
        self._made = {node.GetID(): state(node) for node in known if node is not None}

    def holds(self, node: vtkMRMLScalarVolumeNode, reference: vtkMRMLScalarVolumeNode | None) -> bool:
        """Whether what was computed from a volume still holds: same voxels, same place, same reference."""
        if self._referenceID != ("" if reference is None else reference.GetID()):
            return False
        both = [node] if reference is None else [node, reference]
        return all(each.GetID() in self._made and self._made[each.GetID()] == state(each) for each in both)

    def resampled(
        self, node: vtkMRMLScalarVolumeNode, reference: vtkMRMLScalarVolumeNode | None
    ) -> vtkMRMLScalarVolumeNode | None:
        """The volume on the reference's grid (or on that of the first volume); None if it does not hold."""
        return self._node(self.resampledIDs, node, reference)

    def difference(
        self, node: vtkMRMLScalarVolumeNode, reference: vtkMRMLScalarVolumeNode | None
    ) -> vtkMRMLScalarVolumeNode | None:
        """Volume − reference; None if it does not hold."""
        return self._node(self._differences, node, reference)

    @property
    def range(self) -> float:
        """The range of the reference's intensities, of which limits are a part."""
        return float(self.measures.get("data_range") or 0.0)

    def clear(self) -> None:
        """Remove the nodes of the last run."""
        drop([*self.resampledIDs.values(), *self._differences.values()])
        self.forget()

    def forget(self) -> None:
        """The scene was closed, and the nodes with it."""
        self.measures, self.resampledIDs, self._differences, self._made = {}, {}, {}, {}
        self._referenceID = ""

    def _node(self, made: dict[str, str], node: Any, reference: Any) -> Any:
        nodeID = made.get(node.GetID())
        return slicer.mrmlScene.GetNodeByID(nodeID) if nodeID and self.holds(node, reference) else None


def drop(nodeIDs: Iterable[str]) -> None:
    """Remove nodes that were made for a comparison; an ID that has become another node's is passed over."""
    from MedSRScene import derived

    for nodeID in nodeIDs:
        node = slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None
        if node is not None and node.GetAttribute(derived.ATTRIBUTE) == "1":
            derived.remove(slicer.mrmlScene, node)


def state(node: vtkMRMLScalarVolumeNode) -> tuple[Any, ...]:
    """Changes when the voxels of a volume or its place do."""
    data = node.GetImageData()
    scalars = None if data is None else data.GetPointData().GetScalars()
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    parent = node.GetParentTransformNode()
    moved = None if parent is None else (parent.GetID(), parent.GetTransformToWorldMTime())
    place = slicer.util.arrayFromVTKMatrix(matrix).round(6).tobytes()
    return None if scalars is None else scalars.GetMTime(), place, moved
