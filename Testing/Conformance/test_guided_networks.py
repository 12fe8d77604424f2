"""Convolutional sparse coding against numbers recorded from public code (see the JSON file for program and version).

Both had the same weights, drawn by `fill`, and the same image.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from MedSRLib.networks.acsc import ACSC, Coding, Frame

RECORDED = json.loads(Path(__file__).with_name("guided_networks.json").read_text(encoding="utf-8"))["cases"]


def fill(network: nn.Module) -> None:
    """Kernels that keep the size of numbers, thresholds near 0.05."""
    generator = torch.Generator().manual_seed(31)
    for name, tensor in network.state_dict().items():
        drawn = torch.randn(tensor.shape, generator=generator)
        tensor.copy_(0.1 * drawn - 3.0 if "threshold" in name else drawn * (1.0 / tensor[0].numel()) ** 0.5)


def test_the_same_weights_give_the_public_codes_sparse_codes() -> None:
    case = RECORDED["acsc-cu-net"]
    coding = Coding(**case["coding"])
    coder = ACSC(coding, Frame.random(coding.dimensions, coding.features, coding.kernel).over(2))
    fill(coder)
    image = torch.rand(case["input"], generator=torch.Generator().manual_seed(32))
    expected = np.array(case["outputs"])
    assert expected.std() > 0.01, "recorded numbers that are all alike prove nothing"
    with torch.no_grad():
        found = coder(image).numpy().ravel()
    np.testing.assert_allclose(found[:: max(1, found.size // 40)], expected, atol=2e-5 * np.abs(expected).max())
