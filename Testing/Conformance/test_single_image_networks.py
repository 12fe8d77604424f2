"""Our networks against numbers recorded from public code (see the JSON file for programs and versions).

Both had the same weights, drawn by `fill`, and the same image, `picture`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from MedSRLib.networks import catalogue
from MedSRLib.networks.convolution import fold
from MedSRLib.networks.photographs import Grey

RECORDED = json.loads(Path(__file__).with_name("single_image_networks.json").read_text(encoding="utf-8"))["cases"]


def built(method: str, architecture: dict[str, Any]) -> nn.Module:
    """The network itself, without `OnGrid` and `Grey`, with drawn weights."""
    network = catalogue.build(method, architecture).body
    network = network.body if isinstance(network, Grey) else network
    fill(network)
    return network.eval()


def fill(network: nn.Module) -> None:
    """Weights as He's, norms and variances about 1, slopes about 0.2, everything else small."""
    generator = torch.Generator().manual_seed(31)
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        drawn = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1 and tensor[0].numel() > 1:
            drawn *= (1.5 / tensor[0].numel()) ** 0.5
        elif tensor.dim() > 1 or "running_var" in name or tensor.shape == (1,):
            drawn = (0.2 if tensor.shape == (1,) else 1.0) * (1 + 0.2 * drawn.clamp(-2, 2))
        else:
            drawn *= 0.1
        tensor.copy_(drawn)


def picture(shape: list[int]) -> Tensor:
    """Intensities from 0 to 1."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(32))


def sampled(values: np.ndarray) -> np.ndarray:
    """About forty of the values."""
    flat = values.ravel()
    return flat[:: max(1, flat.size // 40)]


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_weights_give_the_public_codes_output(name: str) -> None:
    case = RECORDED[name]
    network = built(case["method"], case["architecture"])
    expected = np.array(case["outputs"])
    assert expected.std() > 0.01, "recorded numbers that are all alike prove nothing"
    with torch.no_grad():
        found = network(picture(case["input"])).numpy()
        fold(network)
        folded = network(picture(case["input"])).numpy()
    size = np.abs(expected).max()
    np.testing.assert_allclose(sampled(found), expected, atol=2e-5 * size)
    np.testing.assert_allclose(sampled(folded), expected, atol=2e-5 * size)


@pytest.mark.parametrize("name", [name for name in RECORDED if "parameters" in RECORDED[name]])
def test_as_published_it_has_as_many_parameters(name: str) -> None:
    case = RECORDED[name]
    with torch.device("meta"):
        network = catalogue.build(case["method"], case["published"])
    assert sum(p.numel() for p in network.parameters()) == case["parameters"]
