"""Networks with a grid of their own, asked anywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from MedSRLib.errors import ModelError
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks import catalogue
from MedSRLib.networks.on_grid import OnGrid
from MedSRLib.networks.queries import Queries, axis_matrices


class Repeats(nn.Module):
    """Every voxel into ``scale`` equal parts, times ``gain``: a network whose answer is known."""

    def __init__(self, scale: tuple[int, ...] | None, gain: float = 1.0) -> None:
        super().__init__()
        self.scale, self.halo, self.live_channels, self.config, self.gain = scale, 0, 1, None, gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for axis, factor in enumerate(self.scale or ()):
            x = x.repeat_interleave(factor, 2 + axis)
        return x * self.gain


def queries(shape: tuple[int, ...], scale: tuple[float, ...]) -> Queries:
    sizes = [round(n * s) for n, s in zip(shape, scale, strict=True)]
    positions = tuple((np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(shape, sizes, strict=True))
    return Queries(positions, tuple(n / m for n, m in zip(shape, sizes, strict=True)))


def test_at_its_own_scale_the_network_speaks_for_itself() -> None:
    image = torch.rand(1, 1, 3, 4, 5)
    found = OnGrid(Repeats((2, 1, 3)), 3)(image, queries((3, 4, 5), (2, 1, 3)))
    assert torch.equal(found, Repeats((2, 1, 3))(image))


def test_at_another_scale_its_grid_is_interpolated() -> None:
    image = torch.rand(1, 1, 6, 6, 6)
    found = OnGrid(Repeats((4, 4, 4)), 3)(image, queries((6, 6, 6), (2, 2, 2)))
    fine = Repeats((4, 4, 4))(image)
    wanted = apply_separable(fine, axis_matrices("cubic", (24, 24, 24), queries((24, 24, 24), (0.5, 0.5, 0.5))))
    torch.testing.assert_close(found, wanted)


def test_slices_are_seen_one_by_one_and_interpolated_between() -> None:
    image = torch.rand(2, 1, 3, 4, 5)
    network = OnGrid(Repeats((2, 2)), 2)
    assert network.scale == (1, 2, 2)
    found = network(image, queries((3, 4, 5), (1, 2, 2)))
    assert torch.equal(found, image.repeat_interleave(2, 3).repeat_interleave(2, 4))


def test_a_network_without_a_scale_works_on_the_interpolated_image() -> None:
    image = torch.rand(1, 1, 4, 5, 6)
    where = queries((4, 5, 6), (1.5, 2, 1))
    found = OnGrid(Repeats(None, gain=3.0), 3)(image, where)
    cubic = apply_separable(image, axis_matrices("cubic", (4, 5, 6), where))
    torch.testing.assert_close(found, 3 * cubic)


def test_the_residual_is_keys_cubic() -> None:
    image = torch.rand(1, 1, 4, 5, 6)
    where = queries((4, 5, 6), (2, 2, 2))
    silent = OnGrid(Repeats((2, 2, 2), gain=0.0), 3, "cubic")
    torch.testing.assert_close(
        silent(image, where), apply_separable(image, axis_matrices("cubic", (4, 5, 6), where)), atol=1e-6, rtol=0
    )


class Twice(Repeats):
    """A network with two outputs, the first of which is zero."""

    def outputs(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [0 * self(x), self(x)]


@pytest.mark.parametrize("scale", [(2, 2), None])
def test_every_answer_is_resampled_and_the_last_is_the_result(scale) -> None:
    image, where = torch.rand(1, 1, 3, 4, 5), queries((3, 4, 5), (1, 2, 2))
    network = OnGrid(Twice(scale), 2, "cubic")
    first, last = network.every_answer(image, where)
    assert torch.equal(last, network(image, where))
    assert torch.equal(first, OnGrid(Repeats(scale, gain=0.0), 2, "cubic")(image, where))
    (only,) = OnGrid(Repeats(scale), 2).every_answer(image, where)
    assert torch.equal(only, OnGrid(Repeats(scale), 2)(image, where))


def test_the_catalogue_rebuilds_what_a_card_says() -> None:
    architecture = {"residual": "cubic", "scale": [2, 3], "blocks": 1, "features": 4}
    network = catalogue.build("edsr", architecture)
    again = catalogue.build("edsr", network.architecture())
    again.load_state_dict(network.state_dict())
    assert {k: network.architecture()[k] for k in architecture} == architecture
    assert len(network.state_dict()) == len(list(network.parameters()))  # every weight once
    for refused, word in ((("edsr", {"residual": "linear"}), "linear"), (("bspline", {}), "no network")):
        with pytest.raises(ModelError, match=word):
            catalogue.build(*refused)
