"""Measures as tables that fit a page: the best of each column marked, for HTML and for LaTeX.

A table has at most `MOST_COLUMNS` numbers in a row, which fit A4 across; more measures go into several tables. Labels
and lesions of their own follow in tables of their own. Numbers that look the same are equally good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from MedSRLib.evaluation.measures import MEASURES, Measure
from MedSRLib.evaluation.views import REFERENCE

MOST_COLUMNS = 10

_ARROWS = {True: "↑", False: "↓", None: ""}
_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}"}
_LATEX |= {"^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "×": r"$\times$", "σ": r"$\sigma$", "−": "$-$"}
_LATEX |= {"Δ": r"$\Delta$", "<": "$<$", "°": r"$^\circ$"}
_LATEX |= {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "∞": r"$\infty$", "–": "--", "·": r"$\cdot$", "±": r"$\pm$"}


@dataclass(frozen=True)
class Cell:
    """A number as text, and whether it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """Results in rows.

    Attributes:
        title: of the section, and of what the columns are if they are no measures.
        groups: heading over the columns below it, and the columns' own headings.
        rows: name of the result and its cells.
    """

    title: str
    groups: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[tuple[str, Sequence[Cell]]] = field(default_factory=list)


def tables(
    title: str, names: Sequence[str], results: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Any]
) -> list[Table]:
    """The tables of a section.

    Args:
        title: of the section.
        names: of the measures, in order.
        results: numbers by region by measure, by name of the result.
        reference: those of the reference itself, for measures that need none.
    """
    found = [_table(title, chunk, results, reference) for chunk in _chunks(names)]
    for name in names:
        found += _parts(title, name, results, reference)
    return found


def heading(measure: Measure) -> str:
    """Title, unit and arrow of the better direction."""
    unit = f", {measure.unit}" if measure.unit else ""
    return f"{measure.title}{unit} {_ARROWS[measure.higher_is_better]}".strip()


def shown(value: float | None, digits: int | None) -> str:
    """A number for people: fixed digits, or four significant ones."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"


def latex(found: Sequence[Table], note: str) -> str:
    """The tables for a manuscript, with the rules of the package booktabs; the note tells what the numbers are."""
    parts = [r"% \usepackage{booktabs}", *(f"% {line}" for line in note.splitlines())]
    return "\n".join([*parts, *(_latex_table(table) for table in found)]) + "\n"


def _chunks(names: Sequence[str]) -> list[list[str]]:
    """The measures of each table; one with two regions takes two columns."""
    chunks: list[list[str]] = []
    for name in names:
        used = sum(len(MEASURES[n].regions) for n in chunks[-1]) if chunks else MOST_COLUMNS
        if used + len(MEASURES[name].regions) > MOST_COLUMNS:
            chunks.append([])
        chunks[-1].append(name)
    return chunks


def _table(
    title: str, names: Sequence[str], results: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Any]
) -> Table:
    columns = [(name, region) for name in names for region in MEASURES[name].regions]
    groups = [(heading(MEASURES[name]), MEASURES[name].regions) for name in names]
    return Table(title, groups, _rows(columns, results, reference))


def _parts(
    title: str, name: str, results: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Any]
) -> list[Table]:
    """A measure by label or lesion, in as many tables as are needed."""
    everything = [*results.values(), reference]
    parts = {region: None for entry in everything for region in entry.get(name, ()) if region not in ("mask", "whole")}
    kinds = sorted(parts, key=lambda region: int(region.split()[-1]))
    found = []
    for start in range(0, len(kinds), MOST_COLUMNS):
        chunk = kinds[start : start + MOST_COLUMNS]
        rows = _rows([(name, region) for region in chunk], results, reference)
        found.append(Table(title, [(heading(MEASURES[name]), chunk)], rows))
    return found


def _rows(
    columns: Sequence[tuple[str, str]], results: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Any]
) -> list[tuple[str, list[Cell]]]:
    def number(entry: Mapping[str, Any], column: tuple[str, str]) -> float:
        value = entry.get(column[0], {}).get(column[1])
        return float("nan") if value is None else float(value)

    best = [_best(MEASURES[c[0]], [number(entry, c) for entry in results.values()]) for c in columns]
    rows = []
    for name, entry in results.items():
        texts = [shown(number(entry, c), MEASURES[c[0]].digits) for c in columns]
        rows.append(
            (name, [Cell(t, len(results) > 1 and t.lstrip("-") == b) for t, b in zip(texts, best, strict=True)])
        )
    if any(name in reference for name, _ in columns):
        rows.insert(0, (REFERENCE, [Cell(shown(number(reference, c), MEASURES[c[0]].digits)) for c in columns]))
    return rows


def _best(measure: Measure, values: Sequence[float]) -> str | None:
    valid = [abs(v) if measure.higher_is_better is False else v for v in values if not math.isnan(v)]
    if measure.higher_is_better is None or not valid:
        return None
    return shown((max if measure.higher_is_better else min)(valid), measure.digits)


def _latex_table(table: Table) -> str:
    count = sum(len(columns) for _, columns in table.groups)
    head = " & ".join(rf"\multicolumn{{{len(columns)}}}{{c}}{{{escaped(name)}}}" for name, columns in table.groups)
    below = " & ".join(escaped(column) for _, columns in table.groups for column in columns)
    rules, place = "", 2
    for _, columns in table.groups:
        rules += rf"\cmidrule(lr){{{place}-{place + len(columns) - 1}}}"
        place += len(columns)
    lines = [rf"{escaped(name)} & {' & '.join(map(_latex_cell, cells))} \\" for name, cells in table.rows]
    start = [r"\begin{table}", r"\centering", *([rf"\caption{{{escaped(table.title)}}}"] if table.title else [])]
    body = [rf"\begin{{tabular}}{{l{'r' * count}}}", r"\toprule", rf" & {head} \\", rules, rf"Result & {below} \\"]
    return "\n".join([*start, *body, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def _latex_cell(cell: Cell) -> str:
    text = escaped(cell.text)
    return rf"\textbf{{{text}}}" if cell.best else text


def escaped(text: str) -> str:
    """Text for LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)
