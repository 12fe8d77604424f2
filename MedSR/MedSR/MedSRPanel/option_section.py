"""The part "Advanced": a row for every option of the method in use."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from MedSRPanel import option_rows
from MedSRPanel.section import Section, enable


class OptionSection(Section):
    """A page of rows a method, made when the method is first chosen."""

    def connect(self) -> None:
        self._pages: dict[str, tuple[Any, list[option_rows.Row]]] = {}
        self._method = ""
        self.ui.optionsResetButton.connect("clicked(bool)", self._onReset)

    def show(self) -> None:
        ui = self.ui
        self._method = "" if self.panel.missing else self.logic.chosen(self.parameters)[0]
        if self._method and self._method not in self._pages:
            self._pages[self._method] = self._page(self._method)
        for name, (page, rows) in self._pages.items():
            page.visible = name == self._method and bool(rows)
        rows = self._pages[self._method][1] if self._method else []
        info = self.panel.methods.get(self._method)
        ui.advancedCollapsible.visible = bool(rows)
        if not rows or info is None:
            return
        ui.advancedCollapsible.text = _("Advanced: options of {method}").format(method=info.title)
        chosen = self.logic.options(self.parameters, self._method)
        for row in rows:
            row.show(chosen.get(row.option.name, row.option.default))
        nothing = "" if chosen else _("All options have their defaults.")
        enable(ui.optionsResetButton, nothing, _("Give every option of this method its default."))

    def _page(self, method: str) -> tuple[Any, list[option_rows.Row]]:
        """The rows of a method in a widget of their own, which the panel keeps."""
        page = qt.QWidget()
        form = qt.QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        rows = [option_rows.row(option, self._onChanged) for option in self.logic.described(method)]
        for row in rows:
            label = qt.QLabel(option_rows.title(row.option))
            label.toolTip = row.option.description
            form.addRow(label, row.widget)
        self.ui.optionsHolder.layout().addWidget(page)
        return page, rows

    def _onChanged(self, name: str, value: Any) -> None:
        if not self.panel.showing and self.parameters is not None:
            self.logic.setOption(self.parameters, self._method, name, value)

    def _onReset(self, checked: bool = False) -> None:
        self.logic.resetOptions(self.parameters, self._method)
