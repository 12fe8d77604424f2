"""A pair of dictionaries, coarse features and fine patches, and the four ways to go from one to the other.

    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations", Curves and Surfaces 2010,
    doi:10.1007/978-3-642-27413-8_47                                                              `Zeyde`
    H. Chang et al., "Super-resolution through neighbor embedding", CVPR 2004, doi:10.1109/CVPR.2004.1315043  `NELLE`
    R. Timofte et al., "Anchored neighborhood regression for fast example-based super-resolution", ICCV 2013,
    doi:10.1109/ICCV.2013.241                                                                     `GR` and `ANR`

Mid is the cubic interpolation of the coarse image; f = Vᵀ(gradients of mid around a patch), d numbers; D_l (d × atoms)
and D_h are the dictionaries. The fine patch less that of mid is

    Zeyde     D_h γ,  γ = the sparse code of f in D_l by orthogonal matching pursuit, 3 atoms
    NE+LLE    D_h,N u,  u = the weights, Σu = 1, with which the atoms N nearest to f in angle come nearest to it
    GR        P f,  P = (1 + λ) D_h (D_lᵀ D_l + λI)⁻¹ D_lᵀ
    ANR       P_a f,  a = the atom nearest to f in angle, P_a as P, of the 40 atoms most correlated with a alone

Departures:
- ``dimensions=3`` (ours) takes gradients along three axes, and cubes;
- all patches are averaged at the image's border, too, where the authors leave a frame of one coarse pixel out; the
  border voxels go on beyond it;
- V, the gradients and cutting out are kept as one matrix, ``projection``;
- NE+LLE takes f and its neighbours at length 1, neighbours that point away mirrored, and multiplies by the length of
  f, since atoms have no length of their own; the paper compares features of training patches as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from MedSRLib.sparse import regression
from MedSRLib.sparse.codes import Codes
from MedSRLib.sparse.neighbours import lle_weights
from MedSRLib.sparse.patch_network import PatchConfig, PatchNetwork
from MedSRLib.sparse.pursuit import batch_omp

ANCHORED = 0.01
"""λ of anchored neighbourhood regression."""

_TINY = 1e-12


@dataclass(frozen=True)
class DictionaryConfig(PatchConfig):
    """The papers' dictionaries.

    Attributes:
        components: d, numbers of a feature.
        atoms: of the dictionary.
    """

    components: int = 30
    atoms: int = 1024


@dataclass(frozen=True)
class ZeydeConfig(DictionaryConfig):
    """Attributes: sparsity: atoms of a patch."""

    title: ClassVar[str] = "Zeyde"
    citation: ClassVar[str] = "R. Zeyde et al., On single image scale-up using sparse-representations, 2010"

    sparsity: int = 3


@dataclass(frozen=True)
class NELLEConfig(DictionaryConfig):
    """Attributes: neighbours: atoms of a patch."""

    title: ClassVar[str] = "NE+LLE"
    citation: ClassVar[str] = "H. Chang et al., Super-resolution through neighbor embedding, CVPR 2004"

    neighbours: int = 24


@dataclass(frozen=True)
class GRConfig(DictionaryConfig):
    """Attributes: penalty: λ; 0 takes the authors' value for so many atoms."""

    title: ClassVar[str] = "GR"
    citation: ClassVar[str] = "R. Timofte et al., Anchored neighborhood regression, ICCV 2013"

    penalty: float = 0.0


@dataclass(frozen=True)
class ANRConfig(DictionaryConfig):
    """Attributes: neighbours: atoms of a neighbourhood. penalty: λ."""

    title: ClassVar[str] = "ANR"
    citation: ClassVar[str] = "R. Timofte et al., Anchored neighborhood regression, ICCV 2013"

    neighbours: int = 40
    penalty: float = ANCHORED


class FeatureNetwork(PatchNetwork):
    """A patch network that works on compressed features and has a dictionary of them."""

    projection: Tensor
    low: Tensor

    def __init__(self, config: DictionaryConfig) -> None:
        super().__init__(config)
        self.register_buffer("projection", torch.zeros(config.surroundings**config.dimensions, config.components))
        self.register_buffer("low", torch.zeros(config.components, config.atoms))

    def by_atom(self, regressors: Tensor) -> Callable[[Tensor], Tensor]:
        """p that applies to each window the regressor (atoms, patch, d) of the atom nearest in angle to its feature."""

        def p(windows: Tensor) -> Tensor:
            found = windows @ self.projection
            return regression.apply_by_atom(found, (found @ self.low).abs_().argmax(1), regressors)

        return p


class DictionaryNetwork(FeatureNetwork):
    """A network of two dictionaries: columns of ``low`` (d, atoms) and of ``high`` (patch, atoms) belong together."""

    high: Tensor

    def __init__(self, config: DictionaryConfig) -> None:
        super().__init__(config)
        self.register_buffer("high", torch.zeros(config.patch, config.atoms))


class Zeyde(DictionaryNetwork):
    """Sparse codes."""

    config: ZeydeConfig

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""

        def p(windows: Tensor) -> Tensor:
            return batch_omp(self.low, windows @ self.projection, self.config.sparsity).combined(self.high)

        return p


class NELLE(DictionaryNetwork):
    """Neighbour embedding."""

    config: NELLEConfig

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""
        neighbours = min(self.config.neighbours, self.config.atoms)

        def p(windows: Tensor) -> Tensor:
            features = windows @ self.projection
            lengths = features.norm(dim=1, keepdim=True)
            products = features @ self.low
            near = products.abs().topk(neighbours, dim=1).indices
            signs = torch.where(products.gather(1, near) < 0, -1.0, 1.0)
            weights = lle_weights(features / lengths.clamp_min(_TINY), self.low.T[near] * signs[:, :, None])
            return Codes(near, weights * signs * lengths).combined(self.high)

        return p


class GR(DictionaryNetwork):
    """One regressor."""

    config: GRConfig

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""
        penalty = self.config.penalty or regression.global_penalty(self.config.atoms)
        regressor = (1 + penalty) * regression.ridge_regressor(self.low, self.high, penalty)
        whole = self.projection @ regressor.T
        return lambda windows: windows @ whole


class ANR(DictionaryNetwork):
    """One regressor an atom, of the atoms around it."""

    config: ANRConfig

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""
        c = self.config
        return self.by_atom(regression.anchored_regressors(self.low, self.high, c.neighbours, c.penalty))
