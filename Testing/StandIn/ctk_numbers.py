"""CTK's sliders and ranges of numbers."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Qt, Signal
from qt_property import stored

STEPS = 10000


class _Number(QtWidgets.QWidget):
    """A double in a range, shown by a slider and, if asked, by a spin box."""

    valueChanged = Signal(float)

    def __init__(self, *values: Any, spinBox: bool) -> None:
        super().__init__(*(value for value in values if isinstance(value, QtWidgets.QWidget)))
        way = next((value for value in values if isinstance(value, Qt.Orientation)), Qt.Orientation.Horizontal)
        self._values: dict[str, Any] = {"tracking": True, "pageStep": 10.0}
        self._slider = QtWidgets.QSlider(way)
        self._slider.setRange(0, STEPS)
        self._slider.valueChanged.connect(self._slid)
        self._box = QtWidgets.QDoubleSpinBox()
        self._box.setRange(0, 99)
        self._box.setKeyboardTracking(False)
        self._box.valueChanged.connect(self._changed)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.setVisible(spinBox)

    def _slid(self, step: int) -> None:
        low, high = self._box.minimum(), self._box.maximum()
        self._box.setValue(low + (high - low) * step / STEPS)

    def _changed(self, value: float) -> None:
        blocker = QtCore.QSignalBlocker(self._slider)
        span = self._box.maximum() - self._box.minimum()
        self._slider.setValue(round(STEPS * (value - self._box.minimum()) / span) if span else 0)
        blocker.unblock()
        self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        self._box.setDecimals(decimals)

    def setOrientation(self, way: Qt.Orientation) -> None:
        self._slider.setOrientation(way)

    value = Property(float, lambda self: self._box.value(), setValue)
    minimum = Property(float, lambda self: self._box.minimum(), lambda self, value: self._box.setMinimum(value))
    maximum = Property(float, lambda self: self._box.maximum(), lambda self, value: self._box.setMaximum(value))
    singleStep = Property(float, lambda self: self._box.singleStep(), lambda self, x: self._box.setSingleStep(x))
    decimals = Property(int, lambda self: self._box.decimals(), setDecimals)
    suffix = Property(str, lambda self: self._box.suffix(), lambda self, text: self._box.setSuffix(text))
    prefix = Property(str, lambda self: self._box.prefix(), lambda self, text: self._box.setPrefix(text))
    pageStep, tracking, tickInterval = (
        stored("pageStep", float),
        stored("tracking", bool),
        stored("tickInterval", float),
    )
    tickPosition, invertedAppearance = stored("tickPosition", int), stored("invertedAppearance", bool)


class ctkSliderWidget(_Number):
    """A slider with a spin box; the value is a double."""

    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, *values: Any) -> None:
        super().__init__(*values, spinBox=True)

    def setSpinBoxVisible(self, shown: bool) -> None:
        self._box.setVisible(shown)

    def reset(self) -> None:
        self.setValue(self._box.minimum())

    spinBoxVisible = Property(bool, lambda self: not self._box.isHidden(), setSpinBoxVisible)
    popupSlider = stored("popupSlider", bool)


class ctkDoubleSlider(_Number):
    """A slider whose value is a double."""

    sliderPressed, sliderReleased = Signal(), Signal()
    sliderMoved = Signal(float)
    rangeChanged = Signal(float, float)

    def __init__(self, *values: Any) -> None:
        super().__init__(*values, spinBox=False)
        self._box.setDecimals(6)

    orientation = Property(int, lambda self: self._slider.orientation().value, _Number.setOrientation)
    sliderPosition = Property(float, lambda self: self._box.value(), _Number.setValue)
    handleToolTip = stored("handleToolTip", str)


class ctkDoubleSpinBox(QtWidgets.QDoubleSpinBox):
    """A spin box that shows as many decimals as are needed."""

    decimalsChanged = Signal(int)

    def setValueIfDifferent(self, value: float) -> None:
        self.setValue(value)

    def setValueAlways(self, value: float) -> None:
        self.setValue(value)


class ctkRangeWidget(QtWidgets.QWidget):
    """Two values in a range."""

    valuesChanged = Signal(float, float)
    minimumValueChanged, maximumValueChanged = Signal(float), Signal(float)
    minimumValueIsChanging, maximumValueIsChanging = Signal(float), Signal(float)
    rangeChanged = Signal(float, float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"tracking": True}
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._low, self._high = QtWidgets.QDoubleSpinBox(), QtWidgets.QDoubleSpinBox()
        for box, signal in ((self._low, self.minimumValueChanged), (self._high, self.maximumValueChanged)):
            box.setRange(0, 99)
            layout.addWidget(box)
            box.valueChanged.connect(signal)
            box.valueChanged.connect(lambda _: self.valuesChanged.emit(self._low.value(), self._high.value()))
        self._high.setValue(99)

    def setRange(self, low: float, high: float) -> None:
        for box in (self._low, self._high):
            box.setRange(low, high)
        self.rangeChanged.emit(low, high)

    def setValues(self, low: float, high: float) -> None:
        self._low.setValue(min(low, high))
        self._high.setValue(max(low, high))

    def setMinimumValue(self, value: float) -> None:
        self._low.setValue(min(value, self._high.value()))

    def setMaximumValue(self, value: float) -> None:
        self._high.setValue(max(value, self._low.value()))

    def setDecimals(self, decimals: int) -> None:
        self._each("setDecimals", decimals)

    def _each(self, setter: str, value: Any) -> None:
        for box in (self._low, self._high):
            getattr(box, setter)(value)

    minimum = Property(float, lambda self: self._low.minimum(), lambda self, x: self.setRange(x, self._low.maximum()))
    maximum = Property(float, lambda self: self._low.maximum(), lambda self, x: self.setRange(self._low.minimum(), x))
    minimumValue = Property(float, lambda self: self._low.value(), setMinimumValue)
    maximumValue = Property(float, lambda self: self._high.value(), setMaximumValue)
    decimals = Property(int, lambda self: self._low.decimals(), setDecimals)
    singleStep = Property(float, lambda self: self._low.singleStep(), lambda self, x: self._each("setSingleStep", x))
    suffix = Property(str, lambda self: self._low.suffix(), lambda self, text: self._each("setSuffix", text))
    prefix = Property(str, lambda self: self._low.prefix(), lambda self, text: self._each("setPrefix", text))
    tracking, symmetricMoves = stored("tracking", bool), stored("symmetricMoves", bool)
