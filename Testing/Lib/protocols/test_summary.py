"""Means, gains and p-values of a summary, on numbers made for it."""

import pytest

from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import by_rotation, summarise


def protocol(**header):
    return Protocol.model_validate(
        {
            "protocol": {"name": "made_up", "scales": [2], "baselines": ["Old"], "measures": ["psnr", "ssim"]} | header,
            "volumes": [{"label": "heads"}],
            "degradation": [{"name": "physical", "kind": "physical"}],
            "method": [{"label": "Old", "identifier": "bspline"}, {"label": "New", "identifier": "arssr"}],
        }
    )


def row(method, volume, **numbers):
    place = {"group": "heads", "degradation": "physical", "scale": "2", "rotation": 0.0}
    return place | {"method": method, "sha256": str(volume)} | numbers


def rows(count, gain=1.0):
    found = []
    for i in range(count):
        for method, extra in (("Old", 0.0), ("New", gain + 0.01 * i)):
            found.append(row(method, i, psnr_mask=30.0 + i + extra, ssim_mask=0.9 - extra / 100 + 0.001 * i))
    return found[::-1]


def test_gains_are_tested_pair_by_pair_and_corrected():
    old, new = summarise(protocol(), rows(8))
    assert (old["n"], old["psnr_mask"]["mean"]) == (8, pytest.approx(33.5))
    assert old["psnr_mask"]["sd"] == pytest.approx(2.449490)
    assert old["psnr_mask"]["against"] == {}
    test = new["psnr_mask"]["against"]["Old"]
    assert test["gain"] == pytest.approx(1.035)
    assert test["p"] == pytest.approx(2 * 2**-8)  # two tests (PSNR, SSIM): Holm doubles the smaller
    assert new["ssim_mask"]["against"]["Old"]["p"] == pytest.approx(1)


def test_lower_is_better_where_the_measure_says_so():
    found = [row("Old", i, mae_mask=5.0 + i) for i in range(7)] + [row("New", i, mae_mask=4.0 + i) for i in range(7)]
    _, new = summarise(protocol(measures=["mae"], tested=["mae"]), found)
    assert new["mae_mask"]["against"]["Old"] == {"gain": pytest.approx(-1), "p": pytest.approx(2**-7)}


def test_frames_and_rotations_of_a_volume_are_one_vote():
    found = [
        row("Old", i, psnr_mask=30.0 + turn, ssim_mask=0.9) | {"rotation": turn} for i in range(3) for turn in (0, 2)
    ]
    (old,) = summarise(protocol(rotations=[0, 2]), found)
    assert (old["n"], old["psnr_mask"]["mean"], old["psnr_mask"]["sd"]) == (3, 31.0, 0.0)
    angles = by_rotation(protocol(rotations=[0, 2]), found)
    assert [(e["rotation"], e["n"], e["psnr_mask"]) for e in angles] == [(0, 3, 30.0), (2, 3, 32.0)]


def test_one_rotation_has_no_entries_by_rotation():
    assert by_rotation(protocol(), rows(3)) == []


def test_three_volumes_give_means_and_no_p():
    _, new = summarise(protocol(), rows(3))
    assert new["psnr_mask"]["against"]["Old"]["p"] is None


def test_a_perfect_result_has_no_mean_rather_than_a_wrong_one():
    old, _ = summarise(protocol(), [*rows(3), row("Old", 9, psnr_mask=None, ssim_mask=1.0)])
    assert old["psnr_mask"]["mean"] != old["psnr_mask"]["mean"]


def test_methods_that_were_left_out_have_no_entry():
    found = [r for r in rows(8) if r["method"] == "New"]
    (new,) = summarise(protocol(), found)
    assert new["psnr_mask"]["against"] == {}
