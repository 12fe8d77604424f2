"""A+: one ridge regressor an atom, from the training samples around it instead of the atoms.

R. Timofte, V. De Smet, L. Van Gool, "A+: adjusted anchored neighborhood regression for fast super-resolution", ACCV
2014, doi:10.1007/978-3-319-16817-3_8. With the notation of `dictionary`, the 2048 samples nearest to atom a, features
L_a and fine differences H_a:

    P_a = H_a (L_aᵀ L_a + λI)⁻¹ L_aᵀ,  λ = 0.1;      f is taken by the atom nearest to it in angle

Departures: those of `dictionary`. The regressors are what is stored, as the samples are too many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from MedSRLib.sparse.dictionary import DictionaryConfig, FeatureNetwork


@dataclass(frozen=True)
class APlusConfig(DictionaryConfig):
    """The paper's."""

    title: ClassVar[str] = "A+"
    citation: ClassVar[str] = "R. Timofte et al., A+: adjusted anchored neighborhood regression, ACCV 2014"


class APlus(FeatureNetwork):
    """Regressors (atoms, patch, d) beside the atoms."""

    regressors: Tensor

    def __init__(self, config: APlusConfig) -> None:
        super().__init__(config)
        self.register_buffer("regressors", torch.zeros(config.atoms, config.patch, config.components))

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""
        return self.by_atom(self.regressors)
