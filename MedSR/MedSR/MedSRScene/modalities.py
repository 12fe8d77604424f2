"""What a volume shows, as far as its DICOM data and its name tell; a guess that the user can correct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode

KNOWN = ("T1w", "T2w", "FLAIR", "PD", "CT", "PET", "cine")
"""Offered for choice; any other word may be typed."""

_DICOM_MODALITY = "DICOM.Modality"
_BY_DICOM = {"CT": "CT", "PT": "PET"}
# In this order: "T2 FLAIR" is a FLAIR, and "T1" in "T1 after T2" stands first.
_PATTERNS = (
    ("FLAIR", r"flair|dark.?fluid"),
    ("cine", r"cine|ssfp"),
    ("PD", r"(^|[^a-z])pdw?([^a-z]|$)|proton"),
    ("T1w", r"t1|mp.?rage|spgr|bravo|mrhead"),
    ("T2w", r"t2|tse|fse|haste"),
    ("CT", r"(^|[^a-z])ct([^a-z]|$)"),
)


def guess(node: vtkMRMLVolumeNode) -> str:
    """The modality of a volume; empty if nothing tells."""
    found = _BY_DICOM.get(_dicom(node), "")
    return found or next((name for name, pattern in _PATTERNS if re.search(pattern, node.GetName().lower())), "")


def _dicom(node: vtkMRMLVolumeNode) -> str:
    """What the series says of itself in the subject hierarchy."""
    scene = node.GetScene()
    hierarchy = None if scene is None else scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return "" if item == hierarchy.GetInvalidItemID() else str(hierarchy.GetItemAttribute(item, _DICOM_MODALITY) or "")
