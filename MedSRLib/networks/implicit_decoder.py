"""The implicit voxel function of ArSSR: a multilayer perceptron from (features, coordinate) to intensity.

Q. Wu et al., IEEE JBHI 2022, arXiv 2110.14476, Figure 3: two stages of four fully connected layers, a ReLU
after each; the input u of the decoder is added to the output of the fourth ReLU:

    u' = u + stage1(u),   intensity = stage2(u')

With 128 features, 3 coordinates and width 256 it has 364 676 parameters.

Departure, for new models only: ``final="linear"`` leaves out the ReLU after the last layer, which could not
express a negative residual; ``final="relu"`` is the paper's form.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn import functional


class ImplicitDecoder(nn.Module):
    """Intensities (points, 1) from inputs (points, inputs)."""

    def __init__(self, inputs: int = 131, width: int = 256, depth: int = 4, final: str = "relu") -> None:
        super().__init__()
        self.stage1 = _layers(inputs, width, depth, inputs)
        self.stage2 = _layers(inputs, width, depth, 1)
        self.final = final

    def forward(self, u: Tensor) -> Tensor:
        hidden = u
        for layer in self.stage1:
            hidden = functional.relu(layer(hidden))
        hidden = u + hidden
        *inner, last = self.stage2
        for layer in inner:
            hidden = functional.relu(layer(hidden))
        intensity = last(hidden)
        return functional.relu(intensity) if self.final == "relu" else intensity


def _layers(inputs: int, width: int, depth: int, outputs: int) -> nn.ModuleList:
    sizes = [inputs] + [width] * (depth - 1) + [outputs]
    return nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
