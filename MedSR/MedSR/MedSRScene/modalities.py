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
_NOT_MR = set(_BY_DICOM.values())

# "T1" counts where a word begins or after what scanners put before it ("AXT1", "3DT1", "sT1W"), not in "patient1".
_BEFORE = r"(?:^|[^a-z]|(?:ax|sag|cor|tra|[23]d|pre|post)_?|(?:^|[^a-z])[es])"
# In this order: "T2 FLAIR" is a FLAIR, and "T1" in "T1 after T2" stands first.
_PATTERNS = (
    ("FLAIR", r"flair|dark.?fluid"),
    ("cine", r"cine|ssfp"),
    ("PD", r"(^|[^a-z])pdw?([^a-z]|$)|proton"),
    ("T1w", _BEFORE + r"t1(?!\d)|mp.?rage|spgr|bravo|mrhead"),
    ("T2w", _BEFORE + r"t2(?!\d)|(^|[^a-z])t[sf]e|fse|haste"),
    ("CT", r"(^|[^a-z])ct([^a-z]|$)"),
    ("PET", r"(^|[^a-z])(pet|suv)([^a-z]|$)"),
)


def guess(node: vtkMRMLVolumeNode) -> str:
    """The modality of a volume; empty if nothing tells."""
    told, name = _dicom(node), node.GetName().lower()
    if told in _BY_DICOM:
        return _BY_DICOM[told]
    known = (modality for modality, pattern in _PATTERNS if re.search(pattern, name))
    return next((modality for modality in known if not (told == "MR" and modality in _NOT_MR)), "")


def _dicom(node: vtkMRMLVolumeNode) -> str:
    """What the series says of itself in the subject hierarchy."""
    scene = node.GetScene()
    hierarchy = None if scene is None else scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return "" if item == hierarchy.GetInvalidItemID() else str(hierarchy.GetItemAttribute(item, _DICOM_MODALITY) or "")
