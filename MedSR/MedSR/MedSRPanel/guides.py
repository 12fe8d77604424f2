"""Whether one volume may guide another: it is sharper, and shows the same place."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

_SHARPER = 0.8
"""A guide's coarsest spacing is below this part of the input's."""

_COVERED = 0.5
"""A guide shows at least this part of the input, by their boxes in the world."""


def whyNot(node: Any, volume: Any) -> str:
    """Why a node does not help to sharpen a volume, in the user's words; empty if it may."""
    if volume is None or node.GetID() == volume.GetID():
        return _("The input cannot guide itself.")
    if node.GetImageData() is None:
        return _("{name} holds no image.").format(name=node.GetName())
    if max(node.GetSpacing()) >= _SHARPER * max(volume.GetSpacing()):
        return _("{name} is not sharper than the input.").format(name=node.GetName())
    if _covered(node, volume) < _COVERED:
        return _("{name} shows another place than the input.").format(name=node.GetName())
    return ""


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
