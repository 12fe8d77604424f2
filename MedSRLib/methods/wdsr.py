"""WDSR on slices or volumes.

J. Yu et al., "Wide activation for efficient and accurate image super-resolution", 2018, arXiv 1808.08718; on MRI: the
slides of E. Ceccarelli.

Departures: those of `networks.wdsr`; models are trained on medical images, not on photographs in three colours; any
scale: the network's own, then exact resampling (`networks.on_grid`).
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class WDSR(GridMethod):
    """Wide activation before every rectifier."""

    info = MethodInfo(
        identifier="wdsr",
        title="WDSR",
        description="Learned sharpening by a fast residual network of wide activations; needs a trained model.",
        citation="J. Yu et al., Wide activation for efficient and accurate image super-resolution, 2018",
        reference="arXiv:1808.08718",
        year=2018,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
