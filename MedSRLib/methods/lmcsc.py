"""LMCSC, convolutional sparse codes that know those of a guide.

I. Marivani et al., "Multimodal deep unfolding for guided image super-resolution", IEEE TIP 29, 2020,
doi:10.1109/TIP.2020.3014729, arXiv 2001.07575.

Departures: those of `networks.lmcsc`; on volumes, whole or slice by slice, and at any scale
(`networks.on_grid`); the guide may lie anywhere (`methods.guided`).
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.guided import GuidedMethod


class LMCSC(GuidedMethod):
    """Learned convolutional sparse codes steered by those of a guide."""

    info = MethodInfo(
        identifier="lmcsc",
        title="LMCSC",
        description="Learned convolutional sparse codes that know those of a guide; needs a trained model and a guide.",
        citation="I. Marivani et al., Multimodal deep unfolding for guided image super-resolution, IEEE TIP 29, 2020",
        reference="arXiv:2001.07575",
        year=2020,
        family="guided",
        needs_model=True,
        needs_guide=True,
        guide_optional=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
