"""Manifests are read as written, chosen from by their columns, and refused where they are unclear."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSRLib import manifests
from MedSRLib.errors import InputError
from MedSRLib.manifests import Volume

TABLE = (
    "path\trole\tdataset\tsubject\tmodality\torgan\tshape\tlicence\tsha256\n"
    'a/x.nii.gz\ttrain\tixi\tanna\tT1w\tbrain\t3x4x5\t"CC-BY (see ""LICENSE"")"\tff00\n'
    "a/y.nii.gz\ttrain\tixi\tanna\tT2w\tbrain\t3x4x5\tCC0\t\n"
    "\n"
    "b/z.nii.gz\tvalidation\tms\tFélix 软件\tT1W\tspine\t\tCC0\t\n"
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "MANIFEST.tsv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def names(found: manifests.Manifest) -> list[str]:
    return [volume.path.name for volume in found.volumes]


def test_columns_become_fields_and_paths_are_relative_to_the_manifest(manifest: Path) -> None:
    found = manifests.load(manifest)
    assert found.root == manifest.parent
    assert found.volumes[0] == Volume(
        path=manifest.parent / "a" / "x.nii.gz",
        role="train",
        dataset="ixi",
        subject="anna",
        modality="T1w",
        organ="brain",
        licence='CC-BY (see "LICENSE")',
        sha256="ff00",
    )
    assert found.volumes[2].subject == "Félix 软件"
    assert names(found) == ["x.nii.gz", "y.nii.gz", "z.nii.gz"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, ["x.nii.gz", "y.nii.gz", "z.nii.gz"]),
        ({"role": "train"}, ["x.nii.gz", "y.nii.gz"]),
        ({"modality": "T1w"}, ["x.nii.gz"]),
        ({"modality": ["T1w", "T1W"]}, ["x.nii.gz", "z.nii.gz"]),
        ({"dataset": ("ms", "other")}, ["z.nii.gz"]),
        ({"organ": "brain", "modality": "T2w"}, ["y.nii.gz"]),
        ({"role": "test"}, []),
    ],
)
def test_volumes_are_chosen_by_their_columns(manifest: Path, choice: dict, expected: list[str]) -> None:
    chosen = manifests.load(manifest).select(**choice)
    assert names(chosen) == expected
    assert chosen.root == manifest.parent


def test_path_and_subject_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes("\ufeffpath\tsubject\r\nx.nrrd\tanna\r\n".encode())
    assert manifests.load(path).volumes == (Volume(tmp_path / "x.nrrd", subject="anna"),)


def test_absolute_paths_stay(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text(f"path\tsubject\n{tmp_path / 'far' / 'x.nii'}\tanna\n")
    assert manifests.load(path).volumes[0].path == tmp_path / "far" / "x.nii"


def test_a_folder_is_a_manifest_of_one_subject_a_file(tmp_path: Path) -> None:
    for name in ("b.nii.gz", "a.v2.MHA", "notes.txt", ".hidden.nii.gz", "b.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "deeper.nii").mkdir()
    found = manifests.load(tmp_path)
    assert found.root == tmp_path
    assert found.volumes == (
        Volume(tmp_path / "a.v2.MHA", subject="a.v2"),
        Volume(tmp_path / "b.nii.gz", subject="b"),
    )


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"path\tmodality\nx.nii\tT1w\n", "subject"),
        (b"", "path"),
        (b"path\tsubject\nx.nii\tanna\ny.nii\n", "Line 3"),
        (b"path\tsubject\n\tanna\n", "Line 2"),
        (b"path\tsubject\nx.nii\tanna\n./x.nii\tben\n", "2 times"),
        (b"path\tsubject\n\xff\xfe\x00\n", "text"),
    ],
)
def test_an_unclear_manifest_is_told(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=word) as error:
        manifests.load(path)
    assert "m.tsv" in str(error.value)


def test_a_missing_manifest_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tsv"):
        manifests.load(tmp_path / "none.tsv")
    with pytest.raises(InputError, match=r"\.nii\.gz"):
        manifests.load(tmp_path)


def test_modalities_are_named_once_whatever_their_capitals() -> None:
    assert manifests.spelled_once(["T2W", "FLAIR", "T2w"]) == ["T2w", "FLAIR"]
    assert manifests.spelled_once([]) == []
