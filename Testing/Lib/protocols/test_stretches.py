"""Votes of stretches, on numbers made for it."""

import pytest

from MedSRLib.protocols import stretches, tables
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.stretches import by_stretch

PROTOCOL = Protocol.model_validate(
    {
        "protocol": {"name": "made_up", "scales": [4], "baselines": ["Old"], "measures": ["psnr", "ssim"]},
        "volumes": [{"label": "heads"}],
        "degradation": [{"name": "physical", "kind": "physical"}],
        "method": [{"label": "Old", "identifier": "bspline"}, {"label": "New", "identifier": "arssr"}],
    }
)


def measured(gains, volumes=1, spacing=2.5):
    """Old and New by slice; a gain of None is a slice of air."""
    found = []
    for volume in range(volumes):
        labels = {"group": "heads", "degradation": "physical", "scale": "4", "sha256": str(volume)}
        places = {
            "axis": "k",
            "index": list(range(len(gains))),
            "position_mm": [spacing * n for n in range(len(gains))],
        }
        old = [None if gain is None else 20.0 + n for n, gain in enumerate(gains)]
        new = [None if gain is None else 20.0 + n + gain for n, gain in enumerate(gains)]
        found += [(labels | {"method": m}, places | {"psnr": v}) for m, v in (("Old", old), ("New", new))]
    return found


def test_ten_millimetres_are_one_vote():
    gains = [None, *[1.0 + 0.01 * n for n in range(27)]]  # 70 mm: 7 stretches of 4 slices of 2.5 mm
    (entry,) = by_stretch(PROTOCOL, measured(gains))
    assert (entry["method"], entry["baseline"], entry["measure"], entry["n"]) == ("New", "Old", "psnr", 7)
    assert entry["p"] == pytest.approx(2**-7)
    assert entry["gain"] == pytest.approx(sum([1.01, *[1.045 + 0.04 * n for n in range(6)]]) / 7)


def test_a_few_good_slices_are_not_enough():
    (entry,) = by_stretch(PROTOCOL, measured([9.0] * 4 + [-0.1] * 28))
    assert entry["gain"] > 1
    assert entry["p"] > 0.5


def test_volumes_enough_for_a_test_need_no_stretches():
    assert by_stretch(PROTOCOL, measured([1.0] * 30, volumes=6)) == []
    assert by_stretch(PROTOCOL, measured([1.0] * 30, volumes=2))[0]["n"] == 16
    assert stretches.note([]) == ""


def test_the_table_says_what_it_is():
    entries = by_stretch(PROTOCOL, measured([1.0] * 30))
    (table,) = stretches.tables(entries)
    text = tables.markdown(PROTOCOL, [table], {}, stretches.note(entries))
    assert "physical degradation: PSNR, by stretches of 10 mm (n = 8)" in text
    assert "| ×4    | New    | +1.00 | 0.004 |" in text
    assert "not whether it would hold for other patients" in text
