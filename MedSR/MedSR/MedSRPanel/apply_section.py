"""The button, what a run will take, how far it is, and what can be done with its result."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from MedSRPanel.run_view import RunView
from MedSRPanel.section import Section, enable

COMPARE_MODULE = "MedSRCompare"
MEASURED_SETTING = "MedSR/Measured"
_SLOWEST, _FASTEST = 20.0, 0.05
"""Bounds of the correction that former runs give: a sleeping laptop must not spoil all estimates."""


class ApplySection(Section):
    """Starts, watches and cancels the one run of the panel."""

    def connect(self) -> None:
        ui = self.ui
        self.run: Any = None
        self.view = RunView(ui)
        self._estimated: float | None = None
        self._promised: float | None = None
        self._measuredAs = ""
        self._last: dict[str, str] = {}
        ui.applyButton.connect("clicked(bool)", self._onApply)
        ui.compareButton.connect("clicked(bool)", self._onCompare)
        ui.showConsistencyButton.connect("clicked(bool)", lambda checked=False: self._showMap("consistency", "input"))
        ui.showUncertaintyButton.connect("clicked(bool)", lambda checked=False: self._showMap("uncertainty", "result"))

    def running(self) -> bool:
        """Whether a run is under way."""
        return self.run is not None and self.run.state == "running"

    def show(self) -> None:
        """The button runs, cancels, or is off and says why."""
        ui, running = self.ui, self.running()
        reason = "" if running else self.panel.whyNot()
        ui.applyButton.text = _("Cancel") if running else _("Apply")
        enable(ui.applyButton, reason, _("Stop the run.") if running else _("Start; the input is not changed."))
        settings = (ui.superResolveCollapsible, ui.advancedCollapsible, ui.qualityCollapsible, ui.regionCollapsible)
        for part in (*settings, ui.checksCollapsible):
            enable(part, _("A run is under way: wait, or cancel it.") if running else "", "")
        self._showEstimate(running or bool(reason))
        self._showAfter(running)

    def _showEstimate(self, hidden: bool) -> None:
        from MedSRPanel import wording

        ui, self._estimated = self.ui, None
        wanted = None if hidden else self.logic.estimate(self.parameters, self.panel.quality.speed())
        if wanted is not None:
            self._measuredAs = self._setting()
            if wanted.seconds is not None:
                self._estimated = wanted.seconds * self.correction()
            ui.estimateLabel.text = wording.estimate_text(self._estimated, wanted.memory_bytes, self._deviceText())
        ui.estimateLabel.visible = wanted is not None

    def correction(self) -> float:
        """By what former runs of this method on this device took longer, or shorter, than was estimated."""
        return float(slicer.app.userSettings().value(self._setting()) or 1.0)

    def _setting(self) -> str:
        return f"{MEASURED_SETTING}/{self.logic.chosen(self.parameters)[0]}/{self._deviceText()}"

    def _deviceText(self) -> str:
        found = self.panel.quality.machine
        name = self.parameters.device
        name = found.get("best", "cpu") if name == "auto" else name
        titles = {device["name"]: device["title"] for device in found.get("devices", [])}
        return _("the processor") if name == "cpu" else titles.get(name, name)

    def _showAfter(self, running: bool) -> None:
        ui, nodes = self.ui, self._lastNodes()
        there = hasattr(slicer.modules, COMPARE_MODULE.lower())
        ui.compareButton.visible = there and not running and {"input", "result"} <= nodes.keys()
        ui.showConsistencyButton.visible = not running and "consistency" in nodes
        ui.showUncertaintyButton.visible = not running and "uncertainty" in nodes

    def _lastNodes(self) -> dict[str, Any]:
        """The nodes of the last run that are still in the scene."""
        found = {name: slicer.mrmlScene.GetNodeByID(nodeID) for name, nodeID in self._last.items()}
        return {name: node for name, node in found.items() if node is not None}

    def _onApply(self, checked: bool = False) -> None:
        if self.running():
            self.run.cancel()
            self.view.cancelling()
            enable(self.ui.applyButton, _("The run is being stopped."), "")
            return
        parameters = self.parameters
        method, _model = self.logic.chosen(parameters)
        volume = parameters.inputVolume
        title = self.panel.methods[method].title
        self.view.begin(_("{method}: {name}").format(method=title, name=volume.GetName()))
        self._last, self._promised = {"input": volume.GetID()}, self._estimated
        self.run = self.logic.start(parameters)
        if self.running():
            self.panel.watch()
            self.show()
        else:
            self._finish()

    def poll(self) -> None:
        """Show what the run has told, and its end."""
        if self.run is None:
            return
        for event in self.run.poll():
            self.view.hear(event)
        if not self.running():
            self._finish()

    def _finish(self) -> None:
        """Show how the run ended."""
        run, self.run = self.run, None
        node = slicer.mrmlScene.GetNodeByID(run.resultNodeID) if run.resultNodeID else None
        guide = (run.result.get("provenance") or {}).get("guide", "")
        self.view.end(run.state, run.errorMessage, node.GetName() if node is not None else "", guide)
        if run.state == "failed":
            self.ui.logCollapsible.collapsed = False
        if node is not None:
            self._last["result"] = node.GetID()
            maps = {"consistency": run.consistencyNodeID, "uncertainty": run.uncertaintyNodeID}
            self._last |= {name: nodeID for name, nodeID in maps.items() if nodeID}
            self._learn()
            slicer.util.setSliceViewerLayers(background=node)
        self.panel.refresh()

    def _learn(self) -> None:
        """Let the next estimate know how long this run took."""
        if not self._promised or self.view.took <= 0:
            return
        settings = slicer.app.userSettings()
        factor = float(settings.value(self._measuredAs) or 1.0) * self.view.took / self._promised
        settings.setValue(self._measuredAs, str(min(max(factor, _FASTEST), _SLOWEST)))

    def _onCompare(self, checked: bool = False) -> None:
        nodes = self._lastNodes()
        slicer.util.selectModule(COMPARE_MODULE)
        widget = getattr(slicer.modules, COMPARE_MODULE + "Widget")
        volumes = [nodes["input"], nodes["result"]]
        widget.compareVolumes(None, volumes, [node.GetName() for node in volumes])

    def _showMap(self, name: str, below: str) -> None:
        """A map of the last result over the input or the result, half transparent."""
        nodes = self._lastNodes()
        slicer.util.setSliceViewerLayers(background=nodes.get(below), foreground=nodes[name])
        slicer.util.setSliceViewerLayers(foregroundOpacity=0.6)

    def stop(self) -> None:
        if self.run is not None:
            self.run.clean()
            self.view.end("cancelled", "")
            self.run = None
