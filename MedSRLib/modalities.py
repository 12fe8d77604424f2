"""What an image shows, as far as its name tells; a guess that a user can correct."""

from __future__ import annotations

import re

# "T1" counts where a word begins or after what scanners put before it ("AXT1", "3DT1", "sT1W"), not in "patient1".
_BEFORE = r"(?:^|[^a-z]|(?:ax|sag|cor|tra|[23]d|pre|post)_?|(?:^|[^a-z])[es])"
# In this order: "T2 FLAIR" is a FLAIR, and "T1" in "T1 after T2" stands first.
_PATTERNS = (
    ("FLAIR", r"flair|dark.?fluid"),
    ("cine", r"cine|ssfp"),
    ("PD", r"(^|[^a-z])pdw?([^a-z]|$)|proton"),
    ("T1w", _BEFORE + r"t1(?!\d)|mp.?rage|spgr|bravo|mrhead"),
    ("T2w", _BEFORE + r"t2(?!\d)|(^|[^a-z])t[sf]e|fse|haste"),
    ("CT", r"(^|[^a-z])ct([^a-z]|$)"),
    ("PET", r"(^|[^a-z])(pet|suv)([^a-z]|$)"),
)


def named(name: str) -> list[str]:
    """The modalities that a file's, a series' or a volume's name speaks of, the likeliest first."""
    return [modality for modality, pattern in _PATTERNS if re.search(pattern, name.lower())]


def of_name(name: str) -> str:
    """The likeliest modality; empty if the name tells none."""
    return next(iter(named(name)), "")
