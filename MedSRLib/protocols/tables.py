"""From measurements to tables: means, gains over each baseline, and whether they are more than chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from MedSRLib.evaluation.statistics import holm, mean_and_deviation, wilcoxon_greater
from MedSRLib.protocols.protocol import Protocol, scale_text

Row = Mapping[str, Any]
Entry = dict[str, Any]
COMPARED = {"psnr_mask": ("PSNR, dB", 2), "ssim_mask": ("SSIM", 4)}
"""Column of the results, its title and digits: what the tables show, all inside the mask."""


def summarise(protocol: Protocol, rows: Sequence[Row]) -> list[Entry]:
    """One entry for each group, degradation, scale and method.

    ``{"group", "degradation", "scale", "method", "n", "psnr_mask": {"mean", "sd", "against": {baseline:
    {"gain", "p"}}}, "ssim_mask": ...}``; p is the one-sided paired Wilcoxon p that the method is better,
    Holm-corrected over all tests of the same group, degradation and scale; None with too few volumes.
    """
    summary = []
    for group in [v.label for v in protocol.volumes]:
        for degradation in [d.name for d in protocol.degradation]:
            for scale in [scale_text(s) for s in protocol.protocol.scales]:
                chosen = [r for r in rows if (r["group"], r["degradation"], r["scale"]) == (group, degradation, scale)]
                if chosen:
                    place = {"group": group, "degradation": degradation, "scale": scale}
                    summary += [place | entry for entry in _compared(protocol, chosen)]
    return summary


def markdown(protocol: Protocol, summary: Sequence[Entry], about: Mapping[str, Any]) -> str:
    """The tables of the summary, one for each group and degradation, as Markdown."""
    lines = [f"# {protocol.protocol.name}", "", protocol.protocol.description, ""]
    for group, degradation in _tables(summary):
        entries = [e for e in summary if (e["group"], e["degradation"]) == (group, degradation)]
        header, body = _columns(protocol), [_cells(protocol, e) for e in entries]
        lines += [f"## {group}, {degradation} degradation (n = {max(e['n'] for e in entries)})", ""]
        widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
        lines.append(_joined(header, widths))
        lines.append("|" + "|".join("-" * (w + 1) + (":" if i > 1 else "-") for i, w in enumerate(widths)) + "|")
        lines += [_joined(line, widths) for line in body]
        lines.append("")
    lines += [_note(), "", " · ".join(f"{key}: {value}" for key, value in about.items()), ""]
    return "\n".join(lines)


def latex(protocol: Protocol, summary: Sequence[Entry]) -> str:
    """The same tables as LaTeX (package booktabs)."""
    blocks = []
    for group, degradation in _tables(summary):
        entries = [e for e in summary if (e["group"], e["degradation"]) == (group, degradation)]
        header = _columns(protocol)
        count = max(e["n"] for e in entries)
        title = f"{protocol.protocol.name}: {group}, {degradation} degradation (n = {count}). "
        rows = []
        for i, entry in enumerate(entries):
            if i and entry["scale"] != entries[i - 1]["scale"]:
                rows.append(r"\midrule")
            rows.append(" & ".join(_escaped(c) for c in _cells(protocol, entry)) + r" \\")
        blocks += [
            r"\begin{table}",
            rf"\caption{{{_escaped(title + _note())}}}",
            rf"\begin{{tabular}}{{ll{'r' * (len(header) - 2)}}}",
            r"\toprule",
            " & ".join(_escaped(c) for c in header) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(blocks)


def _compared(protocol: Protocol, rows: Sequence[Row]) -> list[Entry]:
    """The entries of one group, degradation and scale."""
    methods = [m.label for m in protocol.method]
    by_method = {m: {r["sha256"]: r for r in rows if r["method"] == m} for m in methods}
    entries: list[Entry] = []
    tests: list[tuple[Entry, float | None]] = []
    for method in methods:
        entry: Entry = {"method": method, "n": len(by_method[method])}
        for metric in COMPARED:
            mean, deviation = mean_and_deviation(_values(by_method[method], metric))
            entry[metric] = {"mean": mean, "sd": deviation, "against": {}}
            for baseline in _rivals(protocol, method):
                ours, theirs = (_values(by_method[m], metric) for m in (method, baseline))
                test: Entry = {"gain": mean - mean_and_deviation(theirs)[0], "p": None}
                entry[metric]["against"][baseline] = test
                tests.append((test, wilcoxon_greater(ours, theirs)))
        entries.append(entry)
    for (test, _), p in zip(tests, holm([p for _, p in tests]), strict=True):
        test["p"] = p
    return entries


def _rivals(protocol: Protocol, method: str) -> tuple[str, ...]:
    """The baselines a method is compared with; a baseline itself only with those named before it."""
    baselines = protocol.protocol.baselines
    return baselines[: baselines.index(method)] if method in baselines else baselines


def _values(by_volume: Mapping[str, Row], metric: str) -> list[float]:
    """Values in one order of the volumes; a perfect result (null) counts as not a number."""
    return [float("nan") if by_volume[v][metric] is None else float(by_volume[v][metric]) for v in sorted(by_volume)]


def _tables(summary: Sequence[Entry]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((e["group"], e["degradation"]) for e in summary))


def _columns(protocol: Protocol) -> list[str]:
    columns = ["Scale", "Method"]
    for title, _ in COMPARED.values():
        columns.append(title)
        for baseline in protocol.protocol.baselines:
            columns += [f"Δ {baseline}", "p"]
    return columns


def _cells(protocol: Protocol, entry: Entry) -> list[str]:
    cells = [f"×{entry['scale']}", entry["method"]]
    for metric, (_, digits) in COMPARED.items():
        numbers = entry[metric]
        spread = "" if numbers["sd"] is None else f" ± {numbers['sd']:.{digits}f}"
        cells.append(f"{numbers['mean']:.{digits}f}{spread}")
        for baseline in protocol.protocol.baselines:
            test = numbers["against"].get(baseline)
            cells += ["", ""] if test is None else [f"{test['gain']:+.{digits}f}", _p_text(test["p"])]
    return cells


def _p_text(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _note() -> str:
    return (
        "Mean ± standard deviation over volumes, inside the foreground mask; PSNR with the range of the "
        "reference. Δ: gain of the mean over that method. p: one-sided paired Wilcoxon "
        "signed-rank test that the method is better, Holm-corrected within a scale; – where there are fewer "
        "than six volumes."
    )


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    pad: list[Callable[[str, int], str]] = [str.ljust if i < 2 else str.rjust for i in range(len(cells))]
    return "| " + " | ".join(p(c, w) for p, c, w in zip(pad, cells, widths, strict=True)) + " |"


def _escaped(text: str) -> str:
    """Text for LaTeX."""
    for plain, code in (
        ("%", r"\%"), ("&", r"\&"), ("_", r"\_"), ("#", r"\#"),
        ("Δ", r"$\Delta$"), ("×", r"$\times$"), ("±", r"$\pm$"), ("<", r"$<$"), ("–", "--"),
    ):  # fmt: skip
        text = text.replace(plain, code)
    return text
