"""WEENIE: super-resolution, synthesis of another modality, or both at once, by coupled convolutional sparse coding.

Y. Huang, L. Shao, A. F. Frangi, "Simultaneous super-resolution and cross-modality synthesis of 3D medical images using
weakly-supervised joint convolutional sparse coding", CVPR 2017, arXiv 1705.02596.

Which of the three it is depends on the model: its scale and its target modality. A synthesised volume has intensities
of its own: 100 is the middle (the median) of the patient without the air, 0 the air, whatever the input's numbers are.

Departures: those of `sparse.weenie` and of its learner.
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class Weenie(GridMethod):
    """Codes of one modality, mapped to those of another."""

    info = MethodInfo(
        identifier="weenie",
        title="WEENIE",
        description="Sharpens, or makes another modality, or both, by filters of two modalities learned together.",
        citation="Y. Huang, L. Shao, A. F. Frangi, Simultaneous super-resolution and cross-modality synthesis of 3D "
        "medical images using weakly-supervised joint convolutional sparse coding, CVPR 2017",
        reference="arXiv:1705.02596",
        year=2017,
        family="synthesis",
        needs_model=True,
        learns=True,
        scales="the model's",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """A Fourier transform of every map, there and back, an iteration; about 200 operations a voxel of a map."""
        maps, iterations = architecture.get("filters", 64), architecture.get("iterations", 12)
        weights = 2 * maps * architecture.get("support", 5) ** 3
        return 100.0 * maps * (iterations + 2) / weights
