"""The calls that say what a run will take, and what makes its result easier to judge: ensemble and refinement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from MedSRLib.estimate import Estimate

ENSEMBLE = "flips"
LABELS_METHOD = "nearest"


class CheckCalls:
    """A part of `Calls`, whose other parts it calls."""

    if TYPE_CHECKING:
        chosen: Any
        jobOptions: Any
        resultGrid: Any

    def ofLabels(self, parameters: Any) -> bool:
        """Whether the method that would run keeps labels as they are: it takes no uncertainty and no refinement."""
        return self.chosen(parameters)[0] == LABELS_METHOD

    def estimate(
        self, parameters: Any, speed: dict[str, float] | None = None, *, uncertainty: bool | None = None
    ) -> Estimate | None:
        """Time and memory of a run; None where the whole volume's grid is not known yet.

        Args:
            speed: of the device, as the job "machine" tells; without it there is no time.
            uncertainty: with or without its map; by default as the parameters say.
        """
        from MedSRScene import regions
        from MedSRScene.errors import SceneError

        from MedSRLib.estimate import estimate
        from MedSRPanel import choices

        volume = parameters.inputVolume
        size, spacing = volume.GetImageData().GetDimensions(), volume.GetSpacing()
        wanted, fine = self.resultGrid(parameters)
        if parameters.roi is not None:
            try:
                part = regions.box(volume, parameters.roi, parameters.margin).size
            except SceneError:
                return None
            wanted = [max(1, round(n * p / whole)) for n, p, whole in zip(wanted, part, size, strict=True)]
            size = part
        method, model = self.chosen(parameters)
        if not method:
            return None
        source, target = choices.plain_grid(size, spacing), choices.plain_grid(wanted, fine)
        card = choices.cards().get(model)
        checks = self.checks(parameters, method, uncertainty)
        return estimate(
            method,
            source,
            target,
            card,
            speed=speed,
            memory_gb=parameters.memory or None,
            options=self.jobOptions(parameters, method),
            **checks,
        )

    def checks(self, parameters: Any, method: str, uncertainty: bool | None = None) -> dict[str, Any]:
        """What a job says of ensemble and refinement: nothing where the method keeps labels as they are.

        Args:
            method: that will run.
            uncertainty: with or without its map; by default as the parameters say.
        """
        if method == LABELS_METHOD:
            return {}
        wanted = parameters.uncertainty if uncertainty is None else uncertainty
        return ({"ensemble": ENSEMBLE} if wanted else {}) | ({"refine": True} if parameters.refine else {})
