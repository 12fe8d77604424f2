"""The volumes that are compared, in their order, with the names that are shown; kept in the parameter node.

Each has a slot: a node reference, a title and a tick. A slot whose node is gone is passed over, so that a deleted
volume never shifts the names of the others; a title never renames a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import slicer

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

MOST = 8


class Entry(NamedTuple):
    """One line of the list.

    Attributes:
        node: the volume.
        title: shown in place of the node's name; empty for the name itself.
        shown: ticked.
    """

    node: vtkMRMLScalarVolumeNode
    title: str = ""
    shown: bool = True

    @property
    def name(self) -> str:
        """What the user reads."""
        return self.title or self.node.GetName() or ""


class Shown(NamedTuple):
    """One column of the comparison: what is shown, under which name and in which colour.

    Attributes:
        node: the volume in the views; in a blind reading a nameless stand-in for it.
        source: the volume itself.
        title: unlike that of any other column.
        color: "#RRGGBB".
    """

    node: vtkMRMLScalarVolumeNode
    source: vtkMRMLScalarVolumeNode
    title: str
    color: str


def entries(parameters: Any) -> list[Entry]:
    """The list, without the volumes that are gone."""
    node = parameters.parameterNode
    found = []
    for slot in range(MOST):
        volume = node.GetNodeReference(f"result{slot}")
        if volume is not None:
            found.append(Entry(volume, node.GetParameter(f"title{slot}"), node.GetParameter(f"shown{slot}") != "no"))
    return found


def store(parameters: Any, wanted: Iterable[Entry]) -> None:
    """Make this the list.

    Raises:
        ValueError: if there are more than eight.
    """
    kept = list({entry.node.GetID(): entry for entry in wanted}.values())
    if len(kept) > MOST:
        raise ValueError(f"At most {MOST} volumes can be compared, not {len(kept)}.")
    node = parameters.parameterNode
    modifying = node.StartModify()
    for slot in range(MOST):
        entry = kept[slot] if slot < len(kept) else None
        node.SetNodeReferenceID(f"result{slot}", None if entry is None else entry.node.GetID())
        node.SetParameter(f"title{slot}", "" if entry is None else entry.title)
        node.SetParameter(f"shown{slot}", "no" if entry is not None and not entry.shown else "yes")
    node.Modified()
    node.EndModify(modifying)


def same(node: Any, other: Any) -> bool:
    """Whether both are the same node; wrappers of one node may differ."""
    return node is not None and other is not None and node.GetID() == other.GetID()


def loaded(volume: vtkMRMLScalarVolumeNode | None) -> bool:
    """Whether a volume holds voxels."""
    return volume is not None and volume.GetImageData() is not None and 0 not in volume.GetImageData().GetDimensions()


def results(parameters: Any) -> list[Entry]:
    """The ticked volumes that hold voxels, without the reference."""
    reference = parameters.reference
    own = None if reference is None else reference.GetID()
    return [entry for entry in entries(parameters) if entry.shown and loaded(entry.node) and entry.node.GetID() != own]


def columns(parameters: Any, reference_title: str) -> list[Shown]:
    """The columns of the comparison: the reference, if there is one, and the ticked volumes."""
    from MedSRScene import colors

    reference = parameters.reference if loaded(parameters.reference) else None
    chosen = results(parameters)
    names = unlike(([reference_title] if reference is not None else []) + [entry.name for entry in chosen])
    nodes = ([reference] if reference is not None else []) + [entry.node for entry in chosen]
    palette = colors.ordered(len(nodes), reference=reference is not None)
    return [Shown(node, node, name, color) for node, name, color in zip(nodes, names, palette, strict=True)]


def unlike(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that come again."""
    made: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in made:
            number += 1
            unique = f"{name} ({number})"
        made.append(unique)
    return made


def volumesOfScene() -> list[vtkMRMLScalarVolumeNode]:
    """The volumes of the scene that hold voxels and were not made for a comparison."""
    from MedSRScene import derived

    scene = slicer.mrmlScene
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    every = [scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode") for index in range(count)]
    return [
        node
        for node in every
        if loaded(node)
        and not node.IsA("vtkMRMLLabelMapVolumeNode")
        and node.GetAttribute(derived.ATTRIBUTE) != "1"
        and not node.GetHideFromEditors()
    ]
