"""The benchmark of the metrics compares equal values; speed itself is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from MedSRLib.bench import metrics
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("MedSRLib.evaluation.lpips_weights._sources", lambda: iter(()))


def test_ours_and_the_others_values_stand_side_by_side() -> None:
    found = metrics.run(48, runtime=Runtime(), progress=Progress())
    json.dumps(found, allow_nan=False)
    entries = found["metrics"]
    assert list(entries) == ["psnr", "ssim", "ssim-2d", "vif", "lpips", "psi", "lpc-si"]
    for name in ("psnr", "ssim", "ssim-2d", "vif"):
        assert entries[name]["difference"] < 1e-6
        assert entries[name]["ratio"] > 0
    assert entries["lpips"]["value"] is None and "pip install" in entries["lpips"]["note"]
    text = metrics.table(found)
    assert len(text.splitlines()) == 8 and "sewar" in text and "pip install" in text


def test_without_sewar_our_vif_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sewar.full_ref", None)
    found = metrics.run(48, runtime=Runtime(), progress=Progress())
    assert "other" not in found["metrics"]["vif"]
    assert "pip install sewar" in metrics.table(found)


def test_the_pair_is_a_head_in_air_and_its_blurred_copy() -> None:
    reference, image = metrics.pair(48, 0)
    assert reference.dtype == image.dtype == np.float32
    assert reference.min() == 0 and reference.max() == pytest.approx(255)
    assert (reference == 0).mean() > 0.3
    assert np.array_equal(metrics.pair(48, 0)[0], reference)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(OptionError, match="41"):
        metrics.run(40, runtime=Runtime(), progress=Progress())
