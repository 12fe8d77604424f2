"""CSC-SR on slices or volumes: convolutional sparse coding.

S. Gu et al., "Convolutional sparse coding for image super-resolution", ICCV 2015, doi:10.1109/ICCV.2015.212.

Departures: those of `sparse.csc_sr`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from math import log2
from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class CSCSR(GridMethod):
    """Sparse maps of the coarse image, shown by fine filters."""

    info = MethodInfo(
        identifier="csc-sr",
        title="CSC-SR",
        description="Sparse maps of the whole image, shown again by finer filters; needs a trained model.",
        citation="S. Gu et al., Convolutional sparse coding for image super-resolution, ICCV 2015",
        reference="https://doi.org/10.1109/ICCV.2015.212",
        year=2015,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """The transforms of all iterations, per number of the model; see `GridMethod.uses`."""
        support = architecture.get("support", 5) ** architecture.get("dimensions", 3)
        return 10 * float(architecture.get("iterations", 40)) * log2(64) / support
