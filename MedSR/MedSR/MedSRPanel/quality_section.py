"""Device, precision and memory, with what the machine says of itself."""

from __future__ import annotations

import json
from typing import Any

import slicer
from slicer.i18n import tr as _

from MedSRPanel.section import Choice, Section, enable

MACHINE_SETTING = "MedSR/Machine"


class QualitySection(Section):
    """Asks the job "machine" once a session, keeps its answer in the application's settings, and shows it."""

    asked = False
    """Whether it was asked in this session, by any panel; free memory, drivers and packages change between two."""

    def connect(self) -> None:
        ui = self.ui
        self._device = Choice(self, ui.deviceComboBox, "device")
        self._precision = Choice(self, ui.precisionComboBox, "precision")
        self._run: Any = None
        ui.machineButton.connect("clicked(bool)", self.look)

    @property
    def machine(self) -> dict[str, Any]:
        """What the machine has told, now or in an earlier session; empty if it never did."""
        try:
            found = json.loads(slicer.app.userSettings().value(MACHINE_SETTING) or "{}")
        except ValueError:
            found = {}
        return found if isinstance(found, dict) else {}

    def show(self) -> None:
        from MedSRPanel import choices

        ui, found = self.ui, self.machine.get("devices", [])
        texts = choices.devices(found)
        if self.parameters.device not in texts:
            texts[self.parameters.device] = self.parameters.device
        self._device.show(texts)
        self._precision.show(choices.precisions())
        told = [f"{device['title']}: {device['reason']}" for device in found if not device["works"]]
        ui.deviceInfoLabel.text = "\n".join(told)
        ui.deviceInfoLabel.visible = bool(told)
        looking = _("The computer is being looked at.") if self.looking() else ""
        reason = looking or (_("Packages are missing. Press Set up above.") if self.panel.missing else "")
        enable(ui.machineButton, reason, _("Look again at what this computer can compute on, and how fast."))

    def whyNot(self) -> str:
        """Why the chosen device cannot be used; empty if it can."""
        for device in self.machine.get("devices", []):
            if device["name"] == self.parameters.device and not device["works"]:
                return _("{title} cannot be used: {reason}").format(title=device["title"], reason=device["reason"])
        known = {device["name"] for device in self.machine.get("devices", [])}
        device = self.parameters.device
        if known and device != "auto" and not any(name.split(":")[0] == device.split(":")[0] for name in known):
            return _("This computer has no device {name}. Choose another.").format(name=device)
        return ""

    def speed(self) -> dict[str, float] | None:
        """Of the chosen device, as `MedSRLib.estimate` wants it; None if it was never measured."""
        found = self.machine
        device = self.parameters.device
        name = found.get("best", "cpu") if device == "auto" else device
        return found.get("speed", {}).get(name)

    def lookOnce(self) -> None:
        """`look`, unless the machine was asked in this session; what it told in the last is shown until then."""
        if not QualitySection.asked and not self.panel.missing:
            self.look()

    def look(self, checked: bool = False) -> None:
        """Ask the machine, in a process of its own."""
        if not self.looking():
            QualitySection.asked = True
            self._run = self.logic.startMachine()
            self.panel.watch()

    def looking(self) -> bool:
        """Whether the answer is still to come."""
        return self._run is not None and self._run.state == "running"

    def poll(self) -> None:
        """Take the answer when it has come."""
        if self._run is None:
            return
        self._run.poll()
        if self._run.state == "running":
            return
        run, self._run = self._run, None
        if run.state == "done":
            slicer.app.userSettings().setValue(MACHINE_SETTING, json.dumps(run.result))
        elif run.state == "failed":
            self.panel.note(run.errorMessage)
        self.panel.refresh()

    def stop(self) -> None:
        if self._run is not None:
            self._run.clean()
            self._run = None
