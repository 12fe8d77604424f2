"""How a plot view looks: the chart of its node with axes, grid, legend, and its series from their tables.

As in Slicer: a scatter series takes its x from a column, a line or bar series is drawn over the index of its rows,
with the x column as labels; a value that is not finite leaves a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6 import QtCore, QtGui
from PySide6.QtCore import QPointF, QRectF, Qt
from vtk.util.numpy_support import vtk_to_numpy

_AT = Qt.AlignmentFlag


@dataclass
class Series:
    """One series, ready to draw."""

    name: str
    color: QtGui.QColor
    x: np.ndarray
    y: np.ndarray
    bars: bool
    node: Any


def series_of(chart: Any) -> list[Series]:
    """The series of a chart node whose columns exist."""
    found = []
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        node = chart.GetNthPlotSeriesNode(index)
        table = None if node is None or node.GetTableNode() is None else node.GetTableNode().GetTable()
        y = None if table is None else table.GetColumnByName(node.GetYColumnName() or "")
        if y is None:
            continue
        values = np.asarray(vtk_to_numpy(y), float)
        column = table.GetColumnByName(node.GetXColumnName() or "")
        numbers = column is not None and column.IsNumeric()
        x = np.asarray(vtk_to_numpy(column), float) if numbers else np.arange(len(values), dtype=float)
        bars = node.GetPlotType() in (node.PlotTypeBar, node.PlotTypeScatterBar)
        color = QtGui.QColor.fromRgbF(*node.GetColor())
        found.append(Series(node.GetName(), color, x, values, bars, node))
    return found


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers that cover a range."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def paint_plot(node: Any, painter: QtGui.QPainter, rect: QtCore.QRect) -> None:
    painter.fillRect(rect, Qt.GlobalColor.white)
    chart = None if node is None or node.GetScene() is None else node.GetPlotChartNode()
    if chart is None:
        return
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    font = painter.font()
    font.setPointSize(8)
    painter.setFont(font)
    _Chart(chart, series_of(chart), QRectF(rect)).paint(painter)


class _Chart:
    def __init__(self, node: Any, series: list[Series], rect: QRectF) -> None:
        self.node, self.series, self.rect = node, series, rect
        title = bool(node.GetTitleVisibility() and node.GetTitle())
        self.area = rect.adjusted(58, 24 if title else 10, -12, -36)
        auto, bars = node.GetXAxisRangeAuto(), any(one.bars for one in series)
        self.x0, self.x1 = self._range([one.x for one in series], None if auto else node.GetXAxisRange(), 0.0)
        if bars and auto:
            step = self._bar_step()
            self.x0, self.x1 = self.x0 - step / 2, self.x1 + step / 2
        own = None if node.GetYAxisRangeAuto() else node.GetYAxisRange()
        values = [one.y for one in series] + [np.zeros(1)] * bars
        self.y0, self.y1 = self._range(values, own, 0.06)

    @staticmethod
    def _range(values: list[np.ndarray], own: Any, margin: float) -> tuple[float, float]:
        if own is not None:
            return float(own[0]), float(own[1])
        every = np.concatenate([np.zeros(0), *values])
        every = every[np.isfinite(every)]
        low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
        if high <= low:
            low, high = low - 0.5, high + 0.5
        return low - margin * (high - low), high + margin * (high - low)

    def _bar_step(self) -> float:
        gaps = [np.diff(np.sort(one.x)) for one in self.series if one.bars and len(one.x) > 1]
        gaps = [gap[gap > 0] for gap in gaps]
        return float(min((gap.min() for gap in gaps if gap.size), default=1.0))

    def _at(self, x: float, y: float) -> QPointF:
        area = self.area
        return QPointF(
            area.left() + (x - self.x0) / (self.x1 - self.x0) * area.width(),
            area.bottom() - (y - self.y0) / (self.y1 - self.y0) * area.height(),
        )

    def paint(self, painter: QtGui.QPainter) -> None:
        self._axes(painter)
        painter.save()
        painter.setClipRect(self.area.adjusted(-1, -1, 1, 1))
        bars = [one for one in self.series if one.bars]
        for one in self.series:
            self._bars(painter, one, bars.index(one), len(bars)) if one.bars else self._line(painter, one)
        painter.restore()
        if self.node.GetLegendVisibility():
            self._legend(painter)

    def _axes(self, painter: QtGui.QPainter) -> None:
        node, area, grey = self.node, self.area, QtGui.QColor("#dddddd")
        for x in ticks(self.x0, self.x1, 8):
            place = self._at(x, self.y0)
            self._grid(painter, grey, place, QPointF(place.x(), area.top()))
            painter.drawText(QRectF(place.x() - 40, area.bottom() + 2, 80, 14), _AT.AlignCenter, f"{x:g}")
        for y in ticks(self.y0, self.y1, 5):
            place = self._at(self.x0, y)
            self._grid(painter, grey, place, QPointF(area.right(), place.y()))
            where = QRectF(0, place.y() - 7, area.left() - 4, 14)
            painter.drawText(where, _AT.AlignRight | _AT.AlignVCenter, f"{y:g}")
        painter.drawRect(area)
        if node.GetTitleVisibility():
            painter.drawText(QRectF(area.left(), 2, area.width(), 20), _AT.AlignCenter, node.GetTitle() or "")
        if node.GetXAxisTitleVisibility():
            where = QRectF(area.left(), self.rect.bottom() - 19, area.width(), 16)
            painter.drawText(where, _AT.AlignCenter, node.GetXAxisTitle() or "")
        if node.GetYAxisTitleVisibility():
            painter.save()
            painter.translate(12, area.center().y())
            painter.rotate(-90)
            painter.drawText(
                QRectF(-area.height() / 2, -8, area.height(), 16), _AT.AlignCenter, node.GetYAxisTitle() or ""
            )
            painter.restore()

    def _grid(self, painter: QtGui.QPainter, color: QtGui.QColor, start: QPointF, end: QPointF) -> None:
        if self.node.GetGridVisibility():
            painter.setPen(color)
            painter.drawLine(start, end)
        painter.setPen(Qt.GlobalColor.black)

    def _line(self, painter: QtGui.QPainter, one: Series) -> None:
        node, styles = one.node, [Qt.PenStyle.NoPen, Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine]
        style = node.GetLineStyle()
        pen = QtGui.QPen(
            one.color, max(1.0, node.GetLineWidth()), styles[style] if style < 4 else Qt.PenStyle.DashDotLine
        )
        fine = np.isfinite(one.x) & np.isfinite(one.y)
        runs = np.split(np.arange(len(fine)), np.flatnonzero(np.diff(fine.astype(int))) + 1)
        for run in runs:
            if len(run) and fine[run[0]]:
                points = [self._at(one.x[i], one.y[i]) for i in run]
                painter.setPen(pen)
                painter.drawPolyline(QtGui.QPolygonF(points))
                if node.GetMarkerStyle() != node.MarkerStyleNone:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(one.color)
                    for point in points:
                        painter.drawEllipse(point, node.GetMarkerSize() / 4, node.GetMarkerSize() / 4)
                    painter.setBrush(Qt.BrushStyle.NoBrush)

    def _bars(self, painter: QtGui.QPainter, one: Series, number: int, count: int) -> None:
        width = 0.8 * self._bar_step() / count
        painter.setPen(Qt.PenStyle.NoPen)
        for x, y in zip(one.x, one.y, strict=True):
            if math.isfinite(y):
                left = x + (number - count / 2) * width
                painter.fillRect(QRectF(self._at(left, y), self._at(left + width, 0)).normalized(), one.color)

    def _legend(self, painter: QtGui.QPainter) -> None:
        metrics = painter.fontMetrics()
        width = max((metrics.horizontalAdvance(one.name) for one in self.series), default=0) + 34
        box = QRectF(self.area.right() - width - 6, self.area.top() + 6, width, 16 * len(self.series) + 4)
        painter.fillRect(box, QtGui.QColor(255, 255, 255, 220))
        painter.setPen(QtGui.QColor("#aaaaaa"))
        painter.drawRect(box)
        for row, one in enumerate(self.series):
            y = box.top() + 10 + 16 * row
            painter.setPen(QtGui.QPen(one.color, 3))
            painter.drawLine(QPointF(box.left() + 5, y), QPointF(box.left() + 21, y))
            painter.setPen(Qt.GlobalColor.black)
            painter.drawText(QPointF(box.left() + 27, y + 4), one.name)
