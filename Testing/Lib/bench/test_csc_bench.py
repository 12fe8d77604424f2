"""The benchmark of convolutional coding compares equal objectives; speed itself is never asserted."""

from __future__ import annotations

import json
import sys

import pytest

from MedSRLib.bench import csc
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress


def test_both_reach_the_same_objective() -> None:
    pytest.importorskip("sporco")
    found = csc.run(48, iterations=8, runtime=Runtime(), progress=Progress())
    json.dumps(found, allow_nan=False)
    assert [case["image"] for case in found["cases"]] == ["48×48", "12×12×12"]
    for case in found["cases"]:
        assert case["ratio"] > 0
        for theirs, ours in zip(case["ways"][::2], case["ways"][1::2], strict=True):
            assert ours["objective"] <= theirs["objective"] * (1 + 1e-6)
    assert "sporco, FastSolve" in csc.table(found)


def test_without_sporco_ours_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sporco.admm.cbpdn", None)
    found = csc.run(48, iterations=3, runtime=Runtime(), progress=Progress())
    assert [len(case["ways"]) for case in found["cases"]] == [1, 1]
    assert "pip install sporco" in csc.table(found)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(OptionError, match="quarter"):
        csc.run(40, runtime=Runtime(), progress=Progress())
