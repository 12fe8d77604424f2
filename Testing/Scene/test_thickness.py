"""The slice thickness of a volume node: from its DICOM files, or from the NRRD file it was read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk


class Database:
    """A DICOM database with one instance."""

    def __init__(self, value: str, opened: bool = True) -> None:
        self.isOpen, self._value = opened, value

    def instanceValue(self, uid: str, tag: str) -> str:  # noqa: N802
        return self._value if (uid, tag) == ("1.2", "0018,0050") else ""


@pytest.mark.parametrize(
    ("uids", "database", "expected"),
    [
        ("1.2 1.3", Database("4.5 "), (4.5, "DICOM")),
        ("1.2", Database(""), (None, "")),
        ("1.2", Database("unknown"), (None, "")),
        ("1.2", Database("0"), (None, "")),
        ("9.9", Database("4.5"), (None, "")),
        ("", Database("4.5"), (None, "")),
        ("1.2", Database("4.5", opened=False), (None, "")),
        ("1.2", None, (None, "")),
    ],
)
def test_dicom_files_are_asked(uids: str, database: Any, expected: tuple[float | None, str]) -> None:
    from MedSRScene import thickness
    from slicer import vtkMRMLScalarVolumeNode

    node = vtkMRMLScalarVolumeNode()
    node.SetAttribute("DICOM.instanceUIDs", uids)
    assert thickness.found(node, database) == expected


def test_a_file_of_ours_tells_it(tmp_path: Path) -> None:
    from MedSRScene import thickness
    from slicer import vtkMRMLNRRDStorageNode, vtkMRMLScalarVolumeNode

    from MedSRLib.images import THICKNESS_KEY

    image = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.float32))
    image.SetMetaData(THICKNESS_KEY, "4.5")
    sitk.WriteImage(image, str(tmp_path / "thick.nrrd"))
    node, storage = vtkMRMLScalarVolumeNode(), vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(tmp_path / "thick.nrrd"))
    assert storage.ReadData(node)
    assert thickness.found(node) == (4.5, "file")
