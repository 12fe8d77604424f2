"""Whether one volume may guide another: it is sharper where the other is coarse, and shows the same patient there."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

_SHARPER = 0.8
"""A guide's step along the input's coarsest axis is below this part of the input's."""

_COVERED = 0.5
"""A guide shows at least this part of the input, by their boxes in the world."""

_MADE_BY_US = "MedSR.method"


def whyNot(node: Any, volume: Any) -> str:
    """Why a node does not help to sharpen a volume, in the user's words; empty if it may."""
    from MedSRScene import dicom

    if volume is None or node.GetID() == volume.GetID():
        return _("The input cannot guide itself.")
    if node.GetImageData() is None or volume.GetImageData() is None:
        return _("{name} holds no image.").format(name=node.GetName())
    if node.GetAttribute(_MADE_BY_US):
        return _("{name} is a result of MedSR: its detail is an estimate.").format(name=node.GetName())
    patients = dicom.patientOf(node), dicom.patientOf(volume)
    if None not in patients and patients[0] != patients[1]:
        return _("{name} is of another patient.").format(name=node.GetName())
    if not _sharper(node, volume):
        return _("{name} is not sharper than the input where the input is coarse.").format(name=node.GetName())
    if _covered(node, volume) < _COVERED:
        return _("{name} shows another place than the input.").format(name=node.GetName())
    return ""


def elsewhere(node: Any, volume: Any) -> bool:
    """Whether DICOM files say that the scanner gave both different frames of reference: the patient may have moved."""
    from MedSRScene import dicom

    database = getattr(slicer, "dicomDatabase", None)
    frames = [dicom.value(each, dicom.FRAME_OF_REFERENCE, database) for each in (node, volume)]
    return all(frames) and frames[0] != frames[1]


def _sharper(node: Any, volume: Any) -> bool:
    from MedSRScene import resolution

    direction, step = resolution.coarsest(volume)
    return resolution.along(node, direction) < _SHARPER * step


def _covered(node: Any, volume: Any) -> float:
    """The part of a volume's box that a node's box covers; both in the world, parent transforms included."""
    theirs, own = [0.0] * 6, [0.0] * 6
    node.GetRASBounds(theirs)
    volume.GetRASBounds(own)
    part = 1.0
    for low, high, first, last in zip(theirs[::2], theirs[1::2], own[::2], own[1::2], strict=True):
        shared = min(high, last) - max(low, first)
        part *= max(shared, 0.0) / max(last - first, 1e-9)
    return part
