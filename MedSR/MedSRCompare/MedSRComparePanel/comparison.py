"""One comparison in the scene: which volumes, what was computed from them, and what of it the views show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from MedSRComparePanel import blinding, entries
from MedSRComparePanel.computed import Computed, drop, state
from MedSRComparePanel.entries import Shown
from MedSRComparePanel.viewer import Viewer

if TYPE_CHECKING:
    from MedSRScene.layouts import Plan
    from slicer import vtkMRMLScalarVolumeNode

SIDE, FLICKER, FADE, WIPE, CHECKER = "side", "flicker", "fade", "wipe", "checker"
MODES = (SIDE, FLICKER, FADE, WIPE, CHECKER)
COMPOSED = (WIPE, CHECKER)
ALL_ROWS = "all"
_WIPE_TOWARDS = {"Sagittal": "P"}
"""From left to right on the screen; "L" on the other planes."""

_PERCENT = 100


class Comparison:
    """See `MedSRCompareLogic` for what a script calls."""

    def __init__(self) -> None:
        self.viewer = Viewer()
        self.computed = Computed()
        self.reading: blinding.Reading | None = None
        self._compositionID = ""
        self._limits: tuple[Any, tuple[float, float]] = (None, (0.0, 1.0))

    # The volumes

    def columns(self, parameters: Any) -> list[Shown]:
        """What is compared, in the order of the columns; under letters while a blind reading goes on."""
        if self.reading is not None:
            scene = slicer.mrmlScene
            return [each for each in self.reading.columns if scene.IsNodePresent(each.node)]
        return entries.columns(parameters, _("Reference"))

    def results(self, parameters: Any) -> list[Shown]:
        """The columns without the reference."""
        return [each for each in self.columns(parameters) if not entries.same(each.source, parameters.reference)]

    def pair(self, parameters: Any) -> tuple[Shown, Shown] | None:
        """The two volumes of the flicker, fade, wipe and checkerboard; None if there are not two."""
        columns = self.columns(parameters)
        if len(columns) < 2:
            return None
        first = _named(columns, parameters.firstVolume) or columns[0]
        second = _named(columns, parameters.secondVolume)
        if second is None or second is first:
            second = next(each for each in columns if each is not first)
        return first, second

    def differenceOf(self, shown: Shown, parameters: Any) -> vtkMRMLScalarVolumeNode | None:
        """The difference of a volume to the reference, once it is computed."""
        return self.computed.difference(shown.source, parameters.reference)

    def onOneGrid(self, shown: Shown, parameters: Any) -> vtkMRMLScalarVolumeNode | None:
        """A volume on the reference's grid; the reference itself is there already."""
        if entries.same(shown.source, parameters.reference):
            return shown.source
        return self.computed.resampled(shown.source, parameters.reference)

    def holds(self, shown: Shown, parameters: Any) -> bool:
        """Whether what was computed from a volume is there, and still holds."""
        return self.computed.holds(shown.source, parameters.reference)

    def limit(self, parameters: Any) -> float:
        """The difference that has the full colour."""
        from MedSRScene import differences

        whole, automatic = self.computed.range, float(self.computed.measures.get("limit") or 0.0)
        if parameters.differenceLimit > 0 and whole > 0:
            return differences.suggestedLimit(parameters.differenceLimit, whole)
        return automatic if automatic > 0 else differences.suggestedLimit(_PERCENT, whole or 1.0)

    # The views

    def whyNotMode(self, mode: str, parameters: Any) -> str:
        """Why the volumes cannot be shown this way; empty if they can."""
        if mode == SIDE:
            return ""
        pair = self.pair(parameters)
        if pair is None:
            return _("This needs two volumes.")
        if mode in COMPOSED and any(self.onOneGrid(each, parameters) is None for each in pair):
            return _("Press Compare first: the two volumes must be brought to one grid.")
        return ""

    def show(self, parameters: Any) -> None:
        """Show the comparison as the parameters say; called again it changes only what is different."""
        from MedSRScene import views

        columns = self.columns(parameters)
        if not columns:
            self.leave()
        if not columns or slicer.app.layoutManager() is None:
            return
        mode = SIDE if self.whyNotMode(parameters.mode, parameters) else parameters.mode
        self._dressVolumes(parameters, columns)
        self._dressDifferences(parameters, columns)
        plan, nodes, differences = self._plan(parameters, columns, mode)
        ids = [node.GetID() for node in nodes]
        differenceIDs = [None if node is None else node.GetID() for node in differences]
        self.viewer.show(plan, ids, differenceIDs, columns[0].source if parameters.align else None)
        views.link(slicer.mrmlScene, plan, parameters.linked)
        self.viewer.crosshair(parameters.crosshair)
        self.lay(parameters, parameters.blend if mode == FADE else 0.0)
        if mode not in (FLICKER, FADE):
            lines = self._corners(plan, nodes, mode, parameters)
            self.viewer.annotate({name: lines[name] for name in lines if name not in self._empty(plan, differences)})

    def lay(self, parameters: Any, opacity: float) -> None:
        """Flicker and fade: how much of the second volume is seen, 0 … 1."""
        from MedSRScene import views

        plan, pair = self.viewer.plan, self.pair(parameters)
        if plan is None:
            return
        over = parameters.mode in (FLICKER, FADE) and pair is not None
        composites = views.composites(slicer.mrmlScene, plan, differences=False)
        views.blend(composites, pair[1].node.GetID() if over else None, opacity if over else 0.0)
        if over:
            parts = [(each, share) for each, share in zip(pair, (1 - opacity, opacity), strict=True) if share > 0]
            whole = len(parts) == 1
            lines = [each.title if whole else f"{each.title} {round(share * _PERCENT)} %" for each, share in parts]
            told = [*lines, *self._synthetic(each for each, _share in parts)]
            self.viewer.annotate(dict.fromkeys(views.names(plan), told))

    def leave(self) -> None:
        """Bring the user's own layout and windows back."""
        self.viewer.leave()

    def clear(self) -> None:
        """Remove what was computed, and end the blind reading."""
        if self.reading is not None:
            self.reading.close()
            self.reading = None
        self.computed.clear()
        drop([self._compositionID])
        self.forget()

    def forget(self) -> None:
        """The scene was closed: what was computed is gone."""
        self.computed.forget()
        self.reading, self._compositionID, self._limits = None, "", (None, (0.0, 1.0))
        self.viewer.forget()

    def _plan(self, parameters: Any, columns: Sequence[Shown], mode: str) -> tuple[Plan, list[Any], list[Any]]:
        """The layout, and what lies in its columns."""
        from MedSRScene.layouts import ORIENTATIONS, Plan

        rows = ORIENTATIONS if parameters.rows == ALL_ROWS else (parameters.rows,)
        plot = parameters.chart != "none"
        if mode != SIDE:
            pair = self.pair(parameters)
            title, color = f"{pair[0].title} | {pair[1].title}", pair[1].color
            node = self._composed(parameters, pair, mode) if mode in COMPOSED else pair[0].node
            return Plan((title,), rows, False, plot, (color,)), [node], []
        wanted = parameters.showDifference and self.reading is None
        differences = [self.differenceOf(each, parameters) if wanted else None for each in columns]
        titles, colors = tuple(each.title for each in columns), tuple(each.color for each in columns)
        plan = Plan(titles, rows, any(node is not None for node in differences), plot, colors)
        return plan, [each.node for each in columns], differences

    def _composed(self, parameters: Any, pair: tuple[Shown, Shown], mode: str) -> vtkMRMLScalarVolumeNode:
        from MedSRScene import compositions

        first, second = (self.onOneGrid(each, parameters) for each in pair)
        output = slicer.mrmlScene.GetNodeByID(self._compositionID) if self._compositionID else None
        if mode == CHECKER:
            node = compositions.checkerboard(first, second, parameters.cells, output)
        else:
            towards = _WIPE_TOWARDS.get(parameters.rows, "L")
            node = compositions.wipe(first, second, parameters.blend, towards, output)
        self._compositionID = node.GetID()
        return node

    def _dressVolumes(self, parameters: Any, columns: Sequence[Shown]) -> None:
        """One grey scale for all, or each its own; voxels as they are, or smooth."""
        from MedSRScene import views, windows

        resampled = [self.onOneGrid(each, parameters) for each in columns]
        nodes = [each.node for each in columns] + [node for node in resampled if node is not None]
        self.viewer.remember([each.node for each in columns])
        if parameters.window == "separate":
            self.viewer.restoreWindows()
        elif parameters.window == "manual":
            if parameters.windowLow < parameters.windowHigh:
                windows.shared(nodes, "manual", parameters.windowLow, parameters.windowHigh)
        else:
            windows.shared(nodes, "manual", *self.automatic(parameters))
        views.interpolate(nodes, not parameters.native)

    def automatic(self, parameters: Any) -> tuple[float, float]:
        """Black and white that suit the first volume; kept until its voxels change."""
        from MedSRScene import windows

        first = self.columns(parameters)[0].source
        if self._limits[0] != (first.GetID(), state(first)):
            self._limits = (first.GetID(), state(first)), windows.limits(first)
        return self._limits[1]

    def _dressDifferences(self, parameters: Any, columns: Sequence[Shown]) -> None:
        from MedSRScene import differences

        for each in columns:
            node = self.differenceOf(each, parameters)
            if node is not None:
                differences.dress(
                    node,
                    self.limit(parameters),
                    parameters.differenceMode,
                    legend=parameters.legend,
                    colorsLogic=slicer.modules.colors.logic(),
                    title=_("Difference"),
                )
                node.GetDisplayNode().SetInterpolate(not parameters.native)

    def _corners(self, plan: Plan, nodes: Sequence[Any], mode: str, parameters: Any) -> dict[str, list[str]]:
        """What the corner of each view says: title and spacing, and what is synthetic; letters alone in a reading."""
        from MedSRScene import views

        lines = views.annotations(slicer.mrmlScene, plan, [node.GetID() for node in nodes])
        if mode != SIDE:
            told = [plan.columns[0], *self._synthetic(self.pair(parameters) or ())]
            return dict.fromkeys(lines, told)
        return {name: parts[:1] for name, parts in lines.items()} if self.reading is not None else lines

    def _empty(self, plan: Plan, differences: Sequence[Any]) -> set[str]:
        """Names of the views under a volume that has no difference: the reference's."""
        from MedSRScene.layouts import viewName

        return {viewName(*view) for view in plan.views() if view[2] and differences[view[1]] is None}

    def _synthetic(self, shown: Any) -> list[str]:
        marks = [(each.node.GetAttribute("MedSR.synthetic") or "").lower() for each in shown]
        return ["SYNTHETIC"] if any(mark in ("1", "true") for mark in marks) else []


def _named(columns: Sequence[Shown], node: Any) -> Shown | None:
    return None if node is None else next((each for each in columns if entries.same(each.source, node)), None)
