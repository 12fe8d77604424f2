"""Learned perceptual image patch similarity (LPIPS, version 0.1, AlexNet), for batches of slices.

    LPIPS = Σ_l mean_ji Σ_c w_lc (x̂_l - ŷ_l)²_cji,      x̂ = x / (‖x‖ over channels + 10⁻¹⁰)

over the five layers of an AlexNet trained on photographs, with learned weights w ≥ 0 (Zhang et al. 2018,
doi:10.1109/CVPR.2018.00068). 0 for identical slices, higher is worse. The grey slice is given to all three
colour channels; intensities run from -1 to 1. It was learned from photographs, so it ranks the look of detail and
says nothing about its truth.

The weights are not part of MedSR: `lpips_weights.load` finds them on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

SMALLEST = 31
"""Pixels a side needs, for one pixel to be left after the last pooling."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Mean and deviation of the colour channels that the AlexNet expects."""

# Output channels, input channels, kernel, stride, padding of each convolution; pooling precedes the second and third.
LAYERS = ((64, 3, 11, 4, 2), (192, 64, 5, 1, 2), (384, 192, 3, 1, 1), (256, 384, 3, 1, 1), (256, 256, 3, 1, 1))
_POOLED_BEFORE = (1, 2)


class Lpips:
    """LPIPS with given weights, on one device.

    Args:
        weights: ``conv{0..4}.weight`` (out, in, height, width), ``conv{0..4}.bias`` and ``head{0..4}`` (out,).
        device: "cpu" or a GPU.
    """

    def __init__(self, weights: Mapping[str, Tensor], device: str = "cpu") -> None:
        self._weights = {name: tensor.to(device) for name, tensor in weights.items()}

    @torch.inference_mode()
    def __call__(self, reference: Tensor, image: Tensor) -> Tensor:
        """LPIPS of each pair of slices.

        Args:
            reference, image: (n, j, i) grey or (n, 3, j, i) in colour, intensities from -1 to 1, sides of at
                least `SMALLEST` pixels, on the device of the weights.

        Returns:
            (n,), float64.
        """
        x, y = (a if a.dim() == 4 else a[:, None].expand(-1, 3, -1, -1) for a in (reference, image))
        count = len(x)
        found = torch.zeros(count, dtype=torch.float64, device=x.device)
        values = torch.cat([x, y]).float()
        shift, scale = (values.new_tensor(c)[:, None, None] for c in (SHIFT, SCALE))
        values = (values - shift) / scale
        for layer, (_, _, _, stride, padding) in enumerate(LAYERS):
            if layer in _POOLED_BEFORE:
                values = functional.max_pool2d(values, 3, 2)
            kernel, bias = self._weights[f"conv{layer}.weight"], self._weights[f"conv{layer}.bias"]
            values = functional.relu_(functional.conv2d(values, kernel, bias, stride, padding))
            unit = values / (values.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
            apart = (unit[:count] - unit[count:]).square()
            weighted = torch.einsum("nchw,c->nhw", apart, self._weights[f"head{layer}"])
            found += weighted.mean(dim=(1, 2), dtype=torch.float64)
        return found
