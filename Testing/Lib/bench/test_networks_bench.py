"""The timing of the networks: counted operations, and a table."""

from __future__ import annotations

import json

import pytest

from MedSRLib.bench import networks
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress


def test_operations_are_two_for_each_weight_and_voxel(monkeypatch: pytest.MonkeyPatch) -> None:
    """SRReCNN3D: same size everywhere, so every weight once a voxel."""
    settings = {"features": 4, "layers": 3}
    monkeypatch.setitem(networks.CASES, "small", ("srrecnn3d", settings))
    found = networks.run(32, names=["small"], slides=False, runtime=Runtime(), progress=Progress())
    weights = 27 * (4 + 16 + 4)
    small, large = found["networks"]
    assert (small["input"], large["input"]) == ([8, 8, 8], [16, 16, 16])
    assert small["gflop"] == pytest.approx(2 * weights * 8**3 / 1e9, abs=5e-4)
    assert large["gflop"] == pytest.approx(2 * weights * 16**3 / 1e9, abs=5e-4)
    assert small["seconds"] > 0
    assert {way.split(", ")[0] for way in small["ways"]} >= {"float32"}
    assert 0 < small["share_of_peak"] < 1
    json.dumps(found)
    assert "small" in networks.table(found)


def test_the_picture_of_the_slides_is_timed_in_three_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "SLIDES", {"wdsr": (46.35, (4, 4))})
    monkeypatch.setattr(networks, "SLIDES_SIZE", (5, 7))
    found = networks.run(16, names=[], runtime=Runtime(), progress=Progress())
    (row,) = found["slides"]
    assert (row["input"], row["slides_seconds"]) == ([5, 7], 46.35)
    assert row["parameters"] > 3_557_232  # three colours, biases included
    assert "46.35" in networks.table(found)


def test_a_size_that_cannot_be_quartered_is_refused() -> None:
    with pytest.raises(OptionError, match="30"):
        networks.run(30, runtime=Runtime(), progress=Progress())
