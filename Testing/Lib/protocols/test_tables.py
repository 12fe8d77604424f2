"""Tables of a summary, on numbers made for it."""

from MedSRLib.protocols import tables
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import summarise

PROTOCOL = Protocol.model_validate(
    {
        "protocol": {"name": "made_up", "scales": [2], "baselines": ["Old"], "measures": ["psnr", "ssim"]},
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


def markdown(found, about):
    return tables.markdown(PROTOCOL, tables.tables(PROTOCOL, summarise(PROTOCOL, found)), about)


def latex(found):
    return tables.latex(PROTOCOL, tables.tables(PROTOCOL, summarise(PROTOCOL, found)))


def test_three_volumes_have_no_p():
    assert "| –" in markdown(rows(3), {})


def test_one_volume_has_no_deviation():
    text = markdown(rows(1), {})
    assert "30.00 ±" not in text and "30.00" in text


def test_what_was_measured_nowhere_is_one_dash():
    unknown = [row | {"ssim_mask": None} for row in rows(8)]
    text = markdown(unknown, {})
    assert "– ±" not in text and "34.53 ± 2.47" in text


def test_markdown_columns_line_up():
    text = markdown(rows(8), {"medsr": "1"})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({len(line) for line in lines}) == 1
    assert "## heads, physical degradation (n = 8)" in text
    assert "| ×2    | New    | 34.53 ± 2.47 |" in lines[3]


def test_latex_is_a_booktabs_table_with_escaped_text():
    text = latex(rows(8))
    assert r"made\_up" in text and r"$\times$2 & New & \textbf{34.53} $\pm$ 2.47" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1


def test_tables_are_split_before_they_are_wider_than_a_page():
    wide = Protocol.model_validate(
        PROTOCOL.model_dump(by_alias=True)
        | {
            "protocol": {
                "name": "wide",
                "scales": [2],
                "baselines": ["Old"],
                "measures": ["core", "vif", "hfen", "nmi"],
            }
        }
    )
    found = [row | dict.fromkeys(("mae_mask", "nrmse_mask", "ncc_mask", "vif_mask", "hfen_mask", "nmi_mask"), 0.5)
             for row in rows(8)]  # fmt: skip
    shown = tables.tables(wide, summarise(wide, found))
    assert [len(table.header) for table in shown] == [10, 6]
    assert shown[0].header[2].startswith("PSNR, dB") and shown[0].header[2].endswith("↑")
    assert all(len(line) == len(table.header) for table in shown for line in table.lines)


def test_equal_to_the_shown_digits_is_equally_good_and_a_single_method_is_not_best():
    (table,) = tables.tables(PROTOCOL, summarise(PROTOCOL, rows(8, gain=-0.035)))
    assert [line[2].best for line in table.lines] == [True, True]
    (alone,) = tables.tables(PROTOCOL, summarise(PROTOCOL, [r for r in rows(8) if r["method"] == "Old"]))
    assert not any(cell.best for line in alone.lines for cell in line)
