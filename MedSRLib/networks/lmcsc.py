"""LMCSC: convolutional sparse coding that knows a guide's codes, unfolded into a network.

I. Marivani et al., "Learned multimodal convolutional sparse coding for guided image super-resolution", ICIP 2019, and
"Multimodal deep unfolding for guided image super-resolution", IEEE TIP 29, 2020, doi:10.1109/TIP.2020.3014729, arXiv
2001.07575. With an image y, interpolated to the wanted grid, and a guide z on that grid:

    s       = ACSC (z)
    α^{t+1} = ξ_μ(α^t - Q * R * α^t + P * y; s),    α⁰ = 0,   t = 0 ... T-1           ξ: LeSITA
    x       = D * α^T

ACSC has the direct form of `acsc`, as the slides write it. With ``guide_form="factorised"`` the guide's codes pass
through one channel between iterations, and tell much less.

Departures: the slides at hand give no sizes; those here are ours (three dimensions: ``features=32, kernel=5``). The
weights start as in `acsc`, the guide's kernels as the image's. Without a guide, s = 0: the same network, for patients
who have none. Ours are ``guides`` > 1, ``dimensions=3``, weights of LeSITA that differ (``equal=False``; with equal
ones a guide can only cut from the image's codes, from which a short training gains little), and two ablations:
``guided=False``, soft thresholding and no branch for a guide; ``lesita=False``, both codes mixed at each voxel, then
thresholded. The papers' variant with a skip connection is `on_grid`'s residual "cubic".

With a ``scale`` the same dictionaries have a stride, also ours: codes lie on the voxels of the coarse image, which is
not interpolated; the s voxels of guide and result that fill one of them are the channels of the guide's kernels and of
D's. All convolutions are then s times cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from torch import Tensor, nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.acsc import ACSC, FORMS, Coding, Frame
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.convolution import convolution, precisely, zeroed
from MedSRLib.networks.lesita import FIRST_THRESHOLD


@dataclass(frozen=True)
class LMCSCConfig(NetworkConfig):
    """A network of two dimensions.

    Attributes:
        guides: images in the guide.
        features: k, of the codes.
        kernel: length of all kernels' edges, odd.
        steps: T.
        guide_steps: iterations for the guide's codes.
        form: of the iterations for the image's codes, see `acsc`.
        guide_form: of those for the guide's.
        shared: whether the iterations share their weights.
        guided: false for the same network without a guide.
        lesita: false for codes that are concatenated.
        equal: whether LeSITA's two weights are the same.
        last_zero: whether D starts at zero.
        threshold: what μ starts from: what a guide can change of a code grows with it.
        pull: what LeSITA's weight of the guide starts from where the weights differ; ``threshold`` if None.
        scale: whole factors along the image's axes, the strides; None for an image that is interpolated.
    """

    title: ClassVar[str] = "LMCSC"
    citation: ClassVar[str] = (
        "I. Marivani et al., Multimodal deep unfolding for guided image super-resolution, IEEE TIP 29, 2020, "
        "arXiv 2001.07575"
    )
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {
        "dimensions": (2, 3),
        "kernel": (3, 5, 7, 9, 11),
        "form": FORMS,
        "guide_form": FORMS,
    }

    dimensions: int = 2
    guides: int = 1
    features: int = 64
    kernel: int = 7
    steps: int = 3
    guide_steps: int = 3
    form: str = "factorised"
    guide_form: str = "direct"
    shared: bool = True
    guided: bool = True
    lesita: bool = True
    equal: bool = True
    last_zero: bool = False
    threshold: float = FIRST_THRESHOLD
    pull: float | None = None
    scale: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale is not None and (len(self.scale) != self.dimensions or min(self.scale) < 1):
            raise ModelError(
                f"The scale {self.scale} does not fit images of {self.dimensions} dimensions.",
                "It needs a whole factor of 1 or more for each axis.",
                f"Use scale = {(2,) * self.dimensions}.",
            )


class LMCSC(nn.Module):
    """An image (n, 1, *size), and a guide (n, guides, *(size · scale)) or none, to (n, 1, *(size · scale)).

    Without a scale, the image is interpolated and all three are of one size.
    """

    def __init__(self, config: LMCSCConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        parts = prod(config.scale or (1,))
        d, k = config.dimensions, config.features
        frame = Frame.random(d, k, config.kernel)
        fusion = "soft" if not config.guided else "lesita" if config.lesita else "concatenation"
        pull = None if config.equal else config.pull or config.threshold
        coding = Coding(d, 1, k, config.kernel, config.steps, config.form, config.shared, config.threshold, pull)
        guided = (config.kernel, config.guide_steps, config.guide_form, config.shared)
        guide = Coding(d, config.guides * parts, k, *guided)
        self.image_codes = ACSC(coding, frame, fusion)
        self.guide_codes: ACSC | None = None
        if config.guided:
            self.guide_codes = ACSC(guide, frame.over(config.guides * parts))
        self.halo = coding.reach + (guide.reach if config.guided else config.kernel // 2)
        """Voxels that a result depends on, each way."""
        self.last = frame.synthesis() if parts == 1 else convolution(d, k, parts, config.kernel)
        if config.last_zero:
            zeroed(self.last)
        self.live_channels = 10 * k + 2 * parts
        """Numbers held at once for a voxel of the input."""

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        side = None if guide is None or self.guide_codes is None else self.guide_codes(self._parted(guide))
        return self._joined(precisely(self.last, self.image_codes(image, side)))

    def _parted(self, fine: Tensor) -> Tensor:
        """(n, g, *(size · scale)) to (n, g · parts, *size)."""
        if self.scale is None:
            return fine
        n, g, *size = fine.shape
        split = [length for s, f in zip(size, self.scale, strict=True) for length in (s // f, f)]
        axes = range(2, 2 + 2 * len(size))
        return fine.reshape(n, g, *split).permute(0, 1, *axes[1::2], *axes[::2]).reshape(n, -1, *split[::2])

    def _joined(self, parts: Tensor) -> Tensor:
        """(n, parts, *size) to (n, 1, *(size · scale))."""
        if self.scale is None:
            return parts
        n, _, *size = parts.shape
        count = len(size)
        order = [axis for a in range(count) for axis in (2 + count + a, 2 + a)]
        fine = [s * f for s, f in zip(size, self.scale, strict=True)]
        return parts.reshape(n, 1, *self.scale, *size).permute(0, 1, *order).reshape(n, 1, *fine)
