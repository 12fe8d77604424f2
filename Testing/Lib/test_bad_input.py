"""Every bad input is told in one paragraph on stderr, with exit code 2 and nothing left behind."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from typer.testing import CliRunner, Result

from MedSRLib.cli.app import app
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

SIZE = (7, 10, 13)
CONFIG = ArSSRConfig(encoder="rescnn", feature_dim=4, channels=4, blocks=1, layers=1, width=8)


def medsr(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def image(size: tuple[int, ...] = SIZE, seed: int = 0) -> sitk.Image:
    values = np.random.default_rng(seed).uniform(10, 100, size[::-1]).astype(np.float32)
    made = sitk.GetImageFromArray(values)
    if len(size) == 3:
        made.SetSpacing((0.9, 1.1, 3.0))
        made.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1))
    return made


def write_model(folder: Path, name: str = "tiny", method: str = "arssr", **architecture: object) -> Path:
    torch.manual_seed(0)
    card = ModelCard(name=name, method=method, architecture=CONFIG.asdict() | architecture, scale_max=4)
    return library.save(library.Model(card, ArSSR(CONFIG).state_dict()), folder)


@pytest.fixture(autouse=True)
def _own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(image(), path)
    return path


# --- bad images: each function writes one and returns its path ---------------------------------------------


def _missing(folder: Path) -> Path:
    return folder / "missing.nii.gz"


def _folder_without_dicom(folder: Path) -> Path:
    path = folder / "series"
    path.mkdir()
    (path / "notes.txt").write_text("no images here")
    return path


def _truncated(folder: Path) -> Path:
    path = folder / "cut.nii.gz"
    sitk.WriteImage(image((20, 20, 20)), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _truncated_inside(folder: Path) -> Path:
    """A sound gzip stream around half a NIfTI file."""
    path = folder / "half.nii.gz"
    sitk.WriteImage(image((20, 20, 20)), path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:16000]))
    return path


def _text(folder: Path) -> Path:
    path = folder / "text.nii.gz"
    path.write_text("This is not an image.\n" * 100)
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.nii.gz"
    path.write_bytes(b"")
    return path


def _flat(folder: Path) -> Path:
    sitk.WriteImage(image((10, 13)), folder / "flat.nii.gz")
    return folder / "flat.nii.gz"


def _photo(folder: Path) -> Path:
    sitk.WriteImage(sitk.Cast(image((10, 13)), sitk.sitkUInt8), folder / "photo.png")
    return folder / "photo.png"


def _colour(folder: Path) -> Path:
    colour = sitk.GetImageFromArray(np.ones((13, 10, 7, 3), np.uint8), isVector=True)
    sitk.WriteImage(colour, folder / "colour.nrrd")
    return folder / "colour.nrrd"


def _all_nan(folder: Path) -> Path:
    nothing = sitk.GetImageFromArray(np.full(SIZE[::-1], np.nan, np.float32))
    sitk.WriteImage(nothing, folder / "nan.nii.gz")
    return folder / "nan.nii.gz"


def _mha(path: Path, size: str, spacing: str, voxels: int) -> Path:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"ElementSpacing = {spacing}\nDimSize = {size}\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + np.arange(voxels, dtype="<f4").tobytes())
    return path


def _zero_sized(folder: Path) -> Path:
    return _mha(folder / "zero.mha", "4 0 4", "1 1 1", 0)


def _zero_spacing(folder: Path) -> Path:
    return _mha(folder / "spacing.mha", "4 4 4", "1 0 1", 64)


BAD_IMAGES = (
    _missing, _folder_without_dicom, _truncated, _truncated_inside, _text, _empty, _flat, _photo, _colour,
    _all_nan, _zero_sized, _zero_spacing,
)  # fmt: skip

# --- bad models: each function writes one and returns what --model says -------------------------------------


def _unknown_model(folder: Path) -> str:
    write_model(folder / "models", "brain-t1w")
    return "brain-t2w"


def _of_another_method(folder: Path) -> str:
    write_model(folder / "models", method="other")
    return "tiny"


def _of_another_architecture(folder: Path) -> Path:
    return write_model(folder, width=16)


def _with_unknown_settings(folder: Path) -> Path:
    return write_model(folder, transformer=True)


def _corrupted(folder: Path) -> Path:
    path = write_model(folder)
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(content)
    return path


def _renamed_pickle(folder: Path) -> Path:
    path = write_model(folder)
    torch.save(ArSSR(CONFIG).state_dict(), path)
    return path


def _without_card(folder: Path) -> Path:
    path = write_model(folder)
    path.with_suffix(".json").unlink()
    return path


BAD_MODELS = (
    _unknown_model, _of_another_method, _of_another_architecture, _with_unknown_settings, _corrupted,
    _renamed_pickle, _without_card,
)  # fmt: skip


def assert_told_in_one_paragraph(result: Result) -> str:
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert result.exit_code == 2, result.output
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return lines[0]


def assert_untouched(folder: Path, before: set[Path]) -> None:
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize("make", BAD_IMAGES, ids=lambda make: make.__name__.strip("_"))
@pytest.mark.parametrize("command", ["upscale", "degrade"])
def test_a_bad_image_is_told(command: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    bad = make(tmp_path)
    before = set(tmp_path.rglob("*"))
    result = medsr(command, bad, "-o", tmp_path / "out.nii.gz", "--scale", 2)
    assert bad.name in assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


@pytest.mark.parametrize("scale", ["0", "0.5", "nan", "inf", "1e9", "-2", "2,2", "1,0.5,1"])
@pytest.mark.parametrize("method", ["linear", "arssr"])
def test_an_impossible_scale_is_told(scale: str, method: str, scan: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    before = set(tmp_path.rglob("*"))
    more = ["--model", "tiny"] if method == "arssr" else []
    result = medsr("upscale", scan, "-o", tmp_path / "out.nii.gz", f"--scale={scale}", "--method", method, *more)
    assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--scale", 2, "--method", "bsplin"], "bspline"),
        (["--scale", 2, "--option", "surprise=1"], "surprise"),
        (["--scale", 2, "--model", "tiny"], "takes no model"),
        (["--scale", 2, "--device", "abacus"], "abacus"),
        (["--scale", 2, "--device", "cuda:99"], "cuda:99"),
        (["--scale", 2, "--precision", "float8"], "float8"),
        (["--scale", 2, "--memory-gb", "0"], "memory"),
        (["--scale", 2, "--output-type", "int3"], "output_type"),
        (["--scale", 2, "--like", "missing.nii.gz"], "scale and like"),
        (["--like", "missing.nii.gz"], "missing.nii.gz"),
        (["--spacing", "0"], "0"),
        ([], "exactly one"),
    ],
)
def test_an_impossible_setting_is_told(arguments: list[object], word: str, scan: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    result = medsr("upscale", scan, "-o", tmp_path / "out.nii.gz", *arguments)
    assert word in assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


@pytest.mark.parametrize("make", BAD_MODELS, ids=lambda make: make.__name__.strip("_"))
def test_a_bad_model_is_told(make: Callable[[Path], object], scan: Path, tmp_path: Path) -> None:
    model = make(tmp_path)
    before = set(tmp_path.rglob("*"))
    result = medsr("upscale", scan, "-o", tmp_path / "out.nii.gz", "--scale", 2, "--method", "arssr", "--model", model)
    assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


def test_an_unknown_method_is_told_before_the_image_is_read(tmp_path: Path) -> None:
    (tmp_path / "huge.nii.gz").write_text("would fail if it were read")
    result = medsr("upscale", tmp_path / "huge.nii.gz", "-o", tmp_path / "o.nii.gz", "--scale", 2, "--method", "x")
    assert "method" in assert_told_in_one_paragraph(result)


@pytest.mark.parametrize("command", ["upscale", "degrade"])
@pytest.mark.parametrize("place", ["no/such/out.nii.gz", "file/out.nii.gz", "out.docx", "out", "taken.nii.gz"])
def test_an_unwritable_output_is_told(command: str, place: str, scan: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    (tmp_path / "taken.nii.gz").mkdir()
    before = set(tmp_path.rglob("*"))
    result = medsr(command, scan, "-o", tmp_path / place, "--scale", 2)
    assert Path(place).name in assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["out.nii.gz", "out.nii", "out.nrrd", "out.mha"])
def test_a_full_disk_is_told_and_left_clean(name: str, scan: Path, full_disk: Path) -> None:
    result = medsr("upscale", scan, "-o", full_disk / name, "--scale", 4)
    assert name in assert_told_in_one_paragraph(result)
    assert list(full_disk.iterdir()) == []


def test_a_bad_result_leaves_no_report(scan: Path, tmp_path: Path) -> None:
    bad = _text(tmp_path)
    before = set(tmp_path.rglob("*"))
    result = medsr("evaluate", "--reference", scan, bad, "-o", tmp_path / "report")
    assert bad.name in assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)


@pytest.mark.parametrize("against", ["--reference", "--input"])
def test_a_result_of_another_place_leaves_no_folder(against: str, scan: Path, tmp_path: Path) -> None:
    elsewhere = image()
    elsewhere.SetOrigin((1000, 0, 0))
    sitk.WriteImage(elsewhere, tmp_path / "far.nii.gz")
    before = set(tmp_path.rglob("*"))
    result = medsr("evaluate", against, scan, tmp_path / "far.nii.gz", "-o", tmp_path / "report")
    assert "far" in assert_told_in_one_paragraph(result)
    assert_untouched(tmp_path, before)
