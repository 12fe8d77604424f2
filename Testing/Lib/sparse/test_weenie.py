"""The frozen module: tiles against whole, its parts against plain algebra, and what its options do."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.errors import ModelError
from MedSRLib.inference.gridded import evaluate
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks import catalogue
from MedSRLib.networks.queries import Queries
from MedSRLib.progress import Progress
from MedSRLib.sparse import coding, mapping, smooth, spectra
from MedSRLib.sparse.weenie import Weenie, WeenieConfig

SMALL = {"filters": 4, "support": 3, "iterations": 6, "penalty": 0.01, "rho": 0.5, "scales": (0.0, 1.0), "bins": 4}


def _filled(**changed: object) -> Weenie:
    body = catalogue.build("weenie", {**SMALL, **changed}).body
    generator = torch.Generator().manual_seed(0)
    for buffer in body.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator) / buffer.numel() ** 0.5)
    if hasattr(body, "limits"):
        body.limits.copy_(torch.tensor([[0.0, 1.0], [0.2, 0.8]]))
    return body


def _image(*shape: int) -> torch.Tensor:
    coarse = torch.rand(1, 1, 7, 7, 7, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, size=shape, mode="trilinear")[0, 0]


@pytest.mark.parametrize("kind", mapping.KINDS)
def test_the_result_is_base_and_decoded_maps(kind: str) -> None:
    body, image = _filled(mapping=kind, base="input"), _image(20, 18, 16)
    _, high = smooth.split(image[None], body.config.smoothness)
    margin = ((3, 4), (3, 3), (3, 5))  # 26, 24 and 22 to the next sizes with small factors, 27, 24 and 24
    large = coding.padded(high, margin)
    maps = coding.code(body.source, large, body.config.coding).maps
    made = spectra.synthesised(spectra.of_filters(body.target, large.shape[1:]), mapping.mapped(body.mapping, maps))
    expected = image + coding.unpadded(made, margin)[0]
    assert torch.allclose(body(image[None, None])[0, 0], expected, atol=1e-5)


def test_the_bases_are_what_they_say() -> None:
    image = _image(20, 18, 16)
    low = smooth.split(image[None], 5.0)[0][0]
    assert _filled(base="input").base(image, low) is image
    assert _filled(base="low").base(image, low) is low
    body = _filled(base="contrast")
    body.table.copy_(torch.linspace(0, 3, 4)[:, None].expand(4, 4))  # three times the image, whatever is around
    assert torch.allclose(body.base(image, low), 3 * image.clamp(0, 1), atol=1e-5)


def test_the_linear_filters_act_beside_the_codes() -> None:
    image = _image(20, 18, 16)
    body = _filled(base="contrast", direct=3)
    low, high = smooth.split(image[None], body.config.smoothness)
    base = body.base(image, low[0])[None]
    beside = body.beside(high, base)
    assert torch.equal(beside[:, 0], high)
    assert torch.allclose(beside[:, 1], base - smooth.split(base, body.config.smoothness)[0], atol=1e-6)
    both = torch.nn.functional.conv3d(coding.padded(beside[0], (1, 1, 1))[None], body.direct.flip(1, 2, 3)[None])[0]
    without = body.decoded(high, torch.zeros_like(beside))
    assert torch.allclose(body.decoded(high, beside), without + both, atol=1e-5)
    assert _filled(direct=0).beside(high, base).shape == (1, 0, 20, 18, 16)


@pytest.mark.parametrize("direct", [-1, 4])
def test_a_linear_filter_has_a_middle(direct: int) -> None:
    with pytest.raises(ModelError, match="direct"):
        WeenieConfig(direct=direct)


@pytest.mark.parametrize(("base", "direct"), [("input", 0), ("contrast", 5)])
def test_tiles_are_the_whole(base: str, direct: int) -> None:
    body = _filled(base=base, direct=direct)
    network = catalogue.build("weenie", {**SMALL, "base": base, "direct": direct})
    network.body.load_state_dict(body.state_dict())
    image = _image(72, 24, 24)
    k, j, i = (torch.arange(n).double().numpy() for n in image.shape)
    queries = Queries((k, j, i), (1.0, 1.0, 1.0))
    found = {}
    for name, memory in (("whole", 2**30), ("tiles", 2**21)):
        runtime = Runtime(memory_bytes=memory)
        found[name] = evaluate(network, image, queries, runtime=runtime, progress=Progress(), skip_flat=False)
    span = float(found["whole"].max() - found["whole"].min())
    assert float((found["tiles"] - found["whole"]).abs().max()) < 2e-3 * span


def test_a_network_of_16_bit_products_still_codes_in_32() -> None:
    body, image = _filled(base="input"), _image(16, 16, 16)[None, None]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(body(image), body(image.clone()))
        inside = body(image)
    assert torch.equal(inside, body(image))


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ModelError, match="base"):
        WeenieConfig(base="magic")
