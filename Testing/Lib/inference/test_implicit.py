"""The fast path gives what the plain network gives: whole, in tiles, in 16 bits, around flat surroundings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import Cancelled
from MedSRLib.inference import implicit
from MedSRLib.inference.runtime import Runtime
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig
from MedSRLib.networks.queries import Queries
from MedSRLib.progress import Progress

SMALL = {"feature_dim": 12, "channels": 8, "blocks": 2, "width": 24}
KINDS = {
    "paper": {},
    "ours": {
        "coordinates": "local",
        "cell": True,
        "padding": "border",
        "residual": "cubic",
        "final": "linear",
    },
}


def network(kind: str, encoder: str = "srresnet") -> ArSSR:
    torch.manual_seed(1)
    made = ArSSR(ArSSRConfig(encoder=encoder, **SMALL, **KINDS[kind]))
    with torch.no_grad():
        for layer in made.modules():
            if isinstance(layer, torch.nn.Conv3d | torch.nn.Linear):
                torch.nn.init.kaiming_normal_(layer.weight)
                layer.bias.normal_(std=0.1)
        made.decoder.stage2[-1].weight *= 0.1
        made.decoder.stage2[-1].bias.fill_(0.5)
    return made.eval()


def queries(shape: tuple[int, int, int], scale: float) -> Queries:
    k, j, i = ((np.arange(round(n * scale)) + 0.5) * n / round(n * scale) - 0.5 for n in shape)
    steps = [n / round(n * scale) for n in shape]
    return Queries((k, j, i), (steps[0], steps[1], steps[2]))


def picture(shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoder", ["rdn", "rescnn", "srresnet"])
def test_equals_the_plain_network(kind: str, encoder: str) -> None:
    plain, image, asked = network(kind, encoder), picture((7, 10, 13)), queries((7, 10, 13), 1.7)
    with torch.no_grad():
        expected = plain(image[None, None], asked)[0, 0]
    found = implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress(), skip_flat=False)
    assert expected.std() > 1e-2
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_tiles_equal_the_whole(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, image, asked = network(kind), picture((20, 37, 23)), queries((20, 37, 23), 1.6)
    whole = implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress())
    cuts = []
    cut = implicit.tiles
    monkeypatch.setattr(implicit, "tiles", lambda *a: cuts.append(cut(*a)) or cuts[0])
    small = Runtime(memory_bytes=3_500_000)
    tiled = implicit.evaluate(plain, image, asked, runtime=small, progress=Progress())
    assert len(cuts[0]) > 1
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_bits_stay_close(kind: str) -> None:
    plain, image, asked = network(kind), picture((8, 9, 10)), queries((8, 9, 10), 2)
    exact = implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress())
    close = implicit.evaluate(plain, image, asked, runtime=Runtime(precision="bfloat16"), progress=Progress())
    assert close.dtype == torch.float32
    assert (close - exact).abs().max() < 0.05 * exact.std() + 0.01


def test_flat_surroundings_are_cubic_and_the_rest_is_as_if_nothing_was_skipped() -> None:
    plain = network("ours")
    image = torch.zeros(24, 40, 24)
    image[6:18, 4:14, 6:18] = picture((12, 10, 12))
    asked = queries((24, 40, 24), 2)
    everything = implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress(), skip_flat=False)
    skipped = implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress())
    torch.testing.assert_close(skipped[12:36, 8:28, 12:36], everything[12:36, 8:28, 12:36], atol=1e-5, rtol=0)
    assert (skipped[:, 40:] == 0).all(), "flat zeros stay zeros"
    assert (everything[:, 40:] != 0).any()


def test_a_constant_image_needs_no_network() -> None:
    image = torch.full((5, 6, 7), 0.3)
    found = implicit.evaluate(network("ours"), image, queries((5, 6, 7), 2), runtime=Runtime(), progress=Progress())
    torch.testing.assert_close(found, torch.full((10, 12, 14), 0.3))


def test_the_same_call_gives_the_same_bits_and_leaves_its_inputs() -> None:
    plain, image, asked = network("ours"), picture((7, 10, 13)), queries((7, 10, 13), 2.3)
    before = image.clone(), {k: v.clone() for k, v in plain.state_dict().items()}
    first, second = (implicit.evaluate(plain, image, asked, runtime=Runtime(), progress=Progress()) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(image, before[0])
    assert all(torch.equal(v, before[1][k]) for k, v in plain.state_dict().items())


def test_a_cancel_stops_it() -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    with pytest.raises(Cancelled):
        implicit.evaluate(
            network("ours"),
            picture((9, 9, 9)),
            queries((9, 9, 9), 2),
            runtime=Runtime(),
            progress=Progress(cancelled=cancelled),
        )
