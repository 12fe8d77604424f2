"""The decoder of WEENIE is the least squares that it says."""

from __future__ import annotations

import torch

from MedSRLib.networks import catalogue
from MedSRLib.progress import Progress
from MedSRLib.training import weenie_decoder
from MedSRLib.training.weenie_crops import Crops

SIZE = (9, 8, 10)


def _refitted(penalty: float) -> tuple[torch.nn.Module, Crops]:
    """A network of one filter and a linear one, fitted to images that a box filter made of random ones."""
    body = catalogue.build(
        "weenie", {"filters": 1, "support": 3, "direct": 3, "penalty": penalty, "iterations": 4, "mapping": "diagonal"}
    ).body
    generator = torch.Generator().manual_seed(0)
    body.source.copy_(torch.randn(body.source.shape, generator=generator))
    body.source.div_(body.source.norm())
    body.mapping.fill_(1)
    source = torch.randn(3, *SIZE, generator=generator)
    target = sum(source.roll(shift, 3) for shift in (-1, 0, 1)) + 0.1 * torch.randn(source.shape, generator=generator)
    crops = Crops(source, target, source[:, None], torch.ones(3, dtype=torch.bool))
    weenie_decoder.refit(body, crops, 1e-3, Progress())
    return body, crops


def test_without_codes_it_is_the_best_linear_filter() -> None:
    body, crops = _refitted(penalty=1e3)
    shifts = torch.cartesian_prod(*(torch.arange(-1, 2),) * 3).tolist()
    columns = torch.stack([crops.source.roll(shift, dims=(1, 2, 3)).flatten() for shift in shifts], 1).double()
    expected = torch.linalg.lstsq(columns, crops.target.flatten().double()).solution
    assert torch.allclose(body.direct.flatten().double(), expected, atol=1e-3)
    assert float(body.decoder().abs().max()) == 0


def test_codes_make_it_no_worse_on_what_it_was_learned_from() -> None:
    errors = []
    for penalty in (1e3, 0.05):
        body, crops = _refitted(penalty)
        made = torch.stack([_periodic(body, x) for x in crops.source])
        errors.append(float((made - crops.target).square().mean()))
    assert errors[1] < errors[0]


def _periodic(body: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    from MedSRLib.sparse import coding, spectra

    maps = coding.code(body.source, x[None], body.config.coding).maps
    both, filters = torch.cat([maps, x[None, None]], 1), torch.cat([body.decoder(), body.direct])
    return spectra.synthesised(spectra.of_filters(filters, SIZE), both)[0]
