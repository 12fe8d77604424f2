"""What a volume shows, as far as its DICOM data and its name tell; a guess that the user can correct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode

KNOWN = ("T1w", "T2w", "FLAIR", "PD", "CT", "PET", "cine")
"""Offered for choice; any other word may be typed."""

_DICOM_MODALITY = "DICOM.Modality"
_BY_DICOM = {"CT": "CT", "PT": "PET"}
_NOT_MR = set(_BY_DICOM.values())


def guess(node: vtkMRMLVolumeNode, named: Callable[[str], Sequence[str]]) -> str:
    """The modality of a volume; empty if nothing tells.

    Args:
        node: the volume.
        named: the modalities that a name speaks of, the likeliest first.
    """
    told = _dicom(node)
    if told in _BY_DICOM:
        return _BY_DICOM[told]
    known = (modality for modality in named(node.GetName()) if not (told == "MR" and modality in _NOT_MR))
    return next(known, "")


def _dicom(node: vtkMRMLVolumeNode) -> str:
    """What the series says of itself in the subject hierarchy."""
    scene = node.GetScene()
    hierarchy = None if scene is None else scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return "" if item == hierarchy.GetInvalidItemID() else str(hierarchy.GetItemAttribute(item, _DICOM_MODALITY) or "")
