"""Tables for pages and manuscripts: what is best, how wide they are, and that LaTeX can read them."""

from __future__ import annotations

import math

from MedSRLib.evaluation.measures import MEASURES
from MedSRLib.evaluation.tables import MOST_COLUMNS, Table, latex, shown, tables

SHARP = {"psnr": {"mask": 30.004, "whole": 35.0}, "mae": {"mask": 1.0, "whole": 0.5}, "psi": {"mask": 0.3}}
SOFT = {"psnr": {"mask": 30.001, "whole": 33.0}, "mae": {"mask": 2.0, "whole": math.nan}, "psi": {"mask": 0.4}}
REFERENCE = {"psi": {"mask": 0.45}, "slices": {}}


def texts(table: Table) -> list[list[str]]:
    return [[cell.text + "*" * cell.best for cell in cells] for _, cells in table.rows]


def test_the_best_is_marked_in_the_better_direction_and_what_looks_equal_is_equal() -> None:
    (table,) = tables("×2", ["psnr", "mae", "psi"], {"Sharp": SHARP, "Soft": SOFT}, REFERENCE)
    assert [name for name, _ in table.rows] == ["Reference", "Sharp", "Soft"]
    assert texts(table) == [
        ["–", "–", "–", "–", "0.4500"],
        ["30.00*", "35.00*", "1*", "0.5*", "0.3000"],
        ["30.00*", "33.00", "2", "–", "0.4000*"],
    ]
    assert table.groups[0] == ("PSNR, dB ↑", ("mask", "whole")) and table.groups[1][0] == "MAE, intensity units ↓"


def test_a_single_result_is_not_the_best_of_anything() -> None:
    (table,) = tables("", ["psnr"], {"Only": SHARP}, {})
    assert texts(table) == [["30.00", "35.00"]]


def test_identical_images_have_an_infinite_best() -> None:
    (table,) = tables("", ["psnr"], {"Same": {"psnr": {"mask": math.inf, "whole": math.inf}}, "Soft": SOFT}, {})
    assert texts(table)[0] == ["∞*", "∞*"]
    assert (shown(-math.inf, 2), shown(None, 2), shown(1234.56, None)) == ("−∞", "–", "1235")


def test_no_table_is_wider_than_a_page_and_no_measure_is_lost() -> None:
    names = list(MEASURES)
    entry = {name: dict.fromkeys(one.regions, 1.0) for name, one in MEASURES.items()}
    found = tables("", names, {"A": entry, "B": entry}, {})
    widths = [sum(len(columns) for _, columns in table.groups) for table in found]
    assert max(widths) <= MOST_COLUMNS and sum(widths) == sum(len(one.regions) for one in MEASURES.values())
    assert all(len(cells) == width for table, width in zip(found, widths, strict=True) for _, cells in table.rows)


def test_labels_and_lesions_have_tables_of_their_own_in_their_order() -> None:
    labels = {f"label {n}": n / 20 for n in (10, 2, 1, 11, 12, 3, 4, 5, 6, 7, 8)}
    errors = {"mask": 0.2, "label 1": -0.2, "label 2": 0.3}
    result = {"dice": {"mask": 0.5} | labels, "volume-error": errors}
    worse = {"dice": {"mask": 0.4} | dict.fromkeys(labels, 0.0), "volume-error": errors | {"label 1": 0.25}}
    means, first, second, volumes = tables("×2", ["dice", "volume-error"], {"A": result, "B": worse}, {})
    assert [columns for _, columns in means.groups] == [("mask",), ("mask",)]
    assert first.groups[0][1] == [f"label {n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11)]
    assert second.groups[0][1] == ["label 12"]
    # A volume that is too small by 0.2 is nearer than one too large by 0.25.
    assert texts(volumes) == [["-0.2000*", "0.3000*"], ["0.2500", "0.3000*"]]


def test_latex_escapes_names_and_rules_the_columns() -> None:
    found = tables("×2", ["psnr", "psi"], {"50 % & a_b": SHARP, "Soft": SOFT}, REFERENCE)
    text = latex(found, "Mask: head.\nData range: 100.")
    assert text.startswith("% \\usepackage{booktabs}\n% Mask: head.\n% Data range: 100.\n")
    assert r"50 \% \& a\_b & \textbf{30.00} & \textbf{35.00} & 0.3000 \\" in text
    assert r"Reference & -- & -- & 0.4500 \\" in text and r"\caption{$\times$2}" in text
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in text and r"\begin{tabular}{lrrr}" in text
    assert text.isascii() and text.count("{") == text.count("}")
