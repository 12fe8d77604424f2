"""Zeyde's method on slices or volumes: sparse codes of three atoms.

R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations", Curves and Surfaces 2010,
doi:10.1007/978-3-642-27413-8_47.

Departures: those of `sparse.dictionary`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class Zeyde(GridMethod):
    """Orthogonal matching pursuit in the coarse dictionary."""

    info = MethodInfo(
        identifier="zeyde",
        title="Zeyde",
        description="Sparse codes of three atoms in a pair of dictionaries; needs a trained model.",
        citation="R. Zeyde et al., On single image scale-up using sparse-representations, Curves and Surfaces, 2010",
        reference="https://doi.org/10.1007/978-3-642-27413-8_47",
        year=2010,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Products for each number of the model, as measured: see `GridMethod.uses`."""
        return 2.0
