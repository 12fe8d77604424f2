"""Scales of a protocol: one factor, three along x, y, z, or factors in and through the plane of the slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from MedSRLib.grids import Grid

AXES = ("x", "y", "z")
AxisName = Literal["x", "y", "z"]
Factor = Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)]
Triple = tuple[float, float, float]

_COARSER = 1.05
"""Slices lie along an axis whose spacing is at least so many times that of the others."""


class SliceScale(BaseModel):
    """Factors for the two axes in the plane of the slices, and for the axis through them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_plane: Factor = Field(default=1.0, alias="in-plane")
    through_plane: Factor = Field(default=1.0, alias="through-plane")


def _form(value: Any) -> str:
    """Which of the three forms a scale has, so that its own mistakes are named."""
    if isinstance(value, SliceScale | dict):
        return "slices"
    return "axes" if isinstance(value, Sequence) and not isinstance(value, str) else "factor"


Scale = Annotated[
    Annotated[Factor, Tag("factor")]
    | Annotated[tuple[Factor, Factor, Factor], Tag("axes")]
    | Annotated[SliceScale, Tag("slices")],
    Discriminator(_form),
]


def scale_text(scale: float | Sequence[float] | SliceScale) -> str:
    """A scale for people and file names: "2.5", "1,1,4", "2 in-plane", "2 in-plane 3 through-plane"."""
    if isinstance(scale, SliceScale):
        named = (("in-plane", scale.in_plane), ("through-plane", scale.through_plane))
        return " ".join(f"{factor:g} {name}" for name, factor in named if factor > 1) or "1"
    return ",".join(f"{s:g}" for s in scale) if isinstance(scale, Sequence) else f"{scale:g}"


def factors(scale: float | Sequence[float] | SliceScale, axis: int) -> Triple:
    """The factors along x, y, z; ``axis`` (0 to 2 for x to z) runs through the slices."""
    if isinstance(scale, SliceScale):
        x, y, z = (scale.through_plane if a == axis else scale.in_plane for a in range(3))
        return x, y, z
    if isinstance(scale, Sequence):
        return scale[0], scale[1], scale[2]
    return scale, scale, scale


def slice_axis(grid: Grid, named: str | None = None) -> int:
    """The image axis, 0 to 2 for x to z, that runs through the slices.

    The named one; else the one with the coarsest spacing; z where none is at least 5 % coarser than both others.
    """
    if named is not None:
        return AXES.index(named)
    order = sorted(range(3), key=lambda a: grid.spacing[a])
    return order[2] if grid.spacing[order[2]] >= _COARSER * grid.spacing[order[1]] else 2


def is_one(scale: Any) -> bool:
    """Whether the scale leaves the grid as it is."""
    return max(factors(scale, 2)) == 1
