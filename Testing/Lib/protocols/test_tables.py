"""Means, gains and p-values of a summary, on numbers made for it."""

import pytest

from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.tables import latex, markdown, summarise

PROTOCOL = Protocol.model_validate(
    {
        "protocol": {"name": "made_up", "scales": [2], "baselines": ["Old"]},
        "volumes": [{"label": "heads"}],
        "degradation": [{"name": "physical", "kind": "physical"}],
        "method": [{"label": "Old", "identifier": "bspline"}, {"label": "New", "identifier": "arssr"}],
    }
)


def rows(count, gain=1.0):
    found = []
    for i in range(count):
        for method, extra in (("Old", 0.0), ("New", gain + 0.01 * i)):
            place = {
                "group": "heads",
                "degradation": "physical",
                "scale": "2",
                "method": method,
                "sha256": str(i),
            }
            found.append(place | {"psnr_mask": 30.0 + i + extra, "ssim_mask": 0.9 - extra / 100 + 0.001 * i})
    return found[::-1]


def test_gains_are_tested_pair_by_pair_and_corrected():
    old, new = summarise(PROTOCOL, rows(8))
    assert (old["n"], old["psnr_mask"]["mean"]) == (8, pytest.approx(33.5))
    assert old["psnr_mask"]["sd"] == pytest.approx(2.449490)
    assert old["psnr_mask"]["against"] == {}
    test = new["psnr_mask"]["against"]["Old"]
    assert test["gain"] == pytest.approx(1.035)
    assert test["p"] == pytest.approx(2 * 2**-8)  # two tests (PSNR, SSIM): Holm doubles the smaller
    assert new["ssim_mask"]["against"]["Old"]["p"] == pytest.approx(1)


def test_three_volumes_give_means_and_no_p():
    _, new = summarise(PROTOCOL, rows(3))
    assert new["psnr_mask"]["against"]["Old"]["p"] is None
    assert "| –" in markdown(PROTOCOL, summarise(PROTOCOL, rows(3)), {})


def test_one_volume_has_no_deviation():
    text = markdown(PROTOCOL, summarise(PROTOCOL, rows(1)), {})
    assert "30.00 ±" not in text and "30.00" in text


def test_markdown_columns_line_up():
    text = markdown(PROTOCOL, summarise(PROTOCOL, rows(8)), {"medsr": "1"})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({len(line) for line in lines}) == 1
    assert "## heads, physical degradation (n = 8)" in text
    assert "| ×2    | New    | 34.53 ± 2.47 |" in lines[3]


def test_latex_is_a_booktabs_table_with_escaped_text():
    text = latex(PROTOCOL, summarise(PROTOCOL, rows(8)))
    assert r"made\_up" in text and r"$\times$2 & New & 34.53 $\pm$ 2.47" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
