"""The summary of a benchmark as tables that fit a page: Markdown, LaTeX, and what the HTML page shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from MedSRLib.evaluation.tables import Cell, escaped
from MedSRLib.protocols import columns
from MedSRLib.protocols.columns import Column
from MedSRLib.protocols.protocol import Protocol
from MedSRLib.protocols.summary import Entry

WIDEST = 8
"""Columns of numbers that fit the width of a page."""


@dataclass(frozen=True)
class Table:
    """One table: of one group and degradation, and of as many measures as fit a page.

    Attributes:
        title: what is measured.
        count: volumes, of the scale that has most.
        header: of all columns; the first two are text.
        lines: the cells.
        scales: of each line, so that scales can be set apart.
    """

    title: str
    count: int
    header: list[str]
    lines: list[list[Cell]]
    scales: list[str]


def tables(protocol: Protocol, summary: Sequence[Entry]) -> list[Table]:
    """The tables of a summary, one after the other for each group and degradation."""
    found: list[Table] = []
    for group, degradation in dict.fromkeys((e["group"], e["degradation"]) for e in summary):
        entries = [e for e in summary if (e["group"], e["degradation"]) == (group, degradation)]
        measured = {e["method"] for e in entries}
        baselines = tuple(b for b in protocol.protocol.baselines if b in measured)
        found += [
            Table(
                title=f"{group}, {degradation} degradation",
                count=max(e["n"] for e in entries),
                header=["Scale", "Method", *_header(chosen, baselines)],
                lines=[_line(entry, entries, chosen, baselines) for entry in entries],
                scales=[e["scale"] for e in entries],
            )
            for chosen in _chunks(columns.of(protocol), len(baselines))
        ]
    return found


def markdown(protocol: Protocol, shown: Sequence[Table], about: Mapping[str, Any], more: str = "") -> str:
    """The tables as Markdown; ``more`` follows the note."""
    lines = [f"# {protocol.protocol.name}", "", protocol.protocol.description, ""]
    title = ""
    for table in shown:
        heading = f"## {table.title} (n = {table.count})"
        if heading != title:
            lines += [heading, ""]
            title = heading
        body = [[cell.text for cell in line] for line in table.lines]
        widths = [max(len(line[i]) for line in [table.header, *body]) for i in range(len(table.header))]
        lines.append(_joined(table.header, widths))
        lines.append("|" + "|".join("-" * (w + 1) + (":" if i > 1 else "-") for i, w in enumerate(widths)) + "|")
        lines += [_joined(line, widths) for line in body]
        lines.append("")
    told = {key: value for key, value in about.items() if not isinstance(value, Mapping)}
    lines += [
        " ".join(filter(None, [note(protocol), more])),
        "",
        " · ".join(f"{key}: {value}" for key, value in told.items()),
        "",
    ]
    return "\n".join(lines)


def latex(protocol: Protocol, shown: Sequence[Table]) -> str:
    """The tables as LaTeX (package booktabs), each as wide as a page."""
    blocks = ["% Needs \\usepackage{booktabs}."]
    for table in shown:
        title = f"{protocol.protocol.name}: {table.title} (n = {table.count}). {note(protocol)}"
        rows = []
        for i, line in enumerate(table.lines):
            if i and table.scales[i] != table.scales[i - 1]:
                rows.append(r"\midrule")
            rows.append(" & ".join(_marked(cell) for cell in line) + r" \\")
        blocks += [
            r"\begin{table}",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{escaped(title)}}}",
            rf"\begin{{tabular}}{{@{{}}ll{'r' * (len(table.header) - 2)}@{{}}}}",
            r"\toprule",
            " & ".join(escaped(text) for text in table.header) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(blocks)


def note(protocol: Protocol) -> str:
    """How the numbers are to be read."""
    where = "brain" if protocol.protocol.mask == "brain" else "foreground"
    averaged = ", its frames and rotations averaged" if len(protocol.protocol.rotations) > 1 else ""
    text = (
        f"Mean ± standard deviation over volumes{averaged}, inside the {where} mask where the measure has one; PSNR "
        "with the range of the reference; arrows point to the better side."
    )
    if not protocol.protocol.baselines or not columns.tested(protocol):
        return text
    return (
        f"{text} Δ: difference of the mean to that method's. p: one-sided paired Wilcoxon signed-rank test that the "
        "method is better, Holm-corrected within a scale; – where there are fewer than six volumes."
    )


def _chunks(chosen: Sequence[Column], baselines: int) -> Iterator[list[Column]]:
    """The columns of tables that are not too wide."""
    chunk: list[Column] = []
    width = 0
    for column in chosen:
        wide = 1 + 2 * baselines if column.tested else 1
        if chunk and width + wide > WIDEST:
            yield chunk
            chunk, width = [], 0
        chunk.append(column)
        width += wide
    yield chunk


def _header(chosen: Sequence[Column], baselines: Sequence[str]) -> list[str]:
    header = []
    for column in chosen:
        header.append(column.title)
        for baseline in baselines if column.tested else ():
            header += [f"Δ {baseline}", "p"]
    return header


def _line(entry: Entry, entries: Sequence[Entry], chosen: Sequence[Column], baselines: Sequence[str]) -> list[Cell]:
    cells = [Cell(f"×{entry['scale']}"), Cell(entry["method"])]
    rivals = [e for e in entries if e["scale"] == entry["scale"]]
    for column in chosen:
        numbers = entry[column.key]
        alone = numbers["sd"] is None or not math.isfinite(numbers["mean"])
        spread = "" if alone else f" ± {column.shown(numbers['sd'], like=numbers['mean'])}"
        cells.append(Cell(column.shown(numbers["mean"]) + spread, _is_best(numbers["mean"], rivals, column)))
        for baseline in baselines if column.tested else ():
            test = numbers["against"].get(baseline)
            texts = (
                ("", "") if test is None else (column.shown(test["gain"], "+", like=numbers["mean"]), p_text(test["p"]))
            )
            cells += [Cell(text) for text in texts]
    return cells


def _is_best(mean: float, rivals: Sequence[Entry], column: Column) -> bool:
    """Whether no method of the scale shows a better number; equal to the shown digits is equally good."""
    means = [m for e in rivals if (m := e[column.key]["mean"]) == m]
    if column.higher_is_better is None or len(rivals) < 2 or not means:
        return False
    return column.shown(mean) == column.shown((max if column.higher_is_better else min)(means))


def p_text(p: float | None) -> str:
    """A p-value for people."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    pad: list[Callable[[str, int], str]] = [str.ljust if i < 2 else str.rjust for i in range(len(cells))]
    return "| " + " | ".join(p(c, w) for p, c, w in zip(pad, cells, widths, strict=True)) + " |"


def _marked(cell: Cell) -> str:
    if not cell.best:
        return escaped(cell.text)
    mean, *spread = cell.text.split(" ", 1)
    return " ".join([rf"\textbf{{{escaped(mean)}}}", *map(escaped, spread)])
