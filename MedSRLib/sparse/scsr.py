"""ScSR: a coarse and a fine dictionary learned together, so that a patch has one sparse code in both.

J. Yang, J. Wright, T. Huang, Y. Ma, "Image super-resolution via sparse representation", IEEE Trans. Image Process.
19(11), 2010, doi:10.1109/TIP.2010.2050625. Of a 5 × 5 patch of mid, the cubic interpolation: mean m, gradients y.

    α = argmin ½‖D_l α - y / max(‖y‖, 1)‖² + λ‖α‖₁;      fine patch = m + D_h α, stretched to 1.2 ‖mid patch - m‖

Columns of D_l have length 1. Learned together (`training.joint_dictionary`): min ‖s - D z‖² + λ'‖z‖₁ over stacked,
normalised samples s of both.

Departures:
- ``dimensions=3`` (ours) takes gradients along three axes, and 5³ voxels, that begin every ``step`` voxels;
- any whole scale in one pass, where the authors' program doubles the size as often as needed;
- intensities lie about in 0 … 1, so ‖y‖ counts as at least 1/255; the solver is FISTA, not feature-sign search;
- all patches are averaged at the image's border, too; the border voxels go on beyond it;
- the authors' 20 back-projections at the end are a choice of the user's (refinement, as for every method): they assume
  a blur and no noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from MedSRLib.errors import ModelError
from MedSRLib.sparse.features import feature_matrix
from MedSRLib.sparse.lasso import lasso
from MedSRLib.sparse.patch_network import PatchConfig, PatchNetwork

DARKEST = 1 / 255
"""One grey level of the authors' images."""

_FEW = 1e-12


@dataclass(frozen=True)
class ScSRConfig(PatchConfig):
    """The authors' program.

    Attributes:
        window: edge of a patch, fine voxels.
        step: from one patch to the next, fine voxels; a divisor of the scale.
        atoms: of the dictionaries.
        penalty: λ.
        contrast: length of a fine patch by that of mid, both less their mean.
        iterations: of the solver, at most.
    """

    title: ClassVar[str] = "ScSR"
    citation: ClassVar[str] = "J. Yang et al., Image super-resolution via sparse representation, 2010"
    curvature: ClassVar[float] = 1.0

    window: int = 5
    step: int = 1
    atoms: int = 1024
    penalty: float = 0.2
    contrast: float = 1.2
    iterations: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.step <= self.window or self.factor % self.step:
            raise ModelError(
                f"The {self.title} setting step = {self.step} cannot be.",
                "Patches begin where coarse voxels do, so that tiles and whole agree.",
                f"Use a divisor of {self.factor} that is no more than the window.",
            )

    @property
    def spacing(self) -> int:
        """Of the taps of the features, whatever the scale."""
        return 2

    @property
    def features(self) -> int:
        """Numbers of a patch's features."""
        return 2 * self.dimensions * self.patch


class ScSR(PatchNetwork):
    """Dictionaries ``low`` (features, atoms) and ``high`` (patch, atoms)."""

    config: ScSRConfig
    low: Tensor
    high: Tensor

    def __init__(self, config: ScSRConfig) -> None:
        super().__init__(config)
        self.register_buffer("low", torch.zeros(config.features, config.atoms))
        self.register_buffer("high", torch.zeros(config.patch, config.atoms))

    def differences(self) -> Callable[[Tensor], Tensor]:
        """See `PatchNetwork.differences`."""
        c = self.config
        matrix = feature_matrix(c.window, c.spacing, c.dimensions, c.curvature).to(self.low)
        middle = middles(c).to(self.low.device)

        def p(windows: Tensor) -> Tensor:
            features = windows @ matrix
            features = features / features.norm(dim=1, keepdim=True).clamp_min(DARKEST)
            codes = lasso(self.low, features, c.penalty, iterations=c.iterations)
            patch = windows[:, middle]
            patch = patch - patch.mean(1, keepdim=True)
            fine = codes @ self.high.T
            stretch = c.contrast * patch.norm(dim=1, keepdim=True) / fine.norm(dim=1, keepdim=True).clamp_min(_FEW)
            return fine * stretch - patch

        return p


def middles(config: PatchConfig) -> Tensor:
    """Which voxels of a flattened window with its surroundings are those of the patch, (patch,)."""
    edge, first = config.surroundings, (config.surroundings - config.window) // 2
    line = torch.arange(first, first + config.window)
    places = line
    for _ in range(config.dimensions - 1):
        places = (places[:, None] * edge + line).reshape(-1)
    return places
