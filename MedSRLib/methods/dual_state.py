"""The dual-state recurrent network with coupled sparse priors.

I. Marivani, E. Tsiligianni, B. Cornelis, N. Deligiannis, "Joint image super-resolution via recurrent convolutional
neural networks with coupled sparse priors", ICIP 2020.

Departures: those of `networks.dual_state`; on volumes, whole or slice by slice, and at any scale
(`networks.on_grid`); the guide may lie anywhere (`methods.guided`).
"""

from __future__ import annotations

from math import prod
from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.guided import GuidedMethod


class DualState(GuidedMethod):
    """Recurrent network of coarse and fine sparse codes steered by a guide."""

    info = MethodInfo(
        identifier="dual-state",
        title="Dual-state RNN",
        description="Recurrent network of coarse and fine sparse codes; needs a trained model and a guide.",
        citation=(
            "I. Marivani et al., Joint image super-resolution via recurrent convolutional neural networks "
            "with coupled sparse priors, ICIP 2020"
        ),
        reference="arXiv:2001.07575",  # their journal paper on the operator: of the talk only slides are at hand
        year=2020,
        family="guided",
        needs_model=True,
        needs_guide=True,
        guide_optional=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Fine codes are worked on at every fine voxel."""
        return super().uses(architecture) * float(prod(architecture["scale"]))
