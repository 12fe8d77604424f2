"""What is recommended where a guide is chosen, and what may be a guide or be called by a modality's name."""

from __future__ import annotations

from typing import Any

import pytest

from MedSRLib.methods.contract import MethodInfo
from MedSRLib.models.card import ModelCard


def info(identifier: str, family: str, **more: Any) -> MethodInfo:
    return MethodInfo(identifier, identifier.upper(), "Does it.", "A. Author, A paper", "arXiv:1", 2020, family, **more)


DUAL = info("dual", "guided", needs_guide=True, needs_model=True)
EDGES = info("edges", "guided", needs_guide=True)
NET = info("net", "single-image", needs_model=True)
SELF = info("self", "through-plane", trains_on_scan=True)
PLAIN = info("bspline", "interpolation")
THICK = info("thick", "through-plane", trains_on_scan=True, axes="through-plane")
T1 = ModelCard(name="t1", method="net", architecture={}, scale_max=8, modalities=["T1w"])
T2_BY_T1 = ModelCard(
    name="t2-by-t1", method="dual", architecture={}, scale_max=8, modalities=["T2w"], guide_modalities=["T1w"]
)


@pytest.mark.parametrize(
    ("methods", "modality", "guides", "expected"),
    [
        ((DUAL, NET, PLAIN), "T2w", ["T1w"], "dual"),
        ((DUAL, NET, PLAIN), "T1w", ["T1w"], "net"),  # no guided model fits: no reason to give up the other
        ((EDGES, NET, PLAIN), "T1w", ["T1w"], "edges"),
        ((EDGES, NET, PLAIN), "T1w", [], "net"),
        ((DUAL, SELF, PLAIN), "CT", ["T1w"], "self"),
        ((DUAL, PLAIN), "CT", ["T1w"], "bspline"),
        ((DUAL, PLAIN), "T2w", ["PET"], "bspline"),  # the model learned from other guides
        ((DUAL, PLAIN), "T2w", [""], "dual"),
    ],
)
def test_a_guide_counts_where_a_method_can_use_it(
    module: Any, methods: tuple[MethodInfo, ...], modality: str, guides: list[str], expected: str
) -> None:
    from MedSRPanel.recommend import recommend

    known = {each.identifier: each for each in methods}
    cards = {card.name: card for card in (T1, T2_BY_T1) if card.method in known}
    best = recommend(known, cards, modality=modality, guides=guides, spacing=(1, 1, 4), wanted=(1, 1, 1))
    assert best is not None and best.method == expected and best.reason


@pytest.mark.parametrize(
    ("guides", "expected"),
    [(["T1w"], "t2-by-t1"), (["FLAIR"], "both"), (["T1w", "FLAIR"], "both"), (["T1w", "PD"], "t2-by-t1"), (["PD"], "")],
)
def test_the_model_is_that_which_takes_most_of_the_guides(module: Any, guides: list[str], expected: str) -> None:
    from MedSRPanel.recommend import recommend

    more = {"architecture": {"guides": 2}, "guide_modalities": ["FLAIR", "T1w"], "modalities": ["T2w"]}
    both = ModelCard(name="both", method="dual", scale_max=8, **more)
    known = {"both": both, "t2-by-t1": T2_BY_T1}
    best = recommend({"dual": DUAL, "plain": PLAIN}, known, modality="T2w", guides=guides)
    assert ("" if best is None else best.model) == expected


def test_networks_come_before_dictionaries_and_later_guided_methods_before_earlier(module: Any) -> None:
    from MedSRPanel.recommend import recommend

    words = info("words", "dictionary", needs_model=True)
    older = info("older", "guided", needs_model=True, needs_guide=True)
    known = {each.identifier: each for each in (words, older, DUAL, NET, PLAIN)}
    cards = {
        name: ModelCard(name=name, method=method, architecture={}, scale_min=low, scale_max=4, modalities=["T1w"])
        for name, method, low in (("a", "words", 4), ("b", "older", 1), ("c", "dual", 1), ("d", "net", 1))
    }
    found = [recommend(known, cards, modality="T1w", guides=guides) for guides in ((), ("T2w",))]
    assert [best.model for best in found if best is not None] == ["d", "c"]


def test_a_network_goes_before_a_dictionary_made_for_just_this(module: Any) -> None:
    from MedSRPanel.recommend import recommend

    atoms = info("atoms", "dictionary", needs_model=True)
    exact = ModelCard(name="a", method="atoms", architecture={}, scale_min=2, scale_max=2, modalities=["T1w"])
    spacing, wanted = (2, 2, 2), (1, 1, 1)
    known = {each.identifier: each for each in (atoms, NET, PLAIN)}
    best = recommend(known, {"a": exact, "t1": T1}, modality="T1w", spacing=spacing, wanted=wanted)
    assert best is not None and best.method == "net"
    best = recommend(known, {"a": exact}, modality="T1w", spacing=spacing, wanted=wanted)
    assert best is not None and best.method == "atoms"


@pytest.mark.parametrize(
    ("spacing", "wanted", "expected"),
    [
        ((1, 1, 4), (1, 1, 1), "thick"),
        ((4, 1, 1), (1, 1, 1), "thick"),
        ((1, 1, 1), (0.5, 0.5, 0.5), "bspline"),  # all axes are alike: nothing finer to learn from
        ((1, 4, 4), (1, 1, 1), "bspline"),
        ((1, 1, 4), (0.5, 0.5, 4), "bspline"),  # the slices stay as thick as they are
        (None, None, "bspline"),
    ],
)
def test_learning_on_the_scan_is_recommended_for_thick_slices_without_a_model(
    module: Any, spacing: Any, wanted: Any, expected: str
) -> None:
    from MedSRPanel.recommend import recommend

    best = recommend({"thick": THICK, "bspline": PLAIN}, {}, modality="CT", spacing=spacing, wanted=wanted)
    assert best is not None and best.method == expected


@pytest.fixture
def pair(scene: Any) -> tuple[Any, Any]:
    """A volume of thick slices, and a fine one of the same place."""
    import numpy as np
    import slicer

    thick = slicer.util.addVolumeFromArray(np.zeros((5, 20, 20), dtype=np.float32), name="T1 tra")
    thick.SetSpacing(1, 1, 4)
    return thick, slicer.util.addVolumeFromArray(np.zeros((20, 20, 20), dtype=np.float32), name="T2 sag")


def test_a_guide_is_sharper_and_in_the_same_place(module: Any, pair: tuple[Any, Any]) -> None:
    thick, fine = pair
    logic = module.MedSRLogic()
    assert logic.whyNoGuide(fine, thick) == ""
    assert "not sharper" in logic.whyNoGuide(thick, fine)
    assert "itself" in logic.whyNoGuide(thick, thick)
    parameters = logic.getParameterNode()
    parameters.inputVolume = thick
    assert logic.sharperVolume(parameters).GetID() == fine.GetID()
    fine.SetOrigin(500, 0, 0)
    assert "another place" in logic.whyNoGuide(fine, thick) and logic.sharperVolume(parameters) is None


def test_only_what_makes_a_modality_gets_its_name(module: Any, pair: tuple[Any, Any], monkeypatch: Any) -> None:
    from MedSRPanel import choices

    maker = ModelCard(
        name="t1-to-t2", method="net", architecture={}, scale_max=8, modalities=["T1w"], target_modality="T2w"
    )
    monkeypatch.setattr(choices, "methods", lambda: {"net": NET, "bspline": PLAIN})
    monkeypatch.setattr(choices, "cards", lambda: {"t1-to-t2": maker})
    logic = module.MedSRLogic()
    parameters = logic.getParameterNode()
    parameters.inputVolume, parameters.target = pair[0], "T2w"
    parameters.method = "bspline"
    assert logic.chosen(parameters) == ("", "")
    parameters.method = "net"
    assert logic.chosen(parameters) == ("net", "t1-to-t2")


@pytest.mark.parametrize(
    ("spacing", "wanted", "expected"),
    [
        ((1, 1, 4), (1, 1, 1), "lmcsc-brain-thick"),
        ((4, 4, 1), (1, 1, 1), "lmcsc-brain-in-plane"),  # keeps lesions better than dual-state-brain-in-plane-x4
        ((3, 3, 3), (1, 1, 3), "lmcsc-brain-in-plane"),
        ((2, 2, 1), (1, 1, 1), "dual-state-brain-in-plane-x2"),
    ],
)
@pytest.mark.parametrize("modality", ["T2w", "FLAIR"])
def test_of_the_guided_models_that_ship_the_one_made_for_the_task_is_recommended(
    module: Any, modality: str, spacing: Any, wanted: Any, expected: str
) -> None:
    from MedSRPanel import choices
    from MedSRPanel.recommend import recommend

    known = choices.cards()
    best = recommend(choices.methods(), known, modality=modality, guides=["T1w"], spacing=spacing, wanted=wanted)
    assert best is not None and (best.method, best.model) == (known[expected].method, expected)
