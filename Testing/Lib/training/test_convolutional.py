"""CSC-SR learns: what it needs of a recipe, that it beats interpolation, and that a run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from MedSRLib.errors import OptionError
from MedSRLib.progress import Progress
from MedSRLib.training import convolutional, held_out
from MedSRLib.training.convolutional import CSCSRLearner
from MedSRLib.training.frames import Frame
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.recipe import Recipe


def recipe(**changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "name": "tiny",
        "method": "csc-sr",
        "architecture": {
            "scale": (2, 2),
            "dimensions": 2,
            "filters": 8,
            "fine_filters": 10,
            "support": 3,
            "iterations": 20,
            "penalty": 0.01,
        },
        "data": {"normalisation": "none"},
        "sampling": {
            "dimensions": 2,
            "patch": 16,
            "context": 0,
            "queries": 32,
            "batch": 4,
            "scale_min": 2.0,
            "scale_max": 2.0,
        },
        "degradation": [{"kind": "physical"}],
        "learning": {"crops": 12, "iterations": 2, "fine_iterations": 1},
    }
    return Recipe.model_validate(content | changes)


def frames(count: int, seed: int) -> list[Frame]:
    """Volumes of sharp stripes of chance widths along j and i."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        edges = [np.repeat(generator.random(40), generator.integers(3, 7, 40))[:64] for _ in range(2)]
        slices = (edges[0][:, None] > 0.5) ^ (edges[1][None, :] > 0.5)
        made.append(Frame(np.repeat(slices[None].astype(np.float32), 40, 0), (1.0, 1.0, 1.0), "made"))
    return made


def learned(folder: Path, chosen: Recipe, resume: bool = False) -> Any:
    keeper = Keeper(folder, resume, Progress())
    return CSCSRLearner().learn(chosen, frames(3, 0), frames(1, 1), keeper=keeper, device="cpu", progress=Progress())


def test_it_beats_cubic_interpolation_on_what_it_has_not_seen(tmp_path: Path) -> None:
    from MedSRLib.networks import catalogue

    chosen = recipe()
    found = learned(tmp_path, chosen)
    network = catalogue.build("csc-sr", found.architecture)
    network.load_state_dict(found.tensors)
    batches = held_out.batches(frames(1, 1), chosen, "cpu")
    error, cubic = held_out.network_error(network, batches), held_out.cubic_error(batches)
    assert error is not None and cubic is not None and error < 0.85 * cubic
    assert found.card["scale_max"] == 2 and found.measured == {"crops": 12}
    assert found.tensors["body.mapping"].sum(1) == pytest.approx(torch.ones(10).numpy(), abs=1e-5)


def test_the_linear_filters_are_the_least_squares_solution() -> None:
    generator = torch.Generator().manual_seed(0)
    high = torch.randn(3, 8, 9, generator=generator)
    truth = torch.randn(3, 4, 8, 9, generator=generator)
    shifts = torch.cartesian_prod(torch.arange(-1, 2), torch.arange(-1, 2)).tolist()
    columns = torch.stack([high.roll(shift, dims=(1, 2)).flatten() for shift in shifts], 1).double()
    expected = torch.linalg.lstsq(columns, truth.transpose(0, 1).flatten(1).T.double()).solution.T
    found = convolutional.linear_filters(high, truth, 3, 0.0)
    assert torch.allclose(found.flatten(1).double(), expected, atol=1e-4)


def test_linear_filters_beside_the_codes_are_learned(tmp_path: Path) -> None:
    architecture = {**recipe().architecture, "direct": 3}
    found = learned(tmp_path, recipe(architecture=architecture))
    assert found.tensors["body.direct"].shape == (4, 3, 3) and float(found.tensors["body.direct"].abs().max()) > 0.1


def test_a_run_goes_on_from_the_filters_it_had(tmp_path: Path) -> None:
    chosen = recipe()
    whole = learned(tmp_path, chosen)
    again = learned(tmp_path, chosen, resume=True)  # nothing is left but the fine filters
    assert all(torch.equal(whole.tensors[name], again.tensors[name]) for name in whole.tensors)


def test_crops_fade_to_nothing_at_their_borders() -> None:
    chosen = recipe()
    high, truth = convolutional.crops(frames(2, 0), chosen, convolutional.config_of(chosen), 5, "cpu")
    assert high.shape == (5, 16, 16) and truth.shape == (5, 4, 16, 16)
    for x in (high, truth):
        assert x[..., 0, :].abs().max() < 0.1 * x.abs().max()


@pytest.mark.parametrize(("name", "value"), [("context", 2), ("scale_max", 3.0), ("queries", 8), ("dimensions", 3)])
def test_recipes_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    sampling = recipe().sampling.model_dump() | {name: value}
    with pytest.raises(OptionError, match=name):
        CSCSRLearner().check(recipe(sampling=sampling))


def test_the_trial_is_short() -> None:
    short, times = CSCSRLearner().trial(recipe(learning={"crops": 64, "iterations": 6}))
    assert short.learning["crops"] == 8 and times == 48
