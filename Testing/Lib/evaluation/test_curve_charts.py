"""Curves by slice and plots of agreement, as the objects of matplotlib that hold them."""

from __future__ import annotations

import numpy as np
import pytest

from MedSRLib.evaluation.agreement import bland_altman
from MedSRLib.evaluation.charts import LEVELS, histograms_figure
from MedSRLib.evaluation.curve_charts import SliceCurves, agreement_figure, slices_figure
from MedSRLib.grids import Grid

# Left-handed, with image axes that run posterior, inferior and right.
TURNED = Grid((4, 5, 6), (1.0, 2.0, 3.0), (0.0, 0.0, 0.0), (0, 0, -1, 1, 0, 0, 0, -1, 0))


def test_curves_run_along_the_patient_whatever_the_axes_of_the_image() -> None:
    by_axis = {"i": [0.0, 1, 2, 3], "j": [10.0, 11, 12, 13, None], "k": [20.0, 21, 22, 23, 24, 25]}
    fig = slices_figure([SliceCurves("PSNR, dB ↑", {"A": by_axis})], TURNED)
    axial, coronal, sagittal = fig.axes
    for axes, values, step in (
        (axial, [np.nan, 13, 12, 11, 10], 2.0),
        (coronal, [0, 1, 2, 3], 1.0),
        (sagittal, [25, 24, 23, 22, 21, 20], 3.0),
    ):
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_ydata(), values)
        np.testing.assert_allclose(np.diff(line.get_xdata()), step)
    assert [axes.get_xlabel()[-7:] for axes in fig.axes] == ["(I → S)", "(A → P)", "(R → L)"]


def test_the_reference_has_its_own_curve_where_it_can_be_measured() -> None:
    by_axis = {axis: [0.5] * n for axis, n in zip("ijk", TURNED.size, strict=True)}
    curves = [SliceCurves("PSNR, dB ↑", {"A": by_axis}), SliceCurves("PSI ↑", {"Reference": by_axis, "A": by_axis})]
    fig = slices_figure(curves, TURNED)
    assert [len(axes.lines) for axes in fig.axes] == [1, 1, 1, 2, 2, 2]
    assert fig.axes[3].lines[0].get_color() == "black"
    # The same result looks the same in both rows.
    assert fig.axes[0].lines[0].get_color() == fig.axes[3].lines[1].get_color() != "black"


def test_the_legend_names_every_curve() -> None:
    by_axis = {axis: [0.5] * n for axis, n in zip("ijk", TURNED.size, strict=True)}
    own = SliceCurves("PSI ↑", {"Reference": by_axis, "A": by_axis})
    for curves in ([SliceCurves("PSNR, dB ↑", {"A": by_axis}), own], [own]):
        names = {text.get_text() for text in slices_figure(curves, TURNED).legends[0].get_texts()}
        assert names == {name for curve in curves for name in curve.by_result}


def test_agreement_draws_bias_and_limits_in_shared_axes() -> None:
    rng = np.random.default_rng(0)
    reference = rng.uniform(0, 100, (6, 7, 8))
    pairs = {
        name: bland_altman(reference, rng.normal(bias, 4, reference.shape), reference > 20)
        for name, bias in (("A", 0.0), ("B", 3.0), ("C", -3.0), ("D", 0.0), ("E", 0.0))
    }
    fig = agreement_figure(pairs)
    visible = [axes for axes in fig.axes if axes.get_visible()]
    assert len(visible) == 5 and len({axes.get_ylim() for axes in visible}) == 1
    heights = sorted(line.get_ydata()[0] for line in visible[1].lines)
    assert heights == pytest.approx([pairs["B"].low, pairs["B"].bias, pairs["B"].high])


def test_no_difference_at_all_can_be_drawn() -> None:
    zero = np.zeros((3, 4, 5))
    agreement_figure({"Same": bland_altman(zero + 7, zero, zero == 0)})
    histograms_figure({"Same": zero}, zero == 0, 1.0, 50.0)


@pytest.mark.parametrize(("scale", "cut"), [(30.0, 0.04), (4.0, 0.1)])
def test_the_axis_of_shares_is_cut_as_in_the_thesis(scale: float, cut: float) -> None:
    difference = np.random.default_rng(0).normal(0, scale, (20, 20, 20))
    fig = histograms_figure({"A": difference}, difference == difference, 3 * scale, float(LEVELS))
    assert fig.axes[1].get_ylim() == (0, cut)
    (shares,) = fig.axes[1].patches
    assert shares.get_data().values.sum() == pytest.approx(1)
    assert fig.axes[0].get_yscale() == "log"
