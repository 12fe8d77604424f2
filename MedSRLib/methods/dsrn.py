"""DSRN on slices or volumes.

W. Han et al., "Image super-resolution via dual-state recurrent networks", CVPR 2018, arXiv 1805.02704.

Departures: those of `networks.dsrn`; models are trained on medical images, not on photographs in three colours; any
scale: the network's own, then exact resampling (`networks.on_grid`).
"""

from __future__ import annotations

from math import prod
from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class DSRN(GridMethod):
    """A coarse and a fine state that feed each other."""

    info = MethodInfo(
        identifier="dsrn",
        title="DSRN",
        description="Learned sharpening by a small recurrent network of two resolutions; needs a trained model.",
        citation="W. Han et al., Image super-resolution via dual-state recurrent networks, CVPR 2018",
        reference="arXiv:1805.02704",
        year=2018,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Half of the weights at every step for the coarse state, half for the fine one, which has more voxels."""
        steps, scale = architecture.get("steps", 7), architecture.get("scale", (2, 2))
        coarse = prod(max(1, factor // 2) for factor in scale)
        return float((steps - 2) * (coarse + prod(scale)) / 2)
