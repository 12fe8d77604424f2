"""WEENIE as a frozen module: from a volume of one modality to a sharp one of the same or of another.

Y. Huang, L. Shao, A. F. Frangi, "Simultaneous super-resolution and cross-modality synthesis of 3D medical images using
weakly-supervised joint convolutional sparse coding", CVPR 2017, arXiv 1705.02596, Algorithm 2:

    Z = argmin ½ ‖h − Σ fˣ_k * z_k‖² + λ ‖Z‖₁,    y = b + Σ fʸ_k * (W Z)_k

h is what the input has beyond its smooth part (`smooth`); b is what stands in the result for that smooth part.

Departures, each an option:
  direct      0 is the paper's: whatever the codes leave of h is lost. Otherwise the edge, in voxels, of a filter d
              through which h goes to the result beside the codes, y = b + Σ fʸ * (W Z) + d * h, learned together with
              fʸ in one ridge regression: without codes this is the best linear filter, and the codes add what no linear
              filter can. With the base "contrast" the high band of b has such a filter, too.
  base        the text we hold does not say where the low frequencies of the result come from. "low": those of the
              input, as in convolutional coding of one modality. "input": the input itself, so that fʸ makes only what
              it lacks: better where the modality stays, since nothing that is known must pass through the codes.
              "contrast": a smooth map of intensities at several scales, learned by ridge regression (`contrast`), as
              the low frequencies of another modality are others; for synthesis.
  iterations  ADMM is stopped early and ρ is fixed, the same in training and in use: the decoder is learned on the very
              maps that a test has.
  grid        the input is interpolated to the result's grid first; codes live there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSRLib.errors import ModelError
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.sparse import coding, contrast, smooth, spectra

BASES = ("low", "input", "contrast")


@dataclass(frozen=True)
class WeenieConfig(NetworkConfig):
    """K filters of ``support``³ voxels; the paper has 800.

    Attributes:
        filters: K.
        support: edge of a filter, voxels.
        mapping: "full" W, or "diagonal".
        penalty: λ.
        iterations: of ADMM.
        rho: ρ.
        smoothness: η of the smooth part that is not coded.
        direct: edge of the linear filter beside the codes, odd; 0 for none, see the module.
        base: see the module.
        scales: of the base "contrast", standard deviations in voxels.
        bins: entries of its table along each axis.
    """

    title: ClassVar[str] = "WEENIE"
    citation: ClassVar[str] = "Y. Huang, L. Shao, A. F. Frangi, CVPR 2017, arXiv:1705.02596"
    choices: ClassVar[dict[str, tuple[object, ...]]] = {"mapping": ("full", "diagonal"), "base": BASES}

    filters: int = 64
    support: int = 5
    mapping: str = "full"
    penalty: float = 0.05
    iterations: int = 12
    rho: float = 0.5
    smoothness: float = 5.0
    direct: int = 0
    base: str = "input"
    scales: tuple[float, ...] = (0.0, 2.0, 5.0)
    bins: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direct < 0 or (self.direct and self.direct % 2 == 0):
            raise ModelError(
                f"The WEENIE setting direct = {self.direct} cannot be.",
                "It is the edge of a filter that is centred on a voxel.",
                "Use an odd number, or 0 for none.",
            )

    @property
    def coding(self) -> coding.Settings:
        """How inputs are coded."""
        return coding.Settings(self.penalty, self.iterations, self.rho, tolerance=0, ratio=0, every=self.iterations + 1)


class Weenie(nn.Module):
    """(n, 1, k, j, i) to the same; a `networks.on_grid.GridNetwork` without a scale.

    Args:
        config: see there.
    """

    def __init__(self, config: WeenieConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = None
        self.halo = 24 if config.direct and config.base == "contrast" else 16
        # One state of K maps and what a base and a transform hold, on a grid padded for the filters; all in 32 bits,
        # but counted in 16 where the runtime's products are: hence the factor, as measured with the process itself.
        self.live_channels = 8 * (config.filters + 24)
        k, s = config.filters, (config.support,) * 3
        self.register_buffer("source", torch.zeros(k, *s))
        self.register_buffer("target", torch.zeros(k, *s))
        self.register_buffer("mapping", torch.zeros((k, k) if config.mapping == "full" else (k,)))
        if config.direct:
            count = 2 if config.base == "contrast" else 1
            self.register_buffer("direct", torch.zeros(count, *(config.direct,) * 3))
        if config.base == "contrast":
            self.register_buffer("table", torch.zeros((config.bins,) * len(config.scales)))
            self.register_buffer("limits", torch.zeros(len(config.scales), 2))
        self.source: Tensor
        self.target: Tensor
        self.mapping: Tensor
        self.direct: Tensor
        self.table: Tensor
        self.limits: Tensor

    def forward(self, image: Tensor) -> Tensor:
        """The result for each image of a batch, one after the other, always in 32 bits."""
        with torch.autocast(image.device.type, enabled=False):
            return torch.stack([self._of(x[0].float())[None] for x in image])

    def _of(self, image: Tensor) -> Tensor:
        low, high = smooth.split(image[None], self.config.smoothness)
        base = self.base(image, low[0])
        return base + self.decoded(high, self.beside(high, base[None]))[0]

    def base(self, image: Tensor, low: Tensor) -> Tensor:
        """What stands for the smooth part, (k, j, i), given the input and its own smooth part."""
        if self.config.base == "contrast":
            return contrast.looked_up(self.table, self.limits, self.config.scales, image)
        return image if self.config.base == "input" else low

    def beside(self, high: Tensor, base: Tensor) -> Tensor:
        """What goes to the result by linear filters, (n, P, k, j, i), of h and b, both (n, k, j, i)."""
        if not self.config.direct:
            return high.new_zeros(len(high), 0, *high.shape[1:])
        others = [smooth.split(base, self.config.smoothness)[1]] if self.config.base == "contrast" else []
        return torch.stack([high, *others], 1)

    def decoded(self, high: Tensor, beside: Tensor) -> Tensor:
        """Σ fʸ * (W Z) + Σ d * beside for what is coded, (n, k, j, i), and what is not (n, P, k, j, i)."""
        margin = coding.fast_margins(high.shape[1:], max(self.config.support, self.config.direct // 2))
        large = coding.padded(high, margin)
        size = large.shape[1:]
        coded = coding.code(self.source, large, self.config.coding)
        total = torch.zeros_like(spectra.forward(large, 3))
        for k, one in enumerate(self.decoder()):  # W and fʸ act as one set of filters
            sparse = functional.softshrink(coded.state[:, k], coded.threshold)
            total.addcmul_(spectra.of_filters(one[None], size).expand_as(total), spectra.forward(sparse, 3))
        for p, one in enumerate(self.direct if self.config.direct else ()):
            known = spectra.forward(coding.padded(beside[:, p], margin), 3)
            total.addcmul_(spectra.of_filters(one[None], size).expand_as(total), known)
        return coding.unpadded(spectra.inverse(total, size), margin)

    def decoder(self) -> Tensor:
        """g_j = Σ_k fʸ_k W_kj, (K, *support)."""
        if self.mapping.ndim == 1:
            return self.target * self.mapping.view(-1, 1, 1, 1)
        return (self.mapping.T @ self.target.flatten(1)).view(self.target.shape)
