"""The panel of MedSR Compare: its sections show one parameter node, and the views follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from MedSRComparePanel.blind_section import BlindSection
from MedSRComparePanel.difference_section import DifferenceSection
from MedSRComparePanel.measures_section import ChecksSection, MeasuresSection
from MedSRComparePanel.profile_section import ProfileSection
from MedSRComparePanel.run_section import RunSection
from MedSRComparePanel.shortcuts import Shortcuts
from MedSRComparePanel.view_section import ViewSection, WindowFollower
from MedSRComparePanel.volumes_section import VolumesSection

REFRESH_MS = 30
"""Changes that come together are shown together."""


class Panel:
    """The sections, and what they share.

    Args:
        widget: the root of the panel.
        ui: the widgets by name.
        logic: makes the calls.

    Attributes:
        parameters: the parameter node that is shown; None while there is none.
        showing: True while widgets are written to: what they tell then was not the user.
        entered: whether the user sees the panel.
    """

    def __init__(self, widget: Any, ui: Any, logic: Any) -> None:
        self.ui, self.logic = ui, logic
        self.parameters: Any = None
        self.showing = self.entered = False
        self._guiTag = 0
        self.timer = qt.QTimer(widget)
        self.timer.setSingleShot(True)
        self.timer.setInterval(REFRESH_MS)
        self.timer.connect("timeout()", self.refresh)
        self.volumes, self.view, self.difference = VolumesSection(self), ViewSection(self), DifferenceSection(self)
        self.runs = RunSection(self)
        others = [ProfileSection(self), MeasuresSection(self), ChecksSection(self), BlindSection(self)]
        self.sections = [self.volumes, self.view, self.difference, *others, self.runs]
        self.windows = WindowFollower(self.view)
        for section in self.sections:
            section.connect()
        self.runs.look()
        keys = {"Space": self.view.step, "D": self.difference.toggle, "N": self._toggleNative}
        self.shortcuts = Shortcuts(keys, widget)

    def follow(self, parameters: Any) -> None:
        """Show these parameters, and write what the user changes into them; None ends that."""
        if self.parameters is not None:
            self.parameters.disconnectGui(self._guiTag)
        self.parameters = parameters
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.refresh()

    def enter(self) -> None:
        """The user sees the panel."""
        self.entered = True
        self.runs.look()
        self.volumes.suggest()
        self.start()
        self.shortcuts.enable(True)

    def start(self) -> None:
        """Show what was compared, and follow the cursor."""
        for section in (self.volumes, self.view):
            section.start()
        self.refresh()

    def exit(self) -> None:
        """The user sees another module; a computation goes on."""
        self.entered = False
        self.shortcuts.enable(False)
        for part in (self.volumes, self.view, self.windows):
            part.stop()
        self.timer.stop()
        self.logic.leave(self.parameters)

    def stop(self) -> None:
        """End what goes on: the scene, the panel or Slicer goes away."""
        self.timer.stop()
        self.windows.stop()
        for section in self.sections:
            section.stop()

    def remove(self) -> None:
        """The panel goes away, with every node that was made for a comparison."""
        from MedSRScene import derived

        self.stop()
        self.shortcuts.remove()
        self.logic.clear()
        derived.clear(slicer.mrmlScene)

    def refresh(self) -> None:
        """Show the parameters in the panel, and what they say in the views.

        New views need the event loop, in which this may be called again: that call waits for its turn.
        """
        self.timer.stop()
        if self.showing:
            self.later()
        if self.parameters is None or self.showing:
            return
        self.showing = True
        self.windows.pause(True)
        try:
            if self.parameters.shown and self.entered:
                self.attempt(lambda: self.logic.show(self.parameters))
                if self.parameters is not None:
                    self.windows.follow()
            for section in self.sections if self.parameters is not None else ():
                section.show()
        finally:
            self.windows.pause(False)
            self.showing = False

    def later(self, caller: Any = None, event: Any = None) -> None:
        """`refresh` soon, once for many changes."""
        if self.parameters is not None and not self.timer.isActive():
            self.timer.start()

    def say(self, text: str) -> None:
        """One line under the button."""
        self.runs.say(text)

    def attempt(self, function: Callable[[], Any]) -> Any:
        """Call a function; what the scene or the disk refuses is told to the user. Returns None then."""
        from MedSRScene.errors import SceneError

        try:
            return function()
        except (SceneError, OSError, ValueError) as error:
            self.say(str(error))
            return None

    def _toggleNative(self) -> None:
        if self.parameters is not None:
            self.parameters.native = not self.parameters.native
