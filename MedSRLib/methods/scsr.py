"""ScSR on slices or volumes: a patch has one sparse code in a coarse and in a fine dictionary.

J. Yang, J. Wright, T. Huang, Y. Ma, "Image super-resolution via sparse representation", IEEE Trans. Image Process.
19(11), 2010, doi:10.1109/TIP.2010.2050625.

Departures: those of `sparse.scsr`; any scale up to the model's: the model's own, then exact resampling.
"""

from __future__ import annotations

from typing import Any

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.methods.gridded import GridMethod


class ScSR(GridMethod):
    """Joint dictionaries."""

    info = MethodInfo(
        identifier="scsr",
        title="ScSR",
        description="Sparse codes of patches in two dictionaries learned together; needs a trained model.",
        citation="J. Yang et al., Image super-resolution via sparse representation, IEEE TIP 19(11), 2010",
        reference="https://doi.org/10.1109/TIP.2010.2050625",
        year=2010,
        family="dictionary",
        needs_model=True,
        learns=True,
        scales="the model's, and smaller ones",
    )

    def uses(self, architecture: dict[str, Any]) -> float:
        """Products for each number of the model, as measured: see `GridMethod.uses`."""
        return 16.0
