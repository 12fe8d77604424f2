"""The measures of a protocol as columns of its results: their names, headings and directions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from MedSRLib.errors import OptionError
from MedSRLib.evaluation import measures
from MedSRLib.evaluation.slicewise import SLICE_METRICS

if TYPE_CHECKING:
    from MedSRLib.protocols.protocol import Protocol

TESTED = ("psnr", "ssim")
IN_PLANE = "in-plane"
"""The region of a 2D measure's mean over the slices in their own plane."""
_ARROWS = {True: " ↑", False: " ↓", None: ""}


@dataclass(frozen=True)
class Column:
    """What tables and figures show of a measure: its number in the first of its regions.

    Attributes:
        measure: its name.
        key: of the number in a row of the results: "psnr_mask".
        title: with unit, and an arrow to the better side.
        digits: behind the point; None for four significant ones.
        higher_is_better: None where neither is.
        tested: whether gains and p-values are given.
    """

    measure: str
    key: str
    title: str
    digits: int | None
    higher_is_better: bool | None
    tested: bool

    def shown(self, value: float | None, sign: str = "", like: float | None = None) -> str:
        """The number for people, to as many digits as another one it stands beside; a dash where there is none."""
        if value is None or value != value:
            return "–"
        digits = _digits(value if like is None else like) if self.digits is None else self.digits
        return f"{value:{sign}.{digits}f}"


def _digits(value: float) -> int:
    """Behind the point, for four significant digits."""
    return min(6, max(0, 3 - math.floor(math.log10(abs(value))))) if value and math.isfinite(value) else 0


def names(protocol: Protocol) -> tuple[str, ...]:
    """The measures of the protocol, each once, whether or not they can be taken here."""
    wanted = [one for name in protocol.protocol.measures for one in measures.SETS.get(name, (name,))]
    return tuple(name for name in measures.MEASURES if name in wanted)


def of(protocol: Protocol) -> list[Column]:
    """The columns of the protocol's tables, tested ones first."""
    found = [_column(protocol, name) for name in names(protocol)]
    return sorted(found, key=lambda column: not column.tested)


def tested(protocol: Protocol) -> tuple[str, ...]:
    """The measures that get gains and p-values."""
    given, all_names = protocol.protocol.tested, names(protocol)
    return tuple(name for name in TESTED if name in all_names) if given is None else given


def check(protocol: Protocol) -> None:
    """Refuse measures that do not exist, and tests of what is not measured or has no better side.

    Raises:
        OptionError: with the name.
    """
    for name in protocol.protocol.measures:
        if name not in measures.SETS and name not in measures.MEASURES:
            measures.chosen([name])  # says which there are
    for name in tested(protocol):
        if name not in names(protocol):
            raise OptionError(f"The protocol tests '{name}', which is not among its measures.", "", "Add it there.")
        if measures.MEASURES[name].higher_is_better is None:
            raise OptionError(f"The measure '{name}' has no better side and cannot be tested.", "", "Leave it out.")


def description(protocol: Protocol, name: str) -> str:
    """What the column of a measure holds, in one line."""
    text = measures.MEASURES[name].description
    return f"{text}; here over the slices in their own plane" if _is_in_plane(protocol, name) else text


def _is_in_plane(protocol: Protocol, name: str) -> bool:
    return protocol.protocol.slices == "in-plane" and name in SLICE_METRICS


def _column(protocol: Protocol, name: str) -> Column:
    measure = measures.MEASURES[name]
    region = IN_PLANE if _is_in_plane(protocol, name) else measure.regions[0]
    unit = f", {measure.unit}" if measure.unit else ""
    title = f"{measure.title}{unit}{_ARROWS[measure.higher_is_better]}"
    return Column(name, f"{name}_{region}", title, measure.digits, measure.higher_is_better, name in tested(protocol))
