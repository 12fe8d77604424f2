"""One colour per volume, the same in views, plots and tables; told apart by colour-blind readers (Okabe and Ito)."""

from __future__ import annotations

REFERENCE = "#7F7F7F"
"""Grey reads on the black of slice views and on the white of plots."""

ACCENTS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#882255")


def accent(index: int) -> str:
    """The colour "#RRGGBB" of the result at ``index`` (from 0); after the eighth they begin again."""
    return ACCENTS[index % len(ACCENTS)]


def ordered(count: int, *, reference: bool) -> list[str]:
    """The colours of ``count`` volumes in their order, of which the first may be the reference."""
    first = [REFERENCE] if reference and count else []
    return first + [accent(index) for index in range(count - len(first))]


def rgb(color: str) -> tuple[float, float, float]:
    """ "#RRGGBB" as red, green, blue of 0 to 1."""
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
