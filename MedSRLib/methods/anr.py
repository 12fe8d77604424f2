"""ANR on slices or volumes: anchored neighbourhood regression on a pair of dictionaries.

R. Timofte, V. De Smet, L. Van Gool, "Anchored neighborhood regression for fast example-based super-resolution", ICCV
2013, doi:10.1109/ICCV.2013.241.

Departures: those of `sparse.dictionary`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class ANR(GridMethod):
    """A ridge regressor an atom, of the atoms around it."""

    info = MethodInfo(
        identifier="anr",
        title="ANR",
        description="A linear map for every atom, by ridge regression on its neighbours; needs a trained model.",
        citation="R. Timofte et al., Anchored neighborhood regression, ICCV 2013",
        reference="https://doi.org/10.1109/ICCV.2013.241",
        year=2013,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )
