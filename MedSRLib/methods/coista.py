"""CoISTA, coupled sparse codes of patches of an image and its guide.

X. Deng, P. L. Dragotti, "Deep coupled ISTA network for multi-modal image super-resolution", IEEE TIP 29, 2020,
doi:10.1109/TIP.2019.2944270.

Departures: those of `networks.coista`; on volumes, whole or slice by slice, and at any scale
(`networks.on_grid`); the guide may lie anywhere (`methods.guided`).
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.guided import GuidedMethod


class CoISTA(GuidedMethod):
    """Learned coupled sparse codes of patches of the image and a guide."""

    info = MethodInfo(
        identifier="coista",
        title="CoISTA",
        description="Learned coupled sparse codes of patches of image and guide; needs a trained model and a guide.",
        citation=(
            "X. Deng, P. L. Dragotti, Deep coupled ISTA network for multi-modal image super-resolution, IEEE "
            "TIP 29, 2020"
        ),
        reference="https://doi.org/10.1109/TIP.2019.2944270",
        year=2020,
        family="guided",
        needs_model=True,
        needs_guide=True,
        guide_optional=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
