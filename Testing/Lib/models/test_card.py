"""Cards: what is refused, and when a user is warned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from MedSRLib.errors import ModelError, OptionError
from MedSRLib.models.card import ModelCard, read_card, warnings_for, with_name


def card(**fields: object) -> ModelCard:
    known: dict[str, object] = {
        "name": "tiny",
        "method": "arssr",
        "architecture": {"encoder": "rescnn"},
        "scale_min": 2,
        "scale_max": 4,
        "spacing_mm": (1.5, 4),
        "modalities": ["T1w"],
    }
    return ModelCard.model_validate(known | fields)


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(card().model_dump_json(), encoding="utf-8")
    assert read_card(path) == card()


def test_a_card_is_read_again_only_once_its_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(card().model_dump_json(), encoding="utf-8")
    first = read_card(path)
    assert read_card(path) is first
    path.write_text(card(organs=["brain"]).model_dump_json(), encoding="utf-8")
    assert read_card(path).organs == ["brain"]
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"surprise": 1}, "surprise"),
        ({"scale_max": 1}, "scale_max"),
        ({"spacing_mm": [0, 1]}, "spacing_mm"),
        ({"schema_version": 2}, "schema_version"),
        ({"name": "../elsewhere"}, "name"),
        ({"weights_sha256": "short"}, "weights_sha256"),
    ],
)
def test_what_is_no_card_is_refused_with_its_key(tmp_path: Path, change: dict[str, object], word: str) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(card().model_dump(mode="json") | change), encoding="utf-8")
    with pytest.raises(ModelError, match=word):
        read_card(path)


def test_a_missing_or_garbled_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read"):
        read_card(tmp_path / "none.json")
    (tmp_path / "garbled.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ModelError, match="not valid"):
        read_card(tmp_path / "garbled.json")


@pytest.mark.parametrize(
    ("spacing", "scale", "modality", "words"),
    [
        ((2, 2, 2), (2, 2, 2), "t1w", []),
        ((2, 2, 2), (2, 2, 2), None, []),
        ((0.5, 0.5, 3), (1, 1, 3), "T1w", []),  # axes that stay as they are do not count
        ((1.4, 1.4, 4.3), (2, 2, 3), "T1w", []),  # a tenth outside passes
        ((2, 2, 2), (1.97, 2, 4.08), "T1w", []),  # of sizes that were rounded
        ((2, 2, 2), (1.9, 2, 2), "T1w", ["1.9"]),
        ((1, 1, 6), (2, 2, 2), "T1w", ["1, 6 mm"]),
        ((2, 2, 2), (1.5, 2, 6), "T1w", ["1.5, 6"]),
        ((2, 2, 2), (2, 2, 2), "CT", ["CT"]),
    ],
)
def test_warnings_name_what_lies_outside(
    spacing: tuple[float, ...], scale: tuple[float, ...], modality: str | None, words: list[str]
) -> None:
    found = warnings_for(card(), spacing, scale, modality)
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("axes", "scale", "fits"),
    [
        ("one", (1, 1, 3), True),
        ("one", (2, 1, 3), False),
        ("all", (2, 2.1, 2), True),
        ("all", (2, 2, 3), False),
        ("all", (1, 1, 3), False),
        ("any", (1, 2, 3), True),
        ("one", (1, 1, 1), True),  # nothing to refine, nothing to warn of
    ],
)
def test_a_model_of_certain_axes_warns_of_others(axes: str, scale: tuple[float, ...], fits: bool) -> None:
    warned = warnings_for(card(axes=axes), (2, 2, 2), scale)
    assert warned == [] if fits else "coarse along" in warned[0]


def test_a_name_must_be_a_file_name() -> None:
    assert with_name(card(), "other-2.1").name == "other-2.1"
    with pytest.raises(OptionError, match="a/b"):
        with_name(card(), "a/b")
