"""The calls for what a method can be told beyond the common choices: its options, and how thick the slices are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import slicer

if TYPE_CHECKING:
    from MedSRLib.methods.options import Option

THICKNESS_OPTIONS = ("thickness_mm", "thickness")
"""Options that one row of the panel asks for, whatever the method."""

_SAME = 1e-3


class OptionCalls:
    """A part of `Calls`, whose other parts it calls."""

    if TYPE_CHECKING:
        chosen: Any
        resultGrid: Any
        whyNot: Any

    def described(self, method: str) -> list[Option]:
        """The options of a method that have a row of their own."""
        from MedSRPanel import choices

        return [option for option in choices.options(method) if option.name not in THICKNESS_OPTIONS]

    def options(self, parameters: Any, method: str) -> dict[str, Any]:
        """The options of a method that differ from its defaults, as the command line's ``--option`` gives them."""
        kept = _read(parameters).get(method, {})
        known = {option.name: option.default for option in self.described(method)}
        return {name: value for name, value in kept.items() if name in known and value != known[name]}

    def setOption(self, parameters: Any, method: str, name: str, value: Any) -> None:
        """Choose the value of an option; every method keeps its own."""
        kept = _read(parameters)
        kept[method] = {**kept.get(method, {}), name: value}
        parameters.methodOptions = json.dumps(kept)

    def resetOptions(self, parameters: Any, method: str) -> None:
        """Take the defaults of a method again."""
        kept = _read(parameters)
        kept.pop(method, None)
        parameters.methodOptions = json.dumps(kept)

    def jobOptions(self, parameters: Any, method: str, volume: Any = None) -> dict[str, Any]:
        """All options that a job of a volume (by default the input) gets: the chosen ones, and the slice thickness."""
        from MedSRPanel import choices

        chosen = self.options(parameters, method)
        defaults = {option.name: option.default for option in choices.options(method)}
        thickness = self.thickness(parameters, volume)
        if thickness is None:
            return chosen
        if "thickness_mm" in defaults:
            return {**chosen, "thickness_mm": thickness}
        acquisition = chosen.get("acquisition", defaults.get("acquisition"))
        fits = "thickness" in defaults and choices.has_thickness(acquisition)
        return {**chosen, "thickness": thickness} if fits and self.onlyThick(parameters, volume) else chosen

    def whyNotOptions(self, parameters: Any, method: str) -> str:
        """Why the options do not go together; empty if they do."""
        from MedSRPanel import choices

        return choices.options_problem(method, self.jobOptions(parameters, method))

    # How thick the slices are

    def foundThickness(self, volume: Any) -> tuple[float | None, str]:
        """The slice thickness in mm that a volume or its DICOM files tell, and who told it; None if nobody does."""
        from MedSRScene import thickness

        return thickness.found(volume, getattr(slicer, "dicomDatabase", None))

    def thickness(self, parameters: Any, volume: Any = None) -> float | None:
        """The slice thickness in mm of a volume (by default the input): as typed, else as found; None if unknown."""
        from MedSRPanel import choices

        mine = volume is None or _same(volume, parameters.inputVolume)
        volume = volume or parameters.inputVolume
        if mine and parameters.thickness:
            return float(parameters.thickness)
        if volume is None or choices.thick_axis(volume.GetSpacing()) is None:
            return None
        return self.foundThickness(volume)[0]

    def usesThickness(self, parameters: Any) -> bool:
        """Whether a job of the input would be told how thick the slices are, if that was known."""
        from MedSRPanel import choices

        method = self.chosen(parameters)[0]
        names = {option.name for option in choices.options(method)}
        if "thickness_mm" in names:
            return True
        return self.onlyThick(parameters) and ("thickness" in names or parameters.refine or parameters.consistency)

    def ofAnyVolume(self, parameters: Any, job: dict[str, Any]) -> dict[str, Any]:
        """A job without the slice thickness that was found for the input, and does not hold for other volumes."""
        if parameters.thickness:
            return job
        options = {name: value for name, value in job.get("options", {}).items() if name not in THICKNESS_OPTIONS}
        kept = {name: value for name, value in job.items() if name not in ("options", "thickness")}
        return {**kept, "options": options} if options else kept

    def onlyThick(self, parameters: Any, volume: Any = None) -> bool:
        """Whether the axis across the thick slices is the only one that gets finer, so that a thickness is its own."""
        from MedSRPanel import choices

        volume = volume or parameters.inputVolume
        if volume is None or parameters.goal == "like" or self.whyNot(parameters, volume):
            return False
        spacing, axis = volume.GetSpacing(), choices.thick_axis(volume.GetSpacing())
        wanted = self.resultGrid(parameters, volume)[1]
        finer = [n for n in range(3) if wanted[n] < spacing[n] * (1 - _SAME)]
        return axis is not None and finer == [axis]


def _read(parameters: Any) -> dict[str, dict[str, Any]]:
    """The options by method, as the parameter node keeps them."""
    try:
        kept = json.loads(parameters.methodOptions or "{}")
    except ValueError:
        return {}  # of a scene that was edited by hand
    return kept if isinstance(kept, dict) else {}


def _same(node: Any, other: Any) -> bool:
    """Whether both are one node; wrappers of one node may differ."""
    return node is not None and other is not None and node.GetID() == other.GetID()
