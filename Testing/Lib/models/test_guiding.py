"""Guides find their channel by what they show; what has none, or more than one, is refused in words that help."""

from __future__ import annotations

import pytest

from MedSRLib.errors import OptionError
from MedSRLib.models import guiding, library
from MedSRLib.models.card import ModelCard


def card(guides: int, names: list[str], modalities: tuple[str, ...] = ("FLAIR",), name: str = "model") -> ModelCard:
    return ModelCard(
        name=name,
        method="lmcsc",
        architecture={"guides": guides},
        scale_max=4,
        modalities=list(modalities),
        guide_modalities=names,
    )


ONE = card(1, ["T1w"], ("T2w", "FLAIR"), "one")
EITHER = card(1, ["T1w", "PD"], name="either")
BOTH = card(2, ["T1w", "T2w"], name="both")
ANY = card(3, ["T1w", "T2w", "FLAIR"], ("FLAIR", "T1w", "T2w"), "any")
UNNAMED = card(2, [], name="unnamed")


@pytest.mark.parametrize(
    ("model", "shown", "channels"),
    [
        (ONE, ["T1w"], [0]),
        (ONE, [""], [0]),
        (ONE, [], []),
        (EITHER, ["pd"], [0]),
        (BOTH, ["T2w", "T1W"], [1, 0]),
        (BOTH, ["", "T1w"], [1, 0]),
        (BOTH, ["T2w"], [1]),
        (ANY, ["FLAIR", "T1w"], [2, 0]),
        (UNNAMED, ["", ""], [0, 1]),
    ],
)
def test_each_guide_finds_its_channel(model: ModelCard, shown: list[str], channels: list[int]) -> None:
    assert guiding.placed(model, shown) == channels
    assert guiding.takes(model, shown)


@pytest.mark.parametrize(
    ("model", "shown", "told"),
    [
        (ONE, ["T2w"], r"shows T2w, and the model 'one' is guided by T1w.*--guide T1w=FILE"),
        (ONE, ["T1w", "T2w"], r"2 guides are given, and the model 'one' takes 1 at most"),
        (BOTH, ["T2w", "t2w"], r"Two guides show t2w|Two guides show T2w"),
        (BOTH, [""], r"not known.*guided by T1w and T2w.*--guide T1w=FILE"),
        (BOTH, ["", ""], "not known"),
        (ANY, ["T1w", ""], "not known"),
        (ANY, ["T1w", "T2w", "FLAIR"], "takes 2 at most"),
    ],
)
def test_what_has_no_channel_of_its_own_is_refused(model: ModelCard, shown: list[str], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        guiding.placed(model, shown)
    assert not guiding.takes(model, shown)


def test_the_input_s_own_channel_of_a_model_from_any_to_any_does_not_count() -> None:
    assert [guiding.most(model) for model in (ONE, EITHER, BOTH, ANY, UNNAMED)] == [1, 1, 2, 2, 2]
    assert guiding.missing(ANY, 1) == 1


def test_the_library_takes_the_model_that_the_guides_fill_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "cards", lambda: {model.name: model for model in (ANY, BOTH, ONE)})
    wanted = {(): "one", ("T1w",): "one", ("",): "one", ("T2w",): "any", ("T1w", "T2w"): "any", ("FLAIR",): "any"}
    assert {shown: library.default("lmcsc", guides=shown) for shown in wanted} == wanted
