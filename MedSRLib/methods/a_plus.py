"""A+ on slices or volumes: adjusted anchored neighbourhood regression.

R. Timofte, V. De Smet, L. Van Gool, "A+: adjusted anchored neighborhood regression for fast super-resolution", ACCV
2014, doi:10.1007/978-3-319-16817-3_8.

Departures: those of `sparse.a_plus`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class APlus(GridMethod):
    """A ridge regressor an atom, of the training samples around it."""

    info = MethodInfo(
        identifier="a-plus",
        title="A+",
        description="A linear map for every atom, fitted to the training patches around it; needs a trained model.",
        citation="R. Timofte et al., A+: adjusted anchored neighborhood regression, ACCV 2014",
        reference="https://doi.org/10.1007/978-3-319-16817-3_8",
        year=2014,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Products for each number of the model, as measured: see `GridMethod.uses`."""
        return 0.05
