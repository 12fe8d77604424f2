"""How the volumes are shown: side by side or two at one place, planes, linking, grey scale; values at the cursor."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import qt
import slicer
import vtk
from MedSRPanel.section import Choice, Section, enable
from slicer.i18n import tr as _

from MedSRComparePanel import comparison
from MedSRComparePanel.radios import Radios

_READOUT_MS = 40
_ROCK_STEPS = 12
_PAIR_MODES = comparison.MODES[1:]


class ViewSection(Section):
    """The view's parameters; flicker is a timer, the read-out an observer of the crosshair."""

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        ui = self.ui
        self._modes = {
            comparison.SIDE: ui.sideRadio,
            comparison.FLICKER: ui.flickerRadio,
            comparison.FADE: ui.fadeRadio,
            comparison.WIPE: ui.wipeRadio,
            comparison.CHECKER: ui.checkerRadio,
        }
        self._tips = {mode: button.toolTip for mode, button in self._modes.items()}
        self._radios = Radios(self, self._modes, "mode")
        self._rows = Choice(self, ui.rowsComboBox, "rows")
        self._window = Choice(self, ui.windowComboBox, "window")
        self._pairs: tuple[Any, ...] = ()
        self._step = 0
        self._crosshairTag: tuple[Any, int] | None = None
        self._flicker = qt.QTimer(ui.playButton)
        self._flicker.connect("timeout()", self._tick)
        self._readout = qt.QTimer(ui.playButton)
        self._readout.setSingleShot(True)
        self._readout.setInterval(_READOUT_MS)
        self._readout.connect("timeout()", self._read)

    def connect(self) -> None:
        ui = self.ui
        ui.firstComboBox.connect("currentIndexChanged(int)", self._onFirst)
        ui.secondComboBox.connect("currentIndexChanged(int)", self._onSecond)
        ui.playButton.connect("toggled(bool)", self._onPlay)

    def show(self) -> None:
        parameters, ui = self.parameters, self.ui
        self._rows.show(rows())
        self._window.show(windows())
        self._radios.show()
        for mode, button in self._modes.items():
            enable(button, self.logic.whyNotMode(parameters, mode), self._tips[mode])
        mode = parameters.mode
        for part, modes in (
            ("pair", _PAIR_MODES),
            ("blend", (comparison.FADE, comparison.WIPE)),
            ("cells", (comparison.CHECKER,)),
            ("speed", (comparison.FLICKER,)),
            ("windowRange", None),
        ):
            self._visible(part, parameters.window == "manual" if modes is None else mode in modes)
        ui.blendLabel.text = _("Border:") if mode == comparison.WIPE else _("Opacity:")
        self._showPair()
        if parameters.window == "auto" and parameters.shown:
            self.logic.setWindow(parameters, *self.logic.window(parameters), mode="auto")
        self._flicker.setInterval(round(1000 / parameters.speed / (_ROCK_STEPS if parameters.rock else 1)))
        if mode != comparison.FLICKER and ui.playButton.checked:
            ui.playButton.checked = False

    def start(self) -> None:
        """The panel is shown: follow the cursor."""
        node = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        if node is not None and self._crosshairTag is None:
            tag = node.AddObserver(slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._onCursor)
            self._crosshairTag = node, tag

    def stop(self) -> None:
        self._flicker.stop()
        self._readout.stop()
        self.ui.playButton.checked = False
        if self._crosshairTag is not None:
            node, tag = self._crosshairTag
            node.RemoveObserver(tag)
            self._crosshairTag = None

    def step(self) -> None:
        """Key Space: show the other of the two volumes."""
        parameters = self.parameters
        if parameters is None or not self.logic.shown() or self.logic.whyNotMode(parameters, comparison.FLICKER):
            return
        parameters.mode = comparison.FLICKER
        self._step += 1
        self.logic.setOpacity(parameters, self._step % 2)

    def _tick(self) -> None:
        """The other of the two, or the next step between them."""
        parameters = self.parameters
        if parameters is None or parameters.mode != comparison.FLICKER:
            return
        self._step += 1
        rocked = (1 - math.cos(math.pi * self._step / _ROCK_STEPS)) / 2
        self.logic.setOpacity(parameters, rocked if parameters.rock else self._step % 2)

    def _visible(self, part: str, on: bool) -> None:
        widgets = {
            "pair": ("pairLabel", "firstComboBox", "secondComboBox"),
            "blend": ("blendLabel", "blendSlider"),
            "cells": ("cellsLabel", "cellsSpinBox"),
            "speed": ("speedLabel", "speedSpinBox", "rockCheckBox", "playButton"),
            "windowRange": ("windowRangeLabel", "windowLowSpinBox", "windowHighSpinBox"),
        }
        for name in widgets[part]:
            getattr(self.ui, name).visible = on

    def _showPair(self) -> None:
        columns = self.logic.columns(self.parameters)
        wanted = tuple((each.title, each.source.GetID()) for each in columns)
        pair = self.logic.pair(self.parameters)
        for combo, each in zip((self.ui.firstComboBox, self.ui.secondComboBox), pair or (None, None), strict=True):
            if wanted != self._pairs:
                combo.clear()
                for title, _nodeID in wanted:
                    combo.addItem(title)
            combo.currentIndex = -1 if each is None else columns.index(each)
        self._pairs = wanted

    def _onFirst(self, index: int) -> None:
        self._choosePair("firstVolume", index)

    def _onSecond(self, index: int) -> None:
        self._choosePair("secondVolume", index)

    def _choosePair(self, name: str, index: int) -> None:
        if not self.panel.showing and self.parameters is not None and 0 <= index < len(self._pairs):
            setattr(self.parameters, name, slicer.mrmlScene.GetNodeByID(self._pairs[index][1]))

    def _onPlay(self, checked: bool) -> None:
        if checked:
            self._flicker.start()
        else:
            self._flicker.stop()
        self.ui.playButton.text = _("Stop") if checked else _("Play")

    def _onCursor(self, caller: Any, event: Any) -> None:
        if not self._readout.isActive():
            self._readout.start()

    def _read(self) -> None:
        """Show what every volume holds under the mouse."""
        if self.parameters is None or self._crosshairTag is None:
            return
        ras = [0.0, 0.0, 0.0]
        inside = self._crosshairTag[0].GetCursorPositionRAS(ras)
        self.ui.readoutLabel.text = readout_html(self.logic.readout(self.parameters, ras), ras) if inside else ""


class WindowFollower:
    """While all share one grey scale, a change of it by mouse in one view becomes that of all."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._tags: list[tuple[Any, int]] = []
        self._busy = False

    def follow(self) -> None:
        """Observe the volumes that are shown now."""
        self.stop()
        for each in self._section.logic.columns(self._section.parameters):
            display = each.node.GetDisplayNode()
            if display is not None:
                self._tags.append((display, display.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onDisplay)))

    def stop(self) -> None:
        """Remove the observers."""
        for display, tag in self._tags:
            display.RemoveObserver(tag)
        self._tags = []

    def pause(self, on: bool) -> None:
        """While the comparison itself sets the grey scale."""
        self._busy = on

    def _onDisplay(self, display: Any, event: Any) -> None:
        parameters = self._section.parameters
        if self._busy or parameters is None or parameters.window == "separate":
            return
        now = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        own = self._section.logic.window(parameters)
        if now[0] < now[1] and not all(math.isclose(a, b, abs_tol=1e-3) for a, b in zip(now, own, strict=True)):
            self._section.logic.setWindow(parameters, *now)


def rows() -> dict[str, str]:
    """The rows of views that can be chosen."""
    return {
        "Axial": _("Axial"),
        "Sagittal": _("Sagittal"),
        "Coronal": _("Coronal"),
        comparison.ALL_ROWS: _("All three"),
    }


def windows() -> dict[str, str]:
    """The ways to choose black and white."""
    return {
        "auto": _("The same for all, automatic"),
        "manual": _("The same for all, by hand"),
        "separate": _("Each its own"),
    }


def readout_html(readings: Any, ras: Any) -> str:
    """The values at a place, one line a volume, in its colour."""
    lines = [
        f'<tr><td style="color:{color}">■&nbsp;</td><td>{escape(title)}&nbsp;&nbsp;</td>'
        f'<td align="right">{"–" if reading.value is None else f"{reading.value:.6g}"}</td></tr>'
        for title, color, reading in readings
    ]
    place = _("R {r}, A {a}, S {s} mm").format(r=f"{ras[0]:.1f}", a=f"{ras[1]:.1f}", s=f"{ras[2]:.1f}")
    return f"<table>{''.join(lines)}</table>{escape(place)}"
