"""Learning without gradient descent: the engine, the check and the history treat it as they treat networks."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from MedSRLib import images
from MedSRLib.errors import Cancelled, InputError, OptionError, OutputError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.models import library
from MedSRLib.networks import catalogue
from MedSRLib.progress import Progress
from MedSRLib.training import checking, engine, held_out, history, learners
from MedSRLib.training import recipe as recipes
from MedSRLib.training.frames import Frame
from MedSRLib.training.keeping import Keeper
from MedSRLib.training.learners import Learned, Learner, LearnerSettings
from MedSRLib.training.recipe import Recipe
from MedSRLib.upscaling import upscale


class Means(Learner):
    """Learns a bias: the mean of what it sees, halved towards it in every step."""

    class Settings(LearnerSettings):
        steps: int = 4
        stop_at: int = 0

    def holds(self, size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        return min(size) >= 8

    def needs(self, recipe: Recipe) -> str:
        return "8 voxels along every axis"

    def steps(self, recipe: Recipe) -> int:
        return self.settings(recipe).steps

    def trial(self, recipe: Recipe) -> tuple[Recipe, float]:
        return recipe.model_copy(update={"learning": {"steps": 1}}), self.steps(recipe)

    def learn(
        self, recipe, train: list[Frame], validation: list[Frame], *, keeper: Keeper, device, progress
    ) -> Learned:
        network = catalogue.build(recipe.method, recipe.architecture)
        judged = held_out.batches(validation, recipe, device)
        target = torch.tensor([float(frame.values.mean()) for frame in train]).mean()
        value = keeper.tensors.get("value", torch.zeros(()))
        for step in range(keeper.step + 1, self.steps(recipe) + 1):
            value = value + (target - value) / 2
            keeper.keep(step, {"value": value}, note="kept")
            keeper.figure("loss", float((target - value).abs()), step=step)
            progress.update(step / self.steps(recipe))
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, 0.0)
        network.body.last.bias.data.fill_(float(value))
        error, cubic = held_out.network_error(network, judged), held_out.cubic_error(judged)
        if error is not None and cubic is not None:
            told = held_out.psnr_of(error)
            keeper.figure("validation_psnr", told, step=self.steps(recipe), cubic=held_out.psnr_of(cubic))
        return Learned.of(network, {"scale_max": 2.0, "axes": "all"}, {"steps": self.steps(recipe)})


TINY = {
    "name": "tiny",
    "method": "rescnn",
    "architecture": {"features": 4, "blocks": 1, "layers": 2},
    "data": {"modality": "T1w", "normalisation": "percentile", "validation_subjects": 1},
    "sampling": {"patch": 8, "batch": 2, "queries": 16, "scale_max": 2.0},
    "degradation": [{"kind": "physical", "noise": 0.02}],
    "learning": {"steps": 4},
}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of the catalogue under the learner of this file."""
    module = types.ModuleType("made_for_this_test")
    module.Means = Means  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_for_this_test", module)
    monkeypatch.setitem(learners.LEARNERS, "rescnn", "made_for_this_test:Means")


def write(recipe: dict, folder: Path) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


def run(recipe: dict, volumes: Path, out: Path, **more) -> Path:
    progress = more.pop("progress", Progress())
    return engine.train(write(recipe, volumes.parent), volumes, out, runtime=Runtime(), progress=progress, **more)


def test_a_learner_leaves_a_model_with_its_card_and_history(volumes: Path, tmp_path: Path) -> None:
    events: list[dict] = []
    path = run(TINY, volumes, tmp_path / "out", progress=Progress(events.append))
    card = library.load(path).card
    assert (card.method, card.metrics[0]["steps"], card.metrics[0]["validation_subjects"]) == ("rescnn", 4, ["s1"])
    assert card.recipe["learning"] == {"steps": 4} and card.recipe["optimisation"] is None
    figures = history.read(tmp_path / "out")
    assert [figure.step for figure in figures if figure.name == "loss"] == [1, 2, 3, 4]
    assert figures[-1].name == "validation_psnr" and figures[-1].cubic is not None
    told = [event for event in events if event["event"] == "metric"]
    assert (told[-1]["name"], told[-1]["cubic"]) == ("validation_psnr", figures[-1].cubic)
    image = images.read(volumes / "s0.nii.gz")
    assert upscale(image, "rescnn", scale=2, model=library.load(path), runtime=Runtime()).GetSize() == (60, 56, 52)


def test_a_stopped_run_goes_on_and_ends_with_the_same_numbers(volumes: Path, tmp_path: Path) -> None:
    whole = load_file(run(TINY, volumes, tmp_path / "whole"))
    out, asked = tmp_path / "out", []

    def stop() -> bool:
        asked.append(history.read(out) if out.is_dir() else [])
        return any(figure.step == 2 for figure in asked[-1])

    with pytest.raises(Cancelled):
        run(TINY, volumes, out, progress=Progress(cancelled=stop))
    assert Keeper(out, True, Progress()).step == 2
    with pytest.raises(OutputError, match="--resume"):
        run(TINY, volumes, out)
    again = load_file(run(TINY, volumes, out, resume=True))
    assert all(torch.equal(again[name], tensor) for name, tensor in whole.items())
    assert [figure.step for figure in history.read(out) if figure.name == "loss"] == [1, 2, 3, 4]


def test_the_state_comes_back_as_it_was_kept_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    Keeper(tmp_path, False, Progress()).keep(3, {"d": torch.eye(2)}, rho=0.5)
    keeper = Keeper(tmp_path, True, Progress())
    assert (keeper.step, keeper.values) == (3, {"rho": 0.5}) and torch.equal(keeper.tensors["d"], torch.eye(2))
    assert Keeper(tmp_path, False, Progress()).tensors == {}, "a new run starts anew"
    (tmp_path / history.LAST).write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        Keeper(tmp_path, True, Progress())


def test_what_learning_would_be_like(volumes: Path, tmp_path: Path) -> None:
    told = checking.check(write(TINY, tmp_path), volumes, runtime=Runtime(), progress=Progress())
    assert (told["steps"], told["validation_subjects"], told["problems"]) == (4, 1, [])
    assert told["hours"] == pytest.approx(4 * told["seconds_per_step"] / 3600, abs=1e-4) and told["parameters"] > 100


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"optimisation": {"steps": 1}}, "not trained by gradient descent"),
        ({"start_from": "another"}, "refines no model"),
        ({"method": "edsr"}, "no section \\[learning\\]"),
        ({"method": "edsr", "learning": {}}, "needs a section \\[optimisation\\]"),
        ({"learning": {"atoms": 3}}, "learning.atoms"),
    ],
)
def test_a_recipe_has_the_section_of_its_kind(changed: dict, named: str, volumes: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=named):
        run(TINY | changed, volumes, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_learner_works_in_one_process(volumes: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="one process"):
        run(TINY, volumes, tmp_path / "out", devices=2)


def test_recipes_tell_their_optimisation_only_where_there_is_one() -> None:
    recipe = recipes.from_data(TINY)
    with pytest.raises(ValueError, match="gradient descent"):
        _ = recipe.descent
