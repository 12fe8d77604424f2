"""Several guides at once: each in its channel, where it lies, as far as it reaches; a missing one is as in training."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from MedSRLib import images
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.errors import OptionError
from MedSRLib.grids import Grid
from MedSRLib.methods.guides import Guide
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks import catalogue
from MedSRLib.progress import Progress
from MedSRLib.upscaling import upscale

TURN = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
FINE = Grid((17, 22, 24), (1.0, 1.1, 0.9), (-20.0, 4.0, 31.0), TURN)
STILL = {"registration": "none"}
ARCHITECTURE = {
    "residual": "cubic", "scale": [4, 1], "features": 8, "kernel": 3, "steps": 3, "guide_steps": 2, "form": "direct",
    "threshold": 0.1,
}  # fmt: skip


def bodies(seed: int) -> dict[str, sitk.Image]:
    """Overlapping ellipsoids in three contrasts on the fine grid."""
    generator = np.random.default_rng(seed)
    places = np.indices(FINE.shape)
    made = np.zeros((3, *FINE.shape), np.float32)
    for _ in range(12):
        centre, radii = generator.uniform(0.15, 0.85, 3) * FINE.shape, generator.uniform(3, 8, 3)
        inside = sum(((a - c) / r) ** 2 for a, c, r in zip(places, centre, radii, strict=True)) < 1
        made[:, inside] = generator.uniform(0.1, 1, 3)[:, None]
    return {name: images.from_array(each, FINE) for name, each in zip(("T1w", "T2w", "FLAIR"), made, strict=True)}


def model_of(network: torch.nn.Module, names: list[str], optional: bool = True) -> Model:
    card = ModelCard(
        name="tiny",
        method="lmcsc",
        architecture=network.architecture(),
        scale_max=4,
        axes="one",
        modalities=["FLAIR"],
        guide_modalities=names,
        guide_optional=optional,
    )
    return Model(card, dict(network.state_dict()))


@pytest.fixture(scope="module")
def both() -> Model:
    """Random weights for two guides."""
    torch.manual_seed(0)
    network = catalogue.build("lmcsc", {**ARCHITECTURE, "guides": 2})
    with torch.no_grad():
        for p in network.parameters():
            p += 0.05 * torch.randn(p.shape)
    return model_of(network, ["T1w", "T2w"])


@pytest.fixture(scope="module")
def scene() -> dict[str, sitk.Image]:
    made = bodies(1)
    return {**made, "image": degrade(made["FLAIR"], [1, 1, 4])}


def run(scene: dict[str, sitk.Image], model: Model, guide, events: list | None = None, **options) -> np.ndarray:
    told = Progress(None if events is None else events.append)
    made = upscale(
        scene["image"], "lmcsc", like=FINE, guide=guide, model=model, options=options or STILL, progress=told
    )
    assert Grid.of(made).equals(FINE)
    return images.to_array(made)


def messages(events: list) -> str:
    return " ".join(event.get("message", "") for event in events if event["event"] == "log")


def test_each_fills_its_channel_in_whatever_order_and_form(scene, both: Model) -> None:
    wanted = run(scene, both, {"T1w": scene["T1w"], "T2w": scene["T2w"]})
    turned = [Guide(scene["T2w"], "t2w"), Guide(scene["T1w"], "T1w")]
    np.testing.assert_array_equal(run(scene, both, turned), wanted)
    np.testing.assert_array_equal(run(scene, both, [Guide(scene["T2w"], "T2w"), scene["T1w"]]), wanted)
    swapped = run(scene, both, {"T1w": scene["T2w"], "T2w": scene["T1w"]})
    assert np.abs(swapped - wanted).max() > 0.02


def test_each_lies_on_a_grid_of_its_own(scene, both: Model) -> None:
    wanted = run(scene, both, {"T1w": scene["T1w"], "T2w": scene["T2w"]})
    stored = sitk.PermuteAxes(sitk.Flip(scene["T1w"], (True, False, True)), (2, 0, 1))
    finer = sitk.Expand(scene["T2w"], (1, 2, 1), sitk.sitkBSpline)
    found = run(scene, both, {"T1w": stored, "T2w": finer})
    inside = (slice(5, -5),) * 3
    alone = run(scene, both, None)
    assert np.abs(found - wanted)[inside].mean() < 0.3 * np.abs(alone - wanted)[inside].mean()


def test_a_missing_one_leaves_the_network_of_the_other_and_is_warned_of(scene, both: Model) -> None:
    """The kernels of one guide alone, in a network of one guide, give the same."""
    events: list = []
    found = run(scene, both, {"T2w": scene["T2w"]}, events)
    assert "takes 2 guides at once (T1w and T2w) and is given 1" in messages(events)
    network = catalogue.build("lmcsc", ARCHITECTURE)
    parts = 4
    network.load_state_dict(
        {key: t[:, parts:] if key == "body.guide_codes.inward.weight" else t for key, t in both.tensors.items()}
    )
    single = run(scene, model_of(network, ["T2w"]), scene["T2w"])
    np.testing.assert_allclose(found, single, atol=1e-5)


def test_without_any_it_works_alone(scene, both: Model) -> None:
    events: list = []
    alone = run(scene, both, None, events)
    assert "no guide" in messages(events)
    assert np.abs(alone - run(scene, both, {"T1w": scene["T1w"]})).max() > 0.02


def test_each_counts_as_far_as_it_shows(scene, both: Model) -> None:
    """T1w shows the lower part, T2w the upper one; over 5 mm inside a border one answer passes into the other."""
    events: list = []
    shown = {"T1w": slice(0, 21), "T2w": slice(4, 24)}
    crops = {name: scene[name][:, :, part] for name, part in shown.items()}
    found = run(scene, both, crops, events)
    assert "The T1w guide shows 83%" in messages(events)
    assert "The T2w guide shows 83%" in messages(events)
    whole = {name: continued(scene[name], part) for name, part in shown.items()}
    for names, slices in ((("T1w",), slice(0, 4)), (("T2w",), slice(21, 24)), (("T1w", "T2w"), slice(10, 15))):
        wanted = run(scene, both, {name: whole[name] for name in names})
        np.testing.assert_allclose(found[slices], wanted[slices], atol=1e-5)


def continued(image: sitk.Image, part: slice) -> sitk.Image:
    """The same field of view with the lowest value shown in a part everywhere beyond it."""
    values = images.to_array(image)
    lowest = values[part].min()
    values[: part.start], values[part.stop :] = lowest, lowest
    return images.from_array(values, Grid.of(image))


def test_nothing_is_lost_where_guides_end(scene) -> None:
    """However many answers are blended, their weights add up to 1: a network that changes nothing changes nothing."""
    idle = model_of(catalogue.build("lmcsc", {**ARCHITECTURE, "guides": 2, "last_zero": True}), ["T1w", "T2w"])
    guides = {"T1w": scene["T1w"][:, :, :15], "T2w": scene["T2w"][:, :, 6:]}
    np.testing.assert_allclose(run(scene, idle, guides), run(scene, idle, None), atol=1e-5)


def test_each_is_registered_by_itself(both: Model) -> None:
    grid = Grid((40, 44, 40), (1.0, 1.0, 1.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    generator = np.random.default_rng(3)
    places = np.indices(grid.shape)
    made = np.zeros((3, *grid.shape), np.float32)
    for _ in range(25):
        centre, radii = generator.uniform(0.2, 0.8, 3) * grid.shape, generator.uniform(3, 10, 3)
        inside = sum(((a - c) / r) ** 2 for a, c, r in zip(places, centre, radii, strict=True)) < 1
        made[:, inside] = generator.uniform(0.1, 1, 3)[:, None]
    image, first, second = (images.from_array(each, grid) for each in made)
    second.SetOrigin((3.0, 0.0, 0.0))
    found = upscale(
        degrade(image, [1, 1, 2]), "lmcsc", like=grid, guide={"T1w": first, "T2w": second}, model=both
    ).GetMetaData("MedSR_guide")
    one, two = found.split(" | ")
    assert one.startswith("T1w guide left where it was")
    assert two.startswith("T2w guide moved: shift 3.") or two.startswith("T2w guide moved: shift 2.")


def test_guides_that_the_model_does_not_take_are_refused(scene, both: Model) -> None:
    for guides, told in (
        ({"PD": scene["T1w"]}, "shows PD"),
        ([scene["T1w"]], "not known"),
        ([Guide(scene["T1w"], "T1w"), Guide(scene["T2w"], "T1w")], "Two guides show T1w"),
        ([scene["T1w"]] * 3, "3 guides are given"),
    ):
        with pytest.raises(OptionError, match=told):
            run(scene, both, guides)


def test_a_model_that_never_went_without_needs_all(scene, both: Model) -> None:
    strict = Model(both.card.model_copy(update={"guide_optional": False}), both.tensors)
    guides = {"T1w": scene["T1w"], "T2w": scene["T2w"]}
    assert np.isfinite(run(scene, strict, guides)).all()
    with pytest.raises(OptionError, match="needs 2 guides"):
        run(scene, strict, {"T1w": scene["T1w"]})
    part = FINE.size[0], FINE.size[1], 4
    with pytest.raises(OptionError, match="whole image"):  # the wanted grid lies beyond the guide
        beyond = {**guides, "T2w": scene["T2w"][:, :, 9:]}
        like = Grid(part, FINE.spacing, FINE.origin, FINE.direction)
        upscale(scene["image"], "lmcsc", like=like, guide=beyond, model=strict, options=STILL)
    with pytest.raises(OptionError, match="whole image"):
        run(scene, strict, {**guides, "T2w": scene["T2w"][:, :, :9]})
