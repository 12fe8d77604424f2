"""Pictures of a module as a user sees it: its panel at the left, the views at the right, Slicer's bar above.

They are rendered by the stand-in, not by Slicer: the words, widgets, pixels and charts are the modules' own.
"""

from __future__ import annotations

from typing import Any

import pythonqt
from PySide6 import QtGui, QtWidgets
from PySide6.QtCore import QPoint, QRect, Qt

BAR = 30


def window(
    panel: Any, layoutManager: Any = None, size: tuple[int, int] = (1440, 900), *, width: int = 430
) -> QtGui.QImage:
    """A picture of the window.

    Args:
        panel: the widget of the module: a qMRMLWidget or the module's representation.
        layoutManager: its views are at the right; None for the panel alone.
        size: of the picture in pixels.
        width: of the panel.
    """
    native = pythonqt.unwrapped(panel)
    views = None if layoutManager is None else pythonqt.unwrapped(layoutManager).viewport()
    image = QtGui.QImage(*size, QtGui.QImage.Format.Format_RGB32)
    image.fill(native.palette().window().color())
    painter = QtGui.QPainter(image)
    _bar(painter, QRect(0, 0, size[0], BAR), native)
    _show(native)
    width = size[0] if views is None else max(width, native.minimumSizeHint().width())
    _place(painter, native, QRect(0, BAR, width, size[1] - BAR))
    if views is not None:
        _place(painter, views, QRect(width + 4, BAR, size[0] - width - 4, size[1] - BAR))
    painter.end()
    return image


def panel_only(panel: Any, width: int = 430) -> QtGui.QImage:
    """A picture of a whole panel, as tall as it wants to be."""
    native = pythonqt.unwrapped(panel)
    _show(native)
    native.resize(width, 10)
    _settle()
    tall = native.layout().heightForWidth(width) if native.hasHeightForWidth() else native.sizeHint().height()
    native.resize(width, max(tall, native.minimumSizeHint().height()))
    _settle()
    return native.grab().toImage()


def _show(widget: QtWidgets.QWidget) -> None:
    top = widget.window()
    if not top.isVisible():
        top.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        top.show()


def _settle() -> None:
    for _ in range(5):
        QtWidgets.QApplication.processEvents()


def _place(painter: QtGui.QPainter, widget: QtWidgets.QWidget, where: QRect) -> None:
    """Draw a widget at this size; what does not fit is cut off at the bottom, as by a scroll area."""
    _show(widget)
    layout = widget.layout()
    wanted = layout.totalHeightForWidth(where.width()) if layout is not None and layout.hasHeightForWidth() else 0
    widget.resize(where.width(), max(where.height(), wanted, widget.minimumSizeHint().height()))
    _settle()
    part = widget.grab(QRect(QPoint(0, 0), where.size()))
    painter.drawPixmap(where.topLeft(), part)


def _bar(painter: QtGui.QPainter, rect: QRect, panel: QtWidgets.QWidget) -> None:
    """The tool bar with the name of the module."""
    painter.fillRect(rect, panel.palette().button())
    painter.setPen(panel.palette().buttonText().color())
    painter.drawText(rect.adjusted(10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "Modules:")
    box = QRect(70, 4, 250, rect.height() - 8)
    painter.fillRect(box, panel.palette().base())
    painter.setPen(panel.palette().mid().color())
    painter.drawRect(box)
    painter.setPen(panel.palette().text().color())
    painter.drawText(box.adjusted(8, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, _title(panel))


def _title(panel: QtWidgets.QWidget) -> str:
    import slicer

    name = getattr(panel, "_module", None)
    name = panel.objectName() if name is None else name.property("name")
    instance = getattr(slicer.modules, f"{name}Instance", None)
    return str(instance.parent.title) if instance is not None else name
