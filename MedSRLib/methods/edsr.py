"""EDSR on slices or volumes.

B. Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR workshops 2017, arXiv
1707.02921; on MRI: the slides of E. Ceccarelli.

Departures: those of `networks.edsr`; models are trained on medical images, not on photographs in three colours; any
scale: the network's own, then exact resampling (`networks.on_grid`).
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class EDSR(GridMethod):
    """A deep residual network without batch normalisation."""

    info = MethodInfo(
        identifier="edsr",
        title="EDSR",
        description="Learned sharpening by a deep residual network; needs a trained model.",
        citation="B. Lim et al., Enhanced deep residual networks for single image super-resolution, CVPRW 2017",
        reference="arXiv:1707.02921",
        year=2017,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
