"""How a slice view looks: the pixels of its logic, corner texts, crosshair, markups, colour legend, and its bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from PySide6 import QtCore, QtGui
from PySide6.QtCore import QPointF, QRectF, Qt
from vtk.util.numpy_support import vtk_to_numpy

_AT = Qt.AlignmentFlag
_CORNERS = (
    _AT.AlignLeft | _AT.AlignBottom,
    _AT.AlignRight | _AT.AlignBottom,
    _AT.AlignLeft | _AT.AlignTop,
    _AT.AlignRight | _AT.AlignTop,
    _AT.AlignHCenter | _AT.AlignBottom,
    _AT.AlignRight | _AT.AlignVCenter,
    _AT.AlignLeft | _AT.AlignVCenter,
    _AT.AlignHCenter | _AT.AlignTop,
)
"""Where vtkCornerAnnotation puts its eight texts."""


def slice_image(logic: Any) -> QtGui.QImage | None:
    """The pixels of a slice logic as an RGBA image, top row first; None without any volume."""
    connection = logic.GetImageDataConnection()
    if connection is None:
        return None
    producer = connection.GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(connection.GetIndex())
    scalars = image.GetPointData().GetScalars() if image is not None else None
    if scalars is None:
        return None
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(scalars).reshape(height, width, -1)[::-1]
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full((height, width, 1), 255, np.uint8)])
    pixels = np.ascontiguousarray(pixels.astype(np.uint8))
    return QtGui.QImage(pixels.data, width, height, 4 * width, QtGui.QImage.Format.Format_RGBA8888).copy()


def paint_slice(view: Any, painter: QtGui.QPainter) -> None:
    painter.fillRect(view.rect(), Qt.GlobalColor.black)
    if view.logic is None or view.mrmlSliceNode() is None or view.mrmlSliceNode().GetScene() is None:
        return
    image = slice_image(view.logic)
    if image is not None:
        painter.drawImage(view.rect(), image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    _paint_markups(view, painter)
    _paint_crosshair(view, painter)
    _paint_legend(view, painter)
    _paint_corners(view, painter)


def _paint_corners(view: Any, painter: QtGui.QPainter) -> None:
    annotation = view.cornerAnnotation()
    inner = view.rect().adjusted(6, 4, -6, -4)
    painter.setPen(QtGui.QColor.fromRgbF(*annotation.GetTextProperty().GetColor()))
    painter.setFont(_font(painter, 8))
    for corner, where in enumerate(_CORNERS):
        painter.drawText(inner, where | Qt.TextFlag.TextWordWrap, annotation.GetText(corner) or "")


def _font(painter: QtGui.QPainter, size: int) -> QtGui.QFont:
    font = painter.font()
    font.setPointSize(size)
    return font


def _point(view: Any, ras: Any) -> tuple[QPointF, float]:
    """Where a point of the world lies in the view, and its distance from the slice in pixels."""
    x, y, z = view.convertRASToXYZ(ras)
    return QPointF(x, view.height() - 1 - y), abs(z)


def _paint_crosshair(view: Any, painter: QtGui.QPainter) -> None:
    node = view.mrmlSliceNode().GetScene().GetSingletonNode("default", "vtkMRMLCrosshairNode")
    if node is None or node.GetCrosshairMode() == node.NoCrosshair:
        return
    place, _ = _point(view, node.GetCrosshairRAS())
    painter.setPen(QtGui.QPen(QtGui.QColor(255, 205, 56), 1))
    painter.drawLine(QPointF(0, place.y()), QPointF(view.width(), place.y()))
    painter.drawLine(QPointF(place.x(), 0), QPointF(place.x(), view.height()))


def _paint_markups(view: Any, painter: QtGui.QPainter) -> None:
    """Lines and points of markups, dashed where they leave the slice."""
    for node in view.mrmlSliceNode().GetScene().GetNodesByClass("vtkMRMLMarkupsNode"):
        display = node.GetDisplayNode()
        if display is None or not display.GetVisibility():
            continue
        color = QtGui.QColor.fromRgbF(*display.GetSelectedColor())
        ras = [[0.0, 0.0, 0.0] for _ in range(node.GetNumberOfControlPoints())]
        for index, point in enumerate(ras):
            node.GetNthControlPointPositionWorld(index, point)
        places = [_point(view, point) for point in ras]
        off = any(distance > 2 for _, distance in places)
        painter.setPen(QtGui.QPen(color, 2, Qt.PenStyle.DashLine if off else Qt.PenStyle.SolidLine))
        if node.IsA("vtkMRMLMarkupsLineNode") or node.IsA("vtkMRMLMarkupsCurveNode"):
            painter.drawPolyline(QtGui.QPolygonF([place for place, _ in places]))
        painter.setBrush(color)
        for place, _ in places:
            painter.drawEllipse(place, 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_legend(view: Any, painter: QtGui.QPainter) -> None:
    """The colours and values of the volumes in view that have a colour legend."""
    composite, right = view.logic.GetSliceCompositeNode(), view.width() - 62
    for identifier in (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()):
        volume = view.mrmlSliceNode().GetScene().GetNodeByID(identifier) if identifier else None
        legend = None if volume is None else slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
        if legend is None or not legend.GetVisibility():
            continue
        display = volume.GetDisplayNode()
        low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        bar = QtCore.QRect(right, view.height() // 5, 12, 3 * view.height() // 5)
        painter.drawImage(bar, _gradient(display.GetColorNode()))
        painter.setPen(Qt.GlobalColor.white)
        painter.setFont(_font(painter, 7))
        painter.drawText(bar.left() - 4, bar.top() - 6, legend.GetTitleText() or "")
        for part in range(5):
            y = bar.bottom() - part * bar.height() / 4
            text = legend.GetLabelFormat() or "%.3g"
            painter.drawText(QPointF(bar.right() + 4, y + 3), text % (low + (high - low) * part / 4))
        right -= 70


def _gradient(colors: Any) -> QtGui.QImage:
    image = QtGui.QImage(1, 128, QtGui.QImage.Format.Format_RGB32)
    table = colors.GetLookupTable()
    low, high = table.GetRange()
    for row in range(128):
        rgb = [0.0, 0.0, 0.0]
        table.GetColor(low + (high - low) * (127 - row) / 127, rgb)
        image.setPixelColor(0, row, QtGui.QColor.fromRgbF(*rgb))
    return image


def paint_bar(painter: QtGui.QPainter, rect: QtCore.QRect, node: Any, text: str, where: float = 0.5) -> None:
    """The bar over a view: its colour, its label, a slider (at `where` of its way) and the offset."""
    color = QtGui.QColor("#888888") if node is None else QtGui.QColor.fromRgbF(*node.GetLayoutColor())
    painter.fillRect(rect, color)
    painter.setPen(Qt.GlobalColor.black if color.lightness() > 110 else Qt.GlobalColor.white)
    painter.setFont(_font(painter, 8))
    label, inner = "" if node is None else node.GetLayoutLabel() or "", rect.adjusted(6, 0, -6, 0)
    painter.drawText(inner, _AT.AlignLeft | _AT.AlignVCenter, label)
    painter.drawText(inner, _AT.AlignRight | _AT.AlignVCenter, text)
    metrics = painter.fontMetrics()
    left = inner.left() + metrics.horizontalAdvance(label) + 10
    right = inner.right() - metrics.horizontalAdvance(text) - 10
    if text and right - left > 40:
        groove = QRectF(left, rect.center().y() - 1.5, right - left, 3)
        painter.setBrush(QtGui.QColor(0, 0, 0, 60))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(groove, 1.5, 1.5)
        painter.setBrush(QtGui.QColor("#f0f0f0"))
        painter.drawEllipse(QPointF(left + where * (right - left), groove.center().y()), 5, 5)


def paint_three_d(painter: QtGui.QPainter, rect: QtCore.QRect) -> None:
    gradient = QtGui.QLinearGradient(0, rect.top(), 0, rect.bottom())
    gradient.setColorAt(0, QtGui.QColor("#7478bf"))
    gradient.setColorAt(1, QtGui.QColor("#c1c3e7"))
    painter.fillRect(rect, gradient)
