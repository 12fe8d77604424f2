"""SRFBN on slices or volumes.

Z. Li et al., "Feedback network for image super-resolution", CVPR 2019, arXiv 1903.09814.

Departures: those of `networks.srfbn`; models are trained on medical images, not on photographs in three colours; any
scale: the network's own, then exact resampling (`networks.on_grid`).
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class SRFBN(GridMethod):
    """What was found is fed back and refined again."""

    info = MethodInfo(
        identifier="srfbn",
        title="SRFBN",
        description="Learned sharpening in four steps, each refining the one before; needs a trained model.",
        citation="Z. Li et al., Feedback network for image super-resolution, CVPR 2019",
        reference="arXiv:1903.09814",
        year=2019,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Once a step."""
        return float(architecture.get("steps", 4))
