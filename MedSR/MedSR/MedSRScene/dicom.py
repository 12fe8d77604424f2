"""What the DICOM files of a volume say: its node does not keep it, so Slicer's DICOM database is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode

SLICE_THICKNESS = "0018,0050"
FRAME_OF_REFERENCE = "0020,0052"

_INSTANCES = "DICOM.instanceUIDs"


def value(node: vtkMRMLVolumeNode, tag: str, database: Any = None) -> str:
    """The value of a tag in the first file of a volume; empty where it is not there, or was not read from DICOM.

    Args:
        node: a volume.
        tag: "group,element".
        database: Slicer's DICOM database, `slicer.dicomDatabase`; None without one.
    """
    instances = (node.GetAttribute(_INSTANCES) or "").split()
    if not instances or database is None or not database.isOpen:
        return ""
    return str(database.instanceValue(instances[0], tag) or "").strip()


def patientOf(node: vtkMRMLVolumeNode) -> int | None:
    """The item of the subject hierarchy under which a volume's patient is; None where no patient is known."""
    scene = node.GetScene()
    hierarchy = None if scene is None else scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return None
    nothing, item = hierarchy.GetInvalidItemID(), hierarchy.GetItemByDataNode(node)
    if item == nothing:
        return None
    patient = hierarchy.GetItemAncestorAtLevel(item, "Patient")
    return None if patient == nothing else int(patient)
