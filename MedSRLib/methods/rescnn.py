"""ResCNN on volumes.

J. Du et al., "Super-resolution reconstruction of single anisotropic 3D MR images using residual convolutional
neural network", Neurocomputing 392, 2020, doi:10.1016/j.neucom.2018.10.102; as Q. Wu et al., arXiv 2110.14476, use it.

Departures: those of `networks.rescnn`; any scale: the image is interpolated to the wanted grid by Keys' cubic first
(`networks.on_grid`), not by a spline.
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class ResCNN(GridMethod):
    """Twenty convolutions in residual groups on the interpolated volume."""

    info = MethodInfo(
        identifier="rescnn",
        title="ResCNN",
        description="Learned detail added to the interpolated volume by residual groups; needs a trained model.",
        citation="J. Du et al., Super-resolution reconstruction of 3D MR images, Neurocomputing 392, 2020",
        reference="https://doi.org/10.1016/j.neucom.2018.10.102",
        year=2020,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="any real factor >= 1; best at the model's",
    )
