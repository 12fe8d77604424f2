"""DCSRN on volumes.

Y. Chen et al., "Brain MRI super resolution using 3D deep densely connected neural networks", ISBI 2018,
arXiv 1801.02728.

Departures: those of `networks.dcsrn`; any scale: the image is interpolated to the wanted grid by Keys' cubic first
(`networks.on_grid`), not by a spline.
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class DCSRN(GridMethod):
    """One densely connected block on the interpolated volume."""

    info = MethodInfo(
        identifier="dcsrn",
        title="DCSRN",
        description="Learned sharpening of the interpolated volume by a small dense network; needs a trained model.",
        citation="Y. Chen et al., Brain MRI SR using 3D deep densely connected neural networks, ISBI 2018",
        reference="arXiv:1801.02728",
        year=2018,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="any real factor >= 1; best at the model's",
    )
