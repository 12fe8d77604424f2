"""The measured figures of a run, kept beside its checkpoint so that a curve outlives the window that shows it.

``history.csv`` has a line ``step,name,value,cubic`` for every figure, written when it is measured. A resumed run
drops the lines after its checkpoint: those steps are taken again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from MedSRLib.files import write_text_atomic

FILE = "history.csv"
LAST = "last.ckpt"
"""In a run's folder: what it goes on from."""

BEST = "best.safetensors"
"""In a run's folder: the weights with the smallest validation error."""

_HEADER = "step,name,value,cubic\n"


@dataclass(frozen=True)
class Figure:
    """One measured number; ``cubic`` is what cubic interpolation reaches, where that can be said."""

    step: int
    name: str
    value: float
    cubic: float | None = None

    def line(self) -> str:
        """The figure as a line of the file."""
        return f"{self.step},{self.name},{self.value!r},{'' if self.cubic is None else repr(self.cubic)}\n"


def read(folder: Path) -> list[Figure]:
    """The figures of a run so far, in the order of measurement; none where there is no file."""
    path = folder / FILE
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]
    return [figure for line in lines if (figure := _parsed(line)) is not None]


def begin(folder: Path, step: int) -> None:
    """Start the file, or keep of it what was measured up to ``step``."""
    kept = [figure for figure in read(folder) if figure.step <= step] if step else []
    write_text_atomic(folder / FILE, _HEADER + "".join(figure.line() for figure in kept))


def append(folder: Path, figure: Figure) -> None:
    """Add one figure."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(figure.line())


def _parsed(line: str) -> Figure | None:
    """The figure of a line; None for one that a kill has cut short."""
    parts = line.rstrip("\n").split(",")
    if not line.endswith("\n") or len(parts) != 4:
        return None
    return Figure(int(parts[0]), parts[1], float(parts[2]), float(parts[3]) if parts[3] else None)
