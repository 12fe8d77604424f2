"""SRCNN3D on volumes.

C.-H. Pham et al., "Brain MRI super-resolution using deep 3D convolutional networks", ISBI 2017,
doi:10.1109/ISBI.2017.7950500.

Departures: those of `networks.srcnn3d`; any scale: the image is interpolated to the wanted grid by Keys' cubic first
(`networks.on_grid`), not by a spline.
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class SRCNN3D(GridMethod):
    """Three convolutions on the interpolated volume."""

    info = MethodInfo(
        identifier="srcnn3d",
        title="SRCNN3D",
        description="Learned sharpening of the interpolated volume by three convolutions; needs a trained model.",
        citation="C.-H. Pham et al., Brain MRI super-resolution using deep 3D convolutional networks, ISBI 2017",
        reference="https://doi.org/10.1109/ISBI.2017.7950500",
        year=2017,
        family="single-image",
        needs_model=True,
        learns=True,
        scales="any real factor >= 1; best at the model's",
    )
