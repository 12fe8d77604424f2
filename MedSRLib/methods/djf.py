"""DJF, a joint filter of an image and its guide.

Y. Li et al., "Deep joint image filtering", ECCV 2016, and "Joint image filtering with deep convolutional networks",
IEEE TPAMI 41(8), 2019, doi:10.1109/TPAMI.2018.2890623.

Departures: those of `networks.djf`; on volumes, whole or slice by slice, and at any scale
(`networks.on_grid`); the guide may lie anywhere (`methods.guided`).
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.guided import GuidedMethod


class DJF(GuidedMethod):
    """Learned joint filter of the image and a guide."""

    info = MethodInfo(
        identifier="djf",
        title="DJF",
        description="Learned joint filter of an image and its guide; needs a trained model and a guide.",
        citation="Y. Li et al., Joint image filtering with deep convolutional networks, IEEE TPAMI 41, 2019",
        reference="https://doi.org/10.1109/TPAMI.2018.2890623",
        year=2019,
        family="guided",
        needs_model=True,
        needs_guide=True,
        guide_optional=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
