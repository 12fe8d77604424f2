"""NE+LLE on slices or volumes: neighbour embedding, with locally linear weights.

H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004,
doi:10.1109/CVPR.2004.1315043.

Departures: those of `sparse.dictionary`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class NELLE(GridMethod):
    """Locally linear embedding."""

    info = MethodInfo(
        identifier="ne-lle",
        title="NE+LLE",
        description="Patches as weighted means of the nearest atoms of a dictionary; needs a trained model.",
        citation="H. Chang et al., Super-resolution through neighbor embedding, CVPR 2004",
        reference="https://doi.org/10.1109/CVPR.2004.1315043",
        year=2004,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Products for each number of the model, as measured: see `GridMethod.uses`."""
        return 4.0
