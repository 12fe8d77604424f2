"""The profile along a markups line: placed in the views, plotted live while it is dragged, its edge widths told."""

from __future__ import annotations

from html import escape
from typing import Any

import qt
import slicer
from MedSRPanel.section import Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel import charts
from MedSRComparePanel.files import ask_where_to_save

_DRAW_MS = 60
"""Between two drawings while the line is dragged: the views stay smooth."""

_SETTLED_MS = 250
"""After the last move the edge widths are measured."""


class ProfileSection(Section):
    """Observes the line, and draws at most every `_DRAW_MS`."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._observed: tuple[Any, list[int]] | None = None
        self._draw = self._timer(_DRAW_MS, self._onDraw)
        self._settle = self._timer(_SETTLED_MS, self._onSettled)

    def connect(self) -> None:
        self.ui.placeLineButton.connect("clicked(bool)", self._onPlace)
        self.ui.saveProfileButton.connect("clicked(bool)", self._onSave)

    def show(self) -> None:
        self._follow(self.parameters.line)
        few = "" if self.logic.columns(self.parameters) else _("Choose volumes first.")
        enable(self.ui.placeLineButton, few, _("Click the two ends of a line in a view; drag them later."))
        reason = few or self.logic.whyNoProfile(self.parameters)
        enable(self.ui.saveProfileButton, reason, _("The intensities of all volumes along the line, in mm."))
        self._settle.start()

    def stop(self) -> None:
        self._draw.stop()
        self._settle.stop()
        self._follow(None)

    def _timer(self, milliseconds: int, function: Any) -> Any:
        timer = qt.QTimer(self.ui.placeLineButton)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.connect("timeout()", function)
        return timer

    def _follow(self, line: Any) -> None:
        """Observe the points of this line, and no other."""
        if self._observed is not None:
            if line is not None and self._observed[0].GetID() == line.GetID():
                return
            for tag in self._observed[1]:
                self._observed[0].RemoveObserver(tag)
            self._observed = None
        if line is not None:
            events = (
                line.PointModifiedEvent,
                line.PointAddedEvent,
                line.PointRemovedEvent,
                line.PointPositionDefinedEvent,
                slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
            )
            self._observed = line, [line.AddObserver(event, self._onLine) for event in events]

    def _onLine(self, caller: Any, event: Any) -> None:
        if not self._draw.isActive():
            self._draw.start()
        self._settle.start()

    def _onDraw(self) -> None:
        if self.parameters is not None:
            self.logic.draw(self.parameters)

    def _onSettled(self) -> None:
        if self.parameters is None:
            return
        reason = self.logic.whyNoProfile(self.parameters)
        self.ui.edgeWidthLabel.text = reason or widths_html(self.logic.edgeWidths(self.parameters))
        enable(self.ui.saveProfileButton, reason, _("The intensities of all volumes along the line, in mm."))

    def _onPlace(self, checked: bool = False) -> None:
        self.logic.placeLine(self.parameters)
        self.parameters.chart = charts.PROFILE
        self.panel.say(_("Click the two ends of the line in one of the views."))

    def _onSave(self, checked: bool = False) -> None:
        path = ask_where_to_save(_("Save the profile"), "profile.csv")
        if path:
            self.panel.attempt(lambda: self.logic.saveProfile(self.parameters, path))


def widths_html(widths: Any) -> str:
    """Edge widths in mm, each in the colour of its volume."""
    if not widths:
        return escape(_("No edge was found on the line."))
    parts = [
        f'<span style="color:{color}">■</span>&nbsp;{escape(title)}: '
        + (_("no edge") if width is None else _("{width} mm").format(width=f"{width:.2f}"))
        for title, color, width in widths
    ]
    return "<br/>".join(parts)
