"""The table of metrics and oracles holds on a real volume, and says so when it does not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import SimpleITK as sitk

SCRIPT = Path(__file__).with_name("metrics_table.py")


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("metrics_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["metrics_table"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def brains(table: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files of a part of the average brain and its ×2 copy."""
    folder = tmp_path_factory.mktemp("brains")
    pair = [image[28:124, 40:140, 70:96] for image in table.brain_pair()]
    for image, name in zip(pair, ("reference.nii.gz", "image.nii.gz"), strict=True):
        sitk.WriteImage(image, str(folder / name))
    return [str(folder / "reference.nii.gz"), str(folder / "image.nii.gz")]


def test_every_metric_agrees_with_its_oracle(
    table: ModuleType, brains: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = table.main(brains)
    text = capsys.readouterr().out
    assert code == 0, text
    for name in ("PSNR", "SSIM, 7", "SSIM in the mask", "Gaussian", "MS-SSIM", "VIF", "PSI", "LPC-SI", "Dice", "HFEN"):
        assert name in text


def test_a_metric_that_differs_is_marked(
    table: ModuleType, brains: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = table.Row("PSNR, dB", 30.0, "scikit-image", 30.1, 1e-6)
    monkeypatch.setattr(table, "rows", lambda reference, image: iter([bad]))
    assert table.main(brains) == 1
    assert "DIFFERS" in capsys.readouterr().out
