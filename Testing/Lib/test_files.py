"""Files are written whole or not at all, and named by their whole ending."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from MedSRLib import files
from MedSRLib.errors import InputError, OutputError


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("scan.nii.gz", "scan", ".nii.gz"),
        ("a/b.c/scan.v2.NII.GZ", "scan.v2", ".nii.gz"),
        ("scan.nrrd", "scan", ".nrrd"),
        ("软件 é.mha", "软件 é", ".mha"),
        ("scan.tar.gz", "scan.tar", ".gz"),
        ("scan", "scan", ""),
    ],
)
def test_stem_and_suffix_part_a_name(name: str, stem: str, suffix: str) -> None:
    assert (files.stem(name), files.suffix(Path(name))) == (stem, suffix)


def test_the_temporary_path_is_beside_the_target_with_its_suffix(tmp_path: Path) -> None:
    target = tmp_path / "Félix 软件.nii.gz"
    with files.atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".nii.gz")
        assert temporary != target
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text(encoding="utf-8") == "whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path, problem: type[BaseException]) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")

    def fail() -> None:
        with files.atomic_path(target) as temporary:
            temporary.write_text("half")
            raise problem

    with pytest.raises(problem):
        fail()
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old and longer")
    files.write_text_atomic(target, "neu: é\n")
    assert target.read_bytes() == "neu: é\n".encode()


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    files.write_text_atomic(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_folder_a_file_for_a_folder_and_a_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, word in ((tmp_path / "no" / "x", "exist"), (tmp_path / "file" / "x", "file"), (tmp_path, "folder")):
        with pytest.raises(OutputError, match=word) as error:
            files.write_text_atomic(path, "text")
        assert str(path) in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(OutputError, match="may not write"):
            files.write_text_atomic(tmp_path / "x", "text")
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")

    def fill() -> None:
        with files.atomic_path(tmp_path / "x"), Path("/dev/full").open("w") as file:
            file.write("text")

    with pytest.raises(OutputError, match="disk is full"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_checksum_is_that_of_hashlib(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "x").write_bytes(content)
    assert files.sha256(tmp_path / "x") == hashlib.sha256(content).hexdigest()
    with pytest.raises(InputError, match="missing"):
        files.sha256(tmp_path / "missing")
