"""Pairs with a guide: cut at the target's place, turned alike, moved by no more than said, and sometimes absent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSRLib.errors import OptionError
from MedSRLib.training.frames import Frame
from MedSRLib.training.guided_pairs import GuidedPairs
from MedSRLib.training.kinds import training_of
from MedSRLib.training.recipe import Recipe

SHAPE = (30, 34, 32)


def recipe(guidance: dict | None = None, guide: str | list[str] = "T1w", **sampling) -> Recipe:
    defaults = {"patch": 8, "context": 1, "batch": 3, "queries": 99, "scale_min": 2.0, "scale_max": 3.0}
    return Recipe.model_validate(
        {
            "name": "test",
            "method": "lmcsc",
            "data": {"guide": guide},
            "sampling": defaults | sampling,
            "degradation": [{"kind": "physical"}],
            "guidance": guidance or {},
            "optimisation": {"steps": 1},
        }
    )


def frame() -> Frame:
    """Smooth structure; the T1w is twice the volume, the PD three times."""
    k, j, i = np.indices(SHAPE, dtype=np.float32)
    values = 1 + np.sin(k / 3) * np.cos(j / 4) + np.sin(i / 5 + j / 7)
    return Frame(values, (1.0, 1.0, 1.0), "a", {"T1w": 2 * values, "PD": 3 * values})


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("axes", ["all", "one"])
def test_the_guide_is_cut_where_the_target_is_and_turned_alike(dimensions: int, axes: str) -> None:
    pairs = GuidedPairs([frame()], recipe(dimensions=dimensions, axes=axes))
    for step in range(5):
        batch = pairs.batch(step)
        torch.testing.assert_close(batch.guide, 2 * batch.target, atol=1e-5, rtol=0)


def test_a_network_with_a_scale_gets_the_guide_on_its_own_grid() -> None:
    pairs = GuidedPairs([frame()], recipe(dimensions=2, axes="one"), scale=(1, 4, 1))
    batch = pairs.batch(0)
    assert batch.guide.shape[2:] == (1, 4 * batch.image.shape[3], batch.image.shape[4])
    coarse = batch.guide.unflatten(3, (-1, 4)).mean(dim=4) / 2
    inside = (..., slice(2, -2), slice(None))
    torch.testing.assert_close(coarse[inside], batch.image[inside], atol=0.06, rtol=0)  # means and slice profiles


def test_of_several_guides_one_is_drawn_or_all_are_channels() -> None:
    one = GuidedPairs([frame()], recipe(guide=["T1w", "PD"]))
    seen = {round(float((b.guide[n] / b.target[n]).median())) for b in map(one.batch, range(4)) for n in range(3)}
    assert seen == {2, 3}
    both = GuidedPairs([frame()], recipe(guide=["T1w", "PD"]), guides=2).batch(0)
    torch.testing.assert_close(both.guide, torch.cat([2 * both.target, 3 * both.target], dim=1), atol=1e-4, rtol=0)
    with pytest.raises(OptionError, match=r"data\.guide"):
        GuidedPairs([frame()], recipe(), guides=2)


def test_a_guide_moves_by_no_more_than_said() -> None:
    """On a ramp, values tell places: the difference is the shift along the ramp."""
    ramp = np.broadcast_to(np.arange(SHAPE[0], dtype=np.float32)[:, None, None], SHAPE).copy()
    still = Frame(ramp, (1.0, 1.0, 1.0), "a", {"T1w": ramp})
    settings = {"augment": False, "patch": 6, "batch": 8}
    batch = GuidedPairs([still], recipe({"shift": 1.5}, **settings)).batch(0)
    away = (batch.guide - batch.target)[:, 0, 3:-3, 3:-3, 3:-3].flatten(1)
    assert away.std(dim=1).max() < 1e-3  # a shift alone
    assert 0.1 < away.abs().max() <= 1.5 + 1e-3
    turned = GuidedPairs([still], recipe({"rotation": 5.0}, **settings)).batch(0)
    away = (turned.guide - turned.target)[:, 0].flatten(1)
    assert away.std(dim=1).max() > 1e-2
    assert away.abs().max() < 0.09 * 15  # radians times the way to the corner
    assert away.mean(dim=1).abs().max() < 0.1  # about the middle


def test_dropout_leaves_batches_without_a_guide() -> None:
    pairs = GuidedPairs([frame()], recipe({"dropout": 0.5}))
    without = [pairs.batch(step).guide is None for step in range(20)]
    assert 4 < sum(without) < 16
    assert without == [pairs.batch(step).guide is None for step in range(20)]


def test_of_several_guides_each_is_left_out_by_itself() -> None:
    pairs = GuidedPairs([frame()], recipe({"dropout": 0.4, "noise": 0.01, "offset": 0.1}, ["T1w", "PD"]), guides=2)
    seen = [
        None if b.guide is None else tuple(b.guide.flatten(2).any(dim=2).any(dim=0).tolist())
        for b in map(pairs.batch, range(40))
    ]
    assert {subset: seen.count(subset) > 2 for subset in set(seen)} == dict.fromkeys(
        [None, (True, True), (True, False), (False, True)], True
    )


def test_a_volume_has_nothing_in_the_channel_of_its_own_modality() -> None:
    """Any to any: of T1w and T2w volumes in one batch, each is guided by the other alone."""
    values = frame().values
    frames = [
        Frame(values, (1.0,) * 3, "a", {other: 2 * values}, own) for own, other in (("T1w", "T2w"), ("T2w", "T1w"))
    ]
    wanted = recipe({"noise": 0.01}, ["T1w", "T2w"], batch=6)
    found = set()
    for step in range(3):
        shown = GuidedPairs(frames, wanted, guides=2).batch(step).guide.flatten(2).any(dim=2)
        assert (shown.sum(dim=1) == 1).all()
        found |= {tuple(row) for row in shown.tolist()}
    assert found == {(True, False), (False, True)}


def test_contrast_gain_and_noise_leave_the_target_alone() -> None:
    bent = recipe({"contrast": 1.0, "gain": 0.3, "offset": 0.2, "noise": 0.05})
    plain, changed = (GuidedPairs([frame()], r).batch(2) for r in (recipe(), bent))
    torch.testing.assert_close(plain.target, changed.target, atol=0, rtol=0)
    assert (plain.guide - changed.guide).abs().max() > 0.05
    torch.testing.assert_close(changed.guide, GuidedPairs([frame()], bent).batch(2).guide, atol=0, rtol=0)


def test_guidance_is_for_guided_networks() -> None:
    asked = recipe({"dropout": 0.2}).model_copy(update={"method": "arssr"})
    with pytest.raises(OptionError, match="takes no guide"):
        training_of(asked)
    with pytest.raises(OptionError, match="product"):
        training_of(recipe().model_copy(update={"sampling": recipe().sampling.model_copy(update={"kind": "paper"})}))
