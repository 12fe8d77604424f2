"""CTK's widgets, small, with the properties, methods and signals of the real ones (commontk.org)."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, QRect, QSize, Qt, Signal
from qt_property import stored

HEADER = 26
ENDLESS = 16777215


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A titled part of a panel that opens and closes."""

    contentsCollapsed = Signal(bool)
    clicked = Signal(bool)
    toggled = Signal(bool)

    def __init__(self, *values: Any) -> None:
        text = values[0] if values and isinstance(values[0], str) else ""
        super().__init__(*(value for value in values if not isinstance(value, str)))
        self._text, self._collapsed = text, False
        self.setContentsMargins(0, HEADER, 0, 0)

    def _getText(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        self.update()

    def _getCollapsed(self) -> bool:
        return self._collapsed

    def _setCollapsed(self, collapsed: bool) -> None:
        changed, self._collapsed = collapsed != self._collapsed, collapsed
        self.setMaximumHeight(HEADER if collapsed else ENDLESS)
        self.setMinimumHeight(HEADER)
        self.updateGeometry()
        if changed:
            self.contentsCollapsed.emit(collapsed)
            self.toggled.emit(not collapsed)

    text = Property(str, _getText, setText)
    collapsed = Property(bool, _getCollapsed, _setCollapsed)
    checked = Property(bool, lambda self: not self._collapsed, lambda self, checked: self._setCollapsed(not checked))

    def click(self) -> None:
        self._setCollapsed(not self._collapsed)
        self.clicked.emit(not self._collapsed)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, HEADER) if self._collapsed else super().minimumSizeHint()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        if event.position().y() < HEADER:
            self.click()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter, option = QtGui.QPainter(self), QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QRect(0, 0, self.width(), HEADER - 2)
        self.style().drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        sign = "▸" if self._collapsed else "▾"
        where = option.rect.adjusted(8, 0, 0, 0)
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, f"{sign} {self._text}")


class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box whose title opens and closes it."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.setCheckable(True)
        self.toggled.connect(lambda checked: self.setMaximumHeight(ENDLESS if checked else HEADER))

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))


class ctkPathLineEdit(QtWidgets.QWidget):
    """A line edit for a path, with a button that opens a file dialog."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"filters": 1, "nameFilters": [], "settingKey": "", "label": ""}
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._combo = QtWidgets.QComboBox()
        self._combo.setEditable(True)
        self._combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._combo.editTextChanged.connect(self.currentPathChanged)
        self._button = QtWidgets.QToolButton()
        self._button.setText("…")
        self._button.clicked.connect(self.browse)
        layout.addWidget(self._combo)
        layout.addWidget(self._button)

    def setCurrentPath(self, path: str) -> None:
        self._combo.setEditText(path)

    def browse(self) -> None:
        """Take the path that the test has set: file dialogs do not open."""
        import dialogs

        self.setCurrentPath(dialogs.answer("QFileDialog.getOpenFileName") or self._combo.currentText())

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        if self._combo.findText(self._combo.currentText()) < 0:
            self._combo.insertItem(0, self._combo.currentText())

    def retrieveHistory(self) -> None:
        """The history of the settings is empty here."""

    currentPath = Property(str, lambda self: self._combo.currentText(), setCurrentPath)
    filters, settingKey, label = stored("filters", int), stored("settingKey", str), stored("label", str)
    nameFilters = stored("nameFilters", "QStringList")
    showBrowseButton = Property(
        bool, lambda self: not self._button.isHidden(), lambda self, value: self._button.setVisible(value)
    )
    showHistoryButton, options = stored("showHistoryButton", bool), stored("options", int)
    minimumContentsLength, sizeAdjustPolicy = stored("minimumContentsLength", int), stored("sizeAdjustPolicy", int)


class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and opens a dialog to choose another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, *values: Any) -> None:
        super().__init__(*(value for value in values if not isinstance(value, str)))
        self._values: dict[str, Any] = {"text": "", "caption": ""}
        self._directory = next((value for value in values if isinstance(value, str)), ".")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._button = QtWidgets.QPushButton(self._directory)
        self._button.clicked.connect(self.browse)
        layout.addWidget(self._button)

    def setDirectory(self, directory: str) -> None:
        changed, self._directory = directory != self._directory, directory
        self._button.setText(directory)
        if changed:
            self.directoryChanged.emit(directory)

    def browse(self) -> None:
        """Take the folder that the test has set: file dialogs do not open."""
        import dialogs

        chosen = dialogs.answer("QFileDialog.getExistingDirectory")
        if chosen:
            self.setDirectory(chosen)
            self.directorySelected.emit(chosen)

    directory = Property(str, lambda self: self._directory, setDirectory)
    text, caption = stored("text", str), stored("caption", str)
    acceptMode, elideMode, options = stored("acceptMode", int), stored("elideMode", int), stored("options", int)


class ctkColorPickerButton(QtWidgets.QPushButton):
    """A button that shows a colour."""

    colorChanged = Signal(QtGui.QColor)
    colorNameChanged = Signal(str)

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self._values: dict[str, Any] = {"displayColorName": True, "dialogOptions": 0}
        self._color = QtGui.QColor("#000000")
        self.setColor(self._color)

    def setColor(self, color: QtGui.QColor) -> None:
        changed, self._color = color != self._color, QtGui.QColor(color)
        picture = QtGui.QPixmap(16, 16)
        picture.fill(self._color)
        self.setIcon(picture)
        self.setText(self._color.name() if self._values["displayColorName"] else "")
        if changed:
            self.colorChanged.emit(self._color)
            self.colorNameChanged.emit(self._color.name())

    def setDisplayColorName(self, shown: bool) -> None:
        self._values["displayColorName"] = shown
        self.setText(self._color.name() if shown else "")

    color = Property(QtGui.QColor, lambda self: self._color, setColor)
    colorName = Property(str, lambda self: self._color.name(), lambda self, name: self.setColor(QtGui.QColor(name)))
    displayColorName = Property(bool, lambda self: self._values["displayColorName"], setDisplayColorName)
    dialogOptions = stored("dialogOptions", int)


class ctkSearchBox(QtWidgets.QLineEdit):
    """A line edit with a magnifying glass and a button that clears it."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setClearButtonEnabled(True)
        self._values: dict[str, Any] = {"showSearchIcon": False}

    showSearchIcon = stored("showSearchIcon", bool)


class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that can show a default text."""

    _values: dict[str, Any]

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = {"defaultText": "", "forceDefault": False}

    def setCurrentUserDataAsString(self, text: str) -> None:
        self.setCurrentIndex(self.findData(text))

    defaultText, forceDefault = stored("defaultText", str), stored("forceDefault", bool)
    scrollWheelEffect, elideMode = stored("scrollWheelEffect", int), stored("elideMode", int)
    currentUserDataAsString = Property(str, lambda self: str(self.currentData()), setCurrentUserDataAsString)


class ctkCheckableComboBox(QtWidgets.QComboBox):
    """A combo box whose items have check marks."""

    checkedIndexesChanged = Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.model().dataChanged.connect(lambda *_: self.checkedIndexesChanged.emit())
        self.model().rowsInserted.connect(self._checkable)

    def _checkable(self, parent: QtCore.QModelIndex, first: int, last: int) -> None:
        for row in range(first, last + 1):
            item = self.model().item(row)
            if not item.isCheckable():
                item.setCheckable(True)
                item.setCheckState(Qt.CheckState.Unchecked)

    def checkedIndexes(self) -> list[QtCore.QModelIndex]:
        rows = range(self.count())
        return [self.model().index(row, 0) for row in rows if self.model().item(row).checkState().value]

    def checkState(self, index: QtCore.QModelIndex) -> Qt.CheckState:
        return self.model().itemFromIndex(index).checkState()

    def setCheckState(self, index: QtCore.QModelIndex, state: Qt.CheckState) -> None:
        self.model().itemFromIndex(index).setCheckState(Qt.CheckState(state))

    def allChecked(self) -> bool:
        return len(self.checkedIndexes()) == self.count()

    def noneChecked(self) -> bool:
        return not self.checkedIndexes()

    def checkableModel(self) -> QtCore.QAbstractItemModel:
        return self.model()
