"""Scales in and through the plane of the slices."""

import pytest

from MedSRLib.grids import Grid
from MedSRLib.protocols.scales import SliceScale, factors, scale_text, slice_axis

FLAT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
THICK = SliceScale.model_validate({"through-plane": 4})
PLANE = SliceScale.model_validate({"in-plane": 2})


def test_factors_follow_the_slices():
    assert factors(THICK, 0) == (4, 1, 1)
    assert factors(PLANE, 1) == (2, 1, 2)
    assert factors(2.5, 1) == (2.5, 2.5, 2.5)
    assert factors((1, 2, 3), 0) == (1, 2, 3)


def test_scales_have_names():
    both = SliceScale.model_validate({"in-plane": 2, "through-plane": 3})
    assert [scale_text(s) for s in (2.5, (1, 1, 4), THICK, PLANE, both)] == [
        "2.5", "1,1,4", "4 through-plane", "2 in-plane", "2 in-plane 3 through-plane",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [((1, 1, 3), 2), ((3, 1, 1), 0), ((1, 3, 1), 1), ((1, 1, 1), 2), ((1.03, 1, 1), 2), ((3, 3, 1), 2)],
)
def test_slices_lie_along_the_coarsest_axis(spacing, axis):
    assert slice_axis(Grid((4, 4, 4), spacing, (0.0, 0.0, 0.0), FLAT)) == axis


def test_the_axis_may_be_named():
    assert slice_axis(Grid((4, 4, 4), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0), FLAT), "x") == 0
