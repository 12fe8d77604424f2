"""Our ArSSR against numbers recorded from the released code (see the JSON file for program and command)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.inference.implicit import evaluate
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.networks.queries import Queries
from MedSRLib.networks.released import translated
from MedSRLib.progress import Progress

RECORDED = json.loads(Path(__file__).with_name("arssr_released.json").read_text(encoding="utf-8"))["encoders"]
INPUT, OUTPUT = (6, 7, 5), (11, 9, 13)


def drawn_weights(encoder: str) -> dict[str, torch.Tensor]:
    """The weights the recorded numbers were made with."""
    generator = torch.Generator().manual_seed(20)
    tensors = {}
    for name, shape in RECORDED[encoder]["tensors"].items():
        weight = torch.randn(shape, generator=generator)
        tensors[name] = weight * (1.2 / weight[0].numel()) ** 0.5 if weight.dim() > 1 else weight * 0.05
    tensors["decoder.stage_two.6.bias"] += 1
    return tensors


def queries() -> Queries:
    """Cell-centred voxels of an 11 × 9 × 13 output: not the same factor along any two axes."""
    k, j, i = ((np.arange(wanted) + 0.5) * size / wanted - 0.5 for size, wanted in zip(INPUT, OUTPUT, strict=True))
    steps = [size / wanted for size, wanted in zip(INPUT, OUTPUT, strict=True)]
    return Queries((k, j, i), (steps[0], steps[1], steps[2]))


@pytest.mark.parametrize("encoder", RECORDED)
def test_an_imported_checkpoint_gives_the_released_codes_output(encoder: str) -> None:
    architecture, tensors = translated(drawn_weights(encoder))
    network = ArSSR(ArSSRConfig.of(architecture))
    network.load_state_dict(tensors)
    image = torch.rand(1, 1, *INPUT, generator=torch.Generator().manual_seed(21))
    expected = np.array(RECORDED[encoder]["outputs"])
    assert expected.std() > 0.01, "recorded numbers that are all alike prove nothing"

    with torch.no_grad():
        module = network(image, queries()).flatten()[::99].numpy()
    fast = evaluate(network, image[0, 0], queries(), runtime=Runtime(), progress=Progress(), skip_flat=False).flatten()[
        ::99
    ]

    np.testing.assert_allclose(module, expected, atol=1e-4)
    np.testing.assert_allclose(fast.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda t: t.pop("encoder.sfe2.weight"), "missing"),
        (lambda t: t.update({"encoder.extra.weight": torch.zeros(1)}), "encoder.extra.weight"),
        (lambda t: t.update({"encoder.gff.1.bias": torch.zeros(3)}), "shape"),
        (lambda t: t.clear() or t.update({"decoder.stage_one.0.weight": torch.zeros(4, 7)}), "encoder"),
    ],
)
def test_what_is_not_arssr_is_refused_by_name(spoil, named: str) -> None:
    tensors = drawn_weights("RDN")
    spoil(tensors)
    with pytest.raises(ModelError, match=named):
        translated(tensors)
