"""What is refused before anything is read or computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSRLib.errors import InputError, OutputError
from MedSRLib.jobs import checks


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    (tmp_path / "scan.nii.gz").touch()
    return tmp_path / "scan.nii.gz"


def test_a_missing_input_is_named(scan: Path, tmp_path: Path) -> None:
    checks.inputs_exist([scan, None, tmp_path])
    with pytest.raises(InputError, match="gone"):
        checks.inputs_exist([scan, tmp_path / "gone"])


def test_an_input_is_never_overwritten_by_whatever_name(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "link.nii.gz").symlink_to(scan)
    (tmp_path / "folder").mkdir()
    for output in (scan, tmp_path / "link.nii.gz", tmp_path / "folder" / ".." / "scan.nii.gz"):
        with pytest.raises(OutputError, match="also an input"):
            checks.images_can_be_written([output], [None, scan])


def test_two_outputs_need_two_paths(scan: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another output"):
        checks.images_can_be_written([tmp_path / "a.nrrd", None, tmp_path / "a.nrrd"], [scan])


def test_a_foreign_file_in_the_sidecars_place_stays(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text('{"RepetitionTime": 2.0}')
    with pytest.raises(OutputError, match=r"out\.json"):
        checks.images_can_be_written([tmp_path / "out.nii.gz"], [scan])
    (tmp_path / "out.json").write_text('{"medsr_version": "0.1.0"}')
    checks.images_can_be_written([tmp_path / "out.nii.gz"], [scan])


def test_checking_leaves_nothing_behind(scan: Path, tmp_path: Path) -> None:
    checks.images_can_be_written([tmp_path / "out.nii.gz"], [scan])
    checks.folder_can_be_written(tmp_path / "deep" / "folder")
    assert list(tmp_path.iterdir()) == [scan]
    with pytest.raises(OutputError, match="not a folder"):
        checks.folder_can_be_written(scan / "below")
