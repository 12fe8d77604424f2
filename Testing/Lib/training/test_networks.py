"""Every network learns from patches, and every recipe that ships can be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MedSRLib import images
from MedSRLib.errors import OptionError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import load as load_manifest
from MedSRLib.networks import catalogue
from MedSRLib.networks.on_grid import OnGrid
from MedSRLib.progress import Progress
from MedSRLib.training import engine
from MedSRLib.training import recipe as recipes
from MedSRLib.training.kinds import training_of
from MedSRLib.training.pairs import Pairs
from MedSRLib.training.query_training import QueryTraining
from MedSRLib.upscaling import upscale

SMALL = {
    "srfbn": {"features": 4, "groups": 2, "steps": 2},
    "dsrn": {"features": 8, "steps": 4, "residual": "cubic"},
    "srcnn3d": {"features": (4, 3), "residual": "cubic"},
    "srrecnn3d": {"features": 4, "layers": 3},
    "dcsrn": {"growth": 3, "units": 2},
    "rescnn": {"features": 4, "blocks": 1, "layers": 2},
}


def training(method: str, queries: int = 12, **changes) -> QueryTraining:
    torch.manual_seed(0)
    flat = method in ("srfbn", "dsrn")
    recipe = recipes.from_data(
        {
            "name": "tiny",
            "method": method,
            "architecture": {**SMALL[method], **changes},
            "sampling": {
                "patch": 10,
                "context": 2,
                "batch": 2,
                "queries": queries,
                "scale_max": 2.0,
                "dimensions": 2 if flat else 3,
            },
            "degradation": [{"kind": "physical"}],
            "optimisation": {"steps": 3, "rate": 1e-3},
        }
    )
    volume = np.random.default_rng(1).random((40, 44, 42), np.float32)
    pairs = Pairs([volume], recipe)
    return QueryTraining(recipe, pairs, [pairs.batch(7)], pairs.example())


@pytest.mark.parametrize("method", SMALL)
def test_every_weight_learns(method: str) -> None:
    module = training(method)
    module.loss(module.draws.batch(0)).backward()
    silent = [name for name, p in module.network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent or method == "srcnn3d"  # its rectifiers may all be shut at the paper's first weights
    picture = module.pictures()
    assert picture[1].shape == picture[2].shape
    assert np.isfinite(picture[1]).all()


def test_the_loss_is_the_mean_over_all_outputs() -> None:
    module = training("srfbn")
    batch = module.draws.batch(0)
    answers = module.network.every_answer(batch.image, batch.queries)
    assert len(answers) == 2
    wanted = np.mean([float((answer.detach() - batch.target).abs().mean()) for answer in answers])
    assert float(module.loss(batch).detach()) == pytest.approx(wanted, rel=1e-5)


def test_a_preview_of_a_network_on_the_interpolated_image_has_its_context() -> None:
    """The picture is the middle plane of what the network makes of the whole example."""
    module = training("rescnn")
    queries, image = module.example.queries, module.example.image
    step, n = queries.step[0], image.shape[2]
    whole = type(queries)((np.arange(round(n / step)) * step + (step - 1) / 2, *queries.positions[1:]), queries.step)
    row = int(np.abs(whole.positions[0] - queries.positions[0][0]).argmin())
    with torch.no_grad():
        wanted = module.network(image, whole)[0, 0, row].numpy()
    np.testing.assert_allclose(module.pictures()[1], wanted, atol=1e-5)


def test_scattered_planes_are_refused_where_neighbours_matter() -> None:
    with pytest.raises(OptionError, match="queries = 12"):
        training("rescnn", queries=6)


def test_a_training_with_batch_statistics_makes_a_model_that_upscales(tiny: dict, volumes: Path) -> None:
    """DCSRN, in half precision; the preview leaves the statistics as they are."""
    tiny |= {"method": "dcsrn", "architecture": {**SMALL["dcsrn"], "residual": "cubic"}, "storage": "float16"}
    tiny["sampling"] = {"patch": 8, "context": 2, "batch": 2, "queries": 8, "scale_max": 2.0}
    tiny["data"] = {"role": None, "normalisation": "percentile", "validation_subjects": 1}
    recipe = recipes.from_data(tiny | {"optimisation": {"rate": 1e-3, "steps": 4}})
    model = engine.fit(recipe, load_manifest(volumes), runtime=Runtime(), progress=Progress())
    image = images.read(volumes / "s0.nii.gz")
    result = images.to_array(upscale(image, "dcsrn", scale=1.5, model=model, runtime=Runtime()))
    assert result.shape == (39, 42, 45)
    assert np.abs(result).max() < 1000
    module = training("dcsrn")
    before = {name: tensor.clone() for name, tensor in module.network.state_dict().items()}
    module.pictures()
    assert all(torch.equal(before[name], tensor) for name, tensor in module.network.state_dict().items())
    assert module.network.training


@pytest.mark.parametrize("name", recipes.shipped())
def test_shipped_recipes_can_be_trained(name: str) -> None:
    recipe = recipes.load(recipes.shipped()[name])
    assert recipe.name == name
    kind = training_of(recipe)
    with torch.device("meta"):
        network = catalogue.build(recipe.method, recipe.architecture)
    if issubclass(kind, QueryTraining) and isinstance(network, OnGrid):
        s = recipe.sampling
        assert s.dimensions == network.dimensions
        if recipe.optimisation is not None:  # learners take whole volumes
            assert s.queries >= (s.patch - 2 * s.context) * s.scale_max
