"""SRReCNN3D on volumes.

C.-H. Pham et al., "Multiscale brain MRI super-resolution using deep 3D convolutional networks", Computerized Medical
Imaging and Graphics 77, 2019, doi:10.1016/j.compmedimag.2019.101647.

Departures: those of `networks.srrecnn3d`; any scale: the image is interpolated to the wanted grid by Keys' cubic first
(`networks.on_grid`), not by a spline.
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class SRReCNN3D(GridMethod):
    """What 10 or 20 small convolutions find missing in the interpolated volume."""

    info = MethodInfo(
        identifier="srrecnn3d",
        title="SRReCNN3D",
        description="Learned detail added to the interpolated volume by a plain network; needs a trained model.",
        citation="C.-H. Pham et al., Multiscale brain MRI super-resolution, Comput. Med. Imaging Graph. 77, 2019",
        reference="https://doi.org/10.1016/j.compmedimag.2019.101647",
        year=2019,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="any real factor >= 1; best at the model's",
    )
