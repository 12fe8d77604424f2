"""How thick the slices of a volume are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from MedSRScene import dicom
from MedSRScene.i18n import tr as _

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode

FILE_ATTRIBUTE = "MedSR_thickness_mm"
"""What `medsr degrade` writes into NRRD files; Slicer makes attributes of a node of what such files say."""


def found(node: vtkMRMLVolumeNode, database: Any = None) -> tuple[float | None, str]:
    """The slice thickness in mm, and in a word who told it; None and "" where nobody does.

    Args:
        node: a volume.
        database: Slicer's DICOM database, `slicer.dicomDatabase`; None without one.
    """
    told = _positive(node.GetAttribute(FILE_ATTRIBUTE))
    if told is not None:
        return told, _("file")
    told = _positive(dicom.value(node, dicom.SLICE_THICKNESS, database))
    return told, "" if told is None else "DICOM"


def _positive(text: str | None) -> float | None:
    """A number above zero; None for what a header says in other words."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
