"""One chart, whose nodes are used again; what is not a number is left out."""

from __future__ import annotations

import numpy as np
import pytest
from vtk.util.numpy_support import vtk_to_numpy

X = np.array([0.0, 0.5, 1.0, 1.5])


@pytest.fixture
def plot(scene):
    from MedSRScene import plots

    return plots.Plot(scene, "profile")


def test_chart_holds_the_values_of_each_column(plot):
    chart = plot.update(
        {"a": X * 2, "b": X + 1}, X, title="Profile", xTitle="mm", yTitle="intensity", colors=["#FF0000"]
    )
    assert (chart.GetTitle(), chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("Profile", "mm", "intensity")
    assert [series.GetName() for series in _series(chart)] == ["a", "b"]
    first, second = _series(chart)
    assert first.GetColor() == (1, 0, 0)
    assert second.GetColor() == pytest.approx((0xE6 / 255, 0x9F / 255, 0))
    assert np.array_equal(_column(first, "X"), X)
    assert np.array_equal(_column(first, "Y"), X * 2)
    assert np.array_equal(_column(second, "Y"), X + 1)


def test_update_uses_the_same_nodes(scene, plot):
    chart = plot.update({"a": X, "b": X}, X)
    count, series = scene.GetNumberOfNodes(), [node.GetID() for node in _series(chart)]
    assert plot.update({"a": X[:2] * 3, "c": X[:2]}, X[:2]) is chart
    assert scene.GetNumberOfNodes() == count
    assert [node.GetID() for node in _series(chart)] == series
    assert _column(_series(chart)[0], "Y").tolist() == [0, 1.5]
    assert _series(chart)[1].GetName() == "c"


def test_volume_may_be_called_x(plot):
    (series,) = _series(plot.update({"x": X * 3}, X))
    assert series.GetName() == "x"
    assert np.array_equal(_column(series, "X"), X)
    assert np.array_equal(_column(series, "Y"), X * 3)


def test_fewer_and_more_columns(plot):
    chart = plot.update({"a": X, "b": X}, X)
    assert [node.GetName() for node in _series(plot.update({"a": X}, X))] == ["a"]
    assert len(_series(plot.update(dict.fromkeys("abcd", X), X))) == 4
    assert plot.chartNode is chart


def test_what_is_not_finite_is_left_out(plot):
    chart = plot.update({"a": np.array([1, np.nan, np.inf, 4]), "b": np.full(4, np.nan)}, X)
    assert _column(_series(chart)[0], "X").tolist() == [0, 1.5]
    assert len(_column(_series(chart)[1], "X")) == 0


def test_scatter_has_its_own_x_for_each_column(scene):
    from MedSRScene import plots

    chart = plots.Plot(scene, "agreement", "scatter").update({"a": X, "b": X[:2]}, {"a": X + 1, "b": X[:2] - 1})
    first, second = _series(chart)
    assert first.GetPlotType() == first.PlotTypeScatter
    assert first.GetMarkerStyle() != first.MarkerStyleNone
    assert first.GetLineStyle() == first.LineStyleNone
    assert np.array_equal(_column(first, "X"), X + 1)
    assert np.array_equal(_column(second, "X"), X[:2] - 1)


def test_line_goes_by_its_own_x_and_bars_too(scene, plot):
    from MedSRScene import plots

    (line,) = _series(plot.update({"a": X}, X))
    (bar,) = _series(plots.Plot(scene, "histogram", "bar").update({"a": X}, X))
    assert line.IsXColumnRequired()
    assert line.GetMarkerStyle() == line.MarkerStyleNone
    assert bar.IsXColumnRequired()
    assert bar.GetPlotType() == bar.PlotTypeScatterBar
    with pytest.raises(ValueError, match="none of"):
        plots.Plot(scene, "pie", "pie")


def test_plot_view_shows_the_chart(scene, plot):
    view = scene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    plot.show(view)
    assert view.GetPlotChartNodeID() is None
    chart = plot.update({"a": X}, X)
    plot.show(view)
    assert view.GetPlotChartNodeID() == chart.GetID()
    plot.show(None)


def test_nothing_is_left_after_remove_or_clear(scene, plot):
    from MedSRScene import derived

    before = scene.GetNumberOfNodes()
    plot.update({"a": X, "b": X}, X)
    assert scene.GetNumberOfNodes() > before
    plot.remove()
    assert scene.GetNumberOfNodes() == before
    plot.update({"a": X, "b": X}, X)
    derived.clear(scene)
    assert scene.GetNumberOfNodes() == before
    assert len(_series(plot.update({"a": X}, X))) == 1


def test_closed_scene_is_survived(scene, plot):
    plot.update({"a": X}, X)
    scene.Clear(False)
    assert plot.chartNode is None
    assert len(_series(plot.update({"a": X, "b": X}, X))) == 2


def _series(chart):
    return [chart.GetNthPlotSeriesNode(number) for number in range(chart.GetNumberOfPlotSeriesNodes())]


def _column(series, axis):
    name = series.GetXColumnName() if axis == "X" else series.GetYColumnName()
    return vtk_to_numpy(series.GetTableNode().GetTable().GetColumnByName(name))
