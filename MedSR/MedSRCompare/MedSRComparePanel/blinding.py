"""A blind reading: the volumes in shuffled order under the letters A, B, C, and the scores they get.

What the views show are stand-ins that share the voxels of the volumes and are called by their letter, so that no
part of the application that prints a node's name gives it away. Which volume a letter was is written into the
exported table and shown nowhere.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRComparePanel.entries import Shown

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene

COLUMNS = ("case", "seed", "letter", "volume", "criterion", "score", "comment")
LOWEST, HIGHEST = 1, 5
_LETTERS = "ABCDEFGH"


class Reading:
    """One case in a blind reading.

    Args:
        scene: gets the stand-ins.
        volumes: what is read, without the reference.
        reference: shown as what it is, beside the others; may be None.
        seed: the same for the same volumes gives the same letters.
    """

    def __init__(
        self, scene: vtkMRMLScene, volumes: Sequence[Shown], reference: Shown | None = None, seed: int = 0
    ) -> None:
        from MedSRScene import colors

        self._scene = scene
        self.seed = seed
        order = list(volumes)
        random.Random(seed).shuffle(order)
        palette = colors.ordered(len(order), reference=False)
        self.columns = [] if reference is None else [reference]
        self.letters = list(_LETTERS[: len(order)])
        for letter, volume, color in zip(self.letters, order, palette, strict=True):
            stand_in = _standIn(scene, volume.source, letter)
            self.columns.append(Shown(stand_in, volume.source, letter, color))
        self._names = {letter: volume.title for letter, volume in zip(self.letters, order, strict=True)}
        self._nodeIDs = [column.node.GetID() for column in self.columns if column.title in self.letters]

    def close(self) -> None:
        """Remove the stand-ins; harmless when repeated or when the scene is closed."""
        from MedSRScene import derived

        for nodeID in self._nodeIDs:
            node = self._scene.GetNodeByID(nodeID)
            if node is not None and node.GetAttribute(derived.ATTRIBUTE) == "1":
                derived.remove(self._scene, node)
        self._nodeIDs = []

    def rows(self, case: str, scores: Mapping[str, Mapping[str, int]], comment: str = "") -> list[dict[str, Any]]:
        """The rows of the exported table for this case.

        Args:
            scores: letter to criterion to 1 … 5; what was not scored is left out.

        Raises:
            ValueError: if a score is out of range or a letter unknown.
        """
        made = []
        for letter, given in scores.items():
            for criterion, score in given.items():
                if letter not in self._names or not LOWEST <= score <= HIGHEST:
                    raise ValueError(f"Volume {letter} cannot have the score {score}.")
                made.append((case, self.seed, letter, self._names[letter], criterion, score, comment))
        return [dict(zip(COLUMNS, row, strict=True)) for row in made]


def added(records: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The records of a reading (JSON) with these rows; earlier scores of the same case and letter are replaced."""
    new = {(row["case"], row["volume"], row["criterion"]) for row in rows}
    kept = [row for row in parsed(records) if (row["case"], row["volume"], row["criterion"]) not in new]
    return json.dumps([*kept, *rows], ensure_ascii=False)


def parsed(records: str) -> list[dict[str, Any]]:
    """The recorded rows."""
    return json.loads(records) if records else []


def save(path: Path | str, records: str) -> None:
    """Write the recorded rows as CSV, with the volume behind each letter.

    Raises:
        OSError: if the file cannot be written.
    """
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(parsed(records))


def criteria_of(text: str) -> list[str]:
    """The criteria of a text that parts them by commas."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _standIn(scene: vtkMRMLScene, volume: vtkMRMLScalarVolumeNode, letter: str) -> vtkMRMLScalarVolumeNode:
    import vtk
    from MedSRScene import derived

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", letter)
    modifying = node.StartModify()
    node.SetName(letter)
    derived.mark(node)
    node.SetHideFromEditors(True)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveImageData(volume.GetImageData())
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    mine, theirs = node.GetDisplayNode(), volume.GetDisplayNode()
    if theirs is not None:
        mine.AutoWindowLevelOff()
        mine.SetWindowLevel(theirs.GetWindow(), theirs.GetLevel())
        mine.SetInterpolate(theirs.GetInterpolate())
    node.EndModify(modifying)
    return node
