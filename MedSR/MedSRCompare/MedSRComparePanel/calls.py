"""What a script can call, and the panel does: the calls of `MedSRCompareLogic`.

``parameters`` is always the wrapper of the parameter node, as `MedSRCompareLogic.getParameterNode` gives it. Volumes
in the scene stay as they are; nodes that a comparison makes for itself are marked and not saved with the scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from MedSRComparePanel import drawing, entries, tables
from MedSRComparePanel.chart_calls import ChartCalls
from MedSRComparePanel.comparison import Comparison
from MedSRComparePanel.entries import Entry, Shown
from MedSRComparePanel.study_calls import StudyCalls

if TYPE_CHECKING:
    from MedSRScene.compare_run import CompareRun
    from slicer import vtkMRMLScalarVolumeNode


MOST_INTENSITY = 1e6
"""The limit of the boxes for black and white."""


class Calls(ChartCalls, StudyCalls):
    """One comparison: its volumes, views, computations, charts and blind reading.

    Args:
        requirements: file that names the packages of the computations.
    """

    def __init__(self, requirements: Path) -> None:
        self._requirements = requirements
        self._comparison = Comparison()
        self._drawing = drawing.Drawing()

    # Volumes

    def setVolumes(
        self,
        parameters: Any,
        reference: vtkMRMLScalarVolumeNode | None,
        results: Sequence[vtkMRMLScalarVolumeNode],
        titles: Sequence[str] = (),
    ) -> None:
        """Compare these volumes (8 at most), in this order, with the reference or without one.

        Args:
            titles: shown in place of the names of the nodes, which keep theirs.

        Raises:
            ValueError: if there are more than eight.
        """
        given = [*titles, *[""] * len(results)]
        entries.store(parameters, [Entry(node, title) for node, title in zip(results, given, strict=False)])
        parameters.reference = reference

    def addVolume(self, parameters: Any, node: vtkMRMLScalarVolumeNode, title: str = "") -> None:
        """Add a volume at the end of the list; one that is there already is only ticked.

        Raises:
            ValueError: if there are eight already.
        """
        listed = entries.entries(parameters)
        if any(entries.same(entry.node, node) for entry in listed):
            listed = [e._replace(shown=True) if entries.same(e.node, node) else e for e in listed]
        else:
            listed.append(Entry(node, title))
        entries.store(parameters, listed)

    def addable(self, parameters: Any) -> list[vtkMRMLScalarVolumeNode]:
        """The volumes of the scene that are neither on the list nor the reference."""
        known = {entry.node.GetID() for entry in entries.entries(parameters)}
        if parameters.reference is not None:
            known.add(parameters.reference.GetID())
        return [node for node in entries.volumesOfScene() if node.GetID() not in known]

    def suggestion(self) -> list[vtkMRMLScalarVolumeNode]:
        """What MedSR made in this scene, after what it was made from; nothing where it made nothing."""
        volumes = entries.volumesOfScene()
        made = [node for node in volumes if node.GetAttribute("MedSR.method")]
        sources = {node.GetAttribute("MedSR.input") for node in made}
        return ([n for n in volumes if n.GetName() in sources and n not in made] + made)[: entries.MOST]

    def columns(self, parameters: Any) -> list[Shown]:
        """What is compared: the reference, and the ticked volumes in their order, with title and colour."""
        return self._comparison.columns(parameters)

    def results(self, parameters: Any) -> list[Shown]:
        """`columns` without the reference."""
        return self._comparison.results(parameters)

    def pair(self, parameters: Any) -> tuple[Shown, Shown] | None:
        """The two volumes that flicker, fade, wipe and checkerboard show; None if there are not two."""
        return self._comparison.pair(parameters)

    def whyNot(self, parameters: Any) -> str:
        """Why nothing can be compared, in the user's words; empty if it can."""
        if not entries.results(parameters):
            return _("Add a volume to the list, and tick it.")
        return ""

    # Views

    def show(self, parameters: Any) -> None:
        """Show the comparison in Slicer's views; called again, only what is different is changed."""
        self._comparison.show(parameters)
        self.draw(parameters)

    def shown(self) -> bool:
        """Whether the comparison is in the views now."""
        return self._comparison.viewer.active

    def leave(self, parameters: Any = None) -> None:
        """Bring back the layout, grey scales and crosshair that were there before."""
        if parameters is not None:
            drawing.endPlacing(parameters)
        self._comparison.leave()

    def clear(self) -> None:
        """`leave`, and remove every node that the comparison has made for itself."""
        self._comparison.leave()
        self._comparison.clear()
        self._drawing.clear()

    def forget(self) -> None:
        """The scene is closed: look up nothing of it any more."""
        self._comparison.forget()
        self._drawing.forget()
        self._comparison.leave()

    def whyNotMode(self, parameters: Any, mode: str) -> str:
        """Why the volumes cannot be shown as "flicker", "fade", "wipe" or "checker"; empty if they can."""
        return self._comparison.whyNotMode(mode, parameters)

    def setOpacity(self, parameters: Any, opacity: float) -> None:
        """Flicker and fade: how much of the second volume is seen, 0 … 1."""
        self._comparison.lay(parameters, opacity)

    def window(self, parameters: Any) -> tuple[float, float]:
        """Black and white of all volumes, unless each has its own."""
        if parameters.window == "manual" or not self.columns(parameters):
            return parameters.windowLow, parameters.windowHigh
        return self._comparison.automatic(parameters)

    def setWindow(self, parameters: Any, low: float, high: float, mode: str = "manual") -> None:
        """Black and white of all volumes.

        Args:
            mode: "manual"; "auto" only notes what is automatic now, as a start for the user's own.
        """
        low, high = (min(max(value, -MOST_INTENSITY), MOST_INTENSITY) for value in (low, high))
        if (low, high) != (parameters.windowLow, parameters.windowHigh):
            parameters.windowLow, parameters.windowHigh = low, high
        parameters.window = mode

    def readout(self, parameters: Any, ras: Sequence[float]) -> list[tuple[str, str, Any]]:
        """(title, colour, `MedSRScene.readout.Reading`) of every volume at a world point (RAS, mm)."""
        from MedSRScene import readout

        shown = self.columns(parameters)
        readings = readout.at(ras, [each.node for each in shown])
        return [(each.title, each.color, reading) for each, reading in zip(shown, readings, strict=True)]

    # Computations

    def missingPackages(self) -> list[str]:
        """The packages that computations and reports need and that are not installed."""
        from MedSRPanel import library, packages

        return packages.missing(self._requirements, torch=False) if library.findable() else ["MedSRLib"]

    def installPackages(self) -> None:
        """Install them, with the user's consent.

        Raises:
            SetupError: of `MedSRPanel.packages`, with the reason.
        """
        from MedSRPanel import packages

        packages.install(self.missingPackages(), self._requirements, torch=False)

    def needsRun(self, parameters: Any) -> bool:
        """Whether there is something to compute: differences, measures, volumes on one grid, consistency."""
        return len(self.columns(parameters)) > 1 or parameters.acquired is not None

    def startRun(self, parameters: Any) -> CompareRun:
        """Start to compute; poll it, or wait by ``waitForEnd()``, then call `finishRun`."""
        from MedSRScene.compare_run import CompareRun

        run = CompareRun(
            [each.source for each in self.results(parameters)],
            parameters.reference,
            parameters.mask,
            parameters.segment or None,
            parameters.acquired,
        )
        run.start()
        return run

    def finishRun(self, parameters: Any, run: CompareRun) -> None:
        """Take over the results of a run that is "done"."""
        self._comparison.computed.take(run, parameters.reference)

    def computed(self, parameters: Any) -> bool:
        """Whether differences and measures of all that is shown are there, and still hold."""
        shown = self.results(parameters)
        return bool(shown) and all(self._comparison.holds(each, parameters) for each in shown)

    def differenceNode(self, parameters: Any, node: vtkMRMLScalarVolumeNode) -> vtkMRMLScalarVolumeNode | None:
        """The difference volume − reference, on the reference's grid; None before it is computed."""
        shown = next((each for each in self.columns(parameters) if entries.same(each.source, node)), None)
        return None if shown is None else self._comparison.differenceOf(shown, parameters)

    def limit(self, parameters: Any) -> tuple[float, float]:
        """The difference that has the full colour, and the range of the reference."""
        return self._comparison.limit(parameters), self._comparison.computed.range

    def measures(self, parameters: Any, where: str = "") -> tuple[list[Shown], list[tables.Row]]:
        """The volumes and the rows of the table of measures, ``where`` "whole" or "mask" (as the parameters say)."""
        shown = self._current(parameters)
        ids = [each.source.GetID() for each in shown]
        return shown, tables.rows(self._comparison.computed.measures, ids, where or parameters.inside)

    def saveMeasures(self, parameters: Any, path: Path | str) -> None:
        """Write the measures of the whole volume and of the mask as CSV.

        Raises:
            OSError: if the file cannot be written.
        """
        parts = {where: self.measures(parameters, where)[1] for where in tables.WHERE}
        tables.save(path, [each.title for each in self._current(parameters)], parts)

    def withoutReference(self, parameters: Any) -> tuple[list[Shown], list[tables.Row]]:
        """Without a reference: the volumes, and what their input and they themselves can tell; see `tables`."""
        shown = self._current(parameters)
        return shown, tables.unreferenced(self._comparison.computed.measures, [each.source.GetID() for each in shown])

    def _current(self, parameters: Any) -> list[Shown]:
        """The results whose measures hold."""
        return [each for each in self.results(parameters) if self._comparison.holds(each, parameters)]
