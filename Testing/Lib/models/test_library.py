"""The library: found by name, checked before use, written whole."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch

from MedSRLib.errors import ModelError, OutputError
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder; what is shipped is left out."""
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr(library, "shipped_folder", lambda: tmp_path / "shipped")
    return tmp_path / "user"


def model(name: str = "tiny", method: str = "arssr", **fields: object) -> library.Model:
    card = ModelCard.model_validate({"name": name, "method": method, "architecture": {}, "scale_max": 4} | fields)
    return library.Model(card, {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)})


def test_a_saved_model_comes_back_with_checksum_and_count(user: Path) -> None:
    path = library.save(model(), user)
    loaded = library.load("tiny", "arssr")
    assert path == loaded.path == user / "tiny.safetensors"
    assert torch.equal(loaded.tensors["weight"], torch.arange(6.0).reshape(2, 3))
    assert loaded.card.parameters == 8
    assert len(loaded.card.weights_sha256) == 64
    assert sorted(file.name for file in user.iterdir()) == ["tiny.json", "tiny.safetensors"]
    assert library.verify("tiny") == loaded.card


def test_views_and_saving_twice_give_the_same_file(user: Path) -> None:
    whole = torch.arange(6.0).reshape(3, 2).t()
    one = library.save(library.Model(model().card, {"weight": whole, "bias": whole[0]}), user).read_bytes()
    assert library.save(library.Model(model().card, {"weight": whole, "bias": whole[0]}), user).read_bytes() == one
    assert torch.equal(library.load("tiny").tensors["weight"], whole)


@pytest.mark.parametrize("suffix", [".safetensors", ".json", ""])
def test_a_path_to_either_file_will_do(tmp_path: Path, suffix: str) -> None:
    library.save(model(), tmp_path)
    assert library.load(tmp_path / f"tiny{suffix}").card.name == "tiny"


def test_the_nearest_name_is_suggested(user: Path) -> None:
    library.save(model("brain-t1w"), user)
    with pytest.raises(ModelError, match="brain-t1w"):
        library.load("brain-t1")


def test_a_model_of_another_method_is_refused(user: Path) -> None:
    library.save(model(method="other"), user)
    with pytest.raises(ModelError, match=r"'other', not for 'arssr'"):
        library.load("tiny", "arssr")
    with pytest.raises(ModelError, match=r"'other', not for 'arssr'"):
        library.card_of("tiny", "arssr")


def test_one_flipped_bit_is_found(user: Path) -> None:
    path = library.save(model(), user)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="checksum"):
        library.load("tiny")


class _Creates:
    """A pickle that would create a file when loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("content", ["pickle", "torch", "short", "cut"])
def test_what_is_no_safetensors_file_is_refused_and_not_run(user: Path, content: str) -> None:
    path = library.save(model(), user)
    if content == "pickle":
        path.write_bytes(pickle.dumps(_Creates(user / "pwned")))
    elif content == "torch":
        torch.save({"weight": torch.ones(2)}, path)
    else:
        path.write_bytes(path.read_bytes()[: 5 if content == "short" else 20])
    with pytest.raises(ModelError, match="not a safetensors file"):
        library.load("tiny")
    assert not (user / "pwned").exists()


def test_a_header_that_lies_about_the_data_is_refused(user: Path) -> None:
    path = library.save(model(), user)
    path.write_bytes(path.read_bytes()[:-4])
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    card["weights_sha256"] = __import__("hashlib").sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="cannot be read"):
        library.load("tiny")


def test_one_damaged_card_does_not_hide_the_others(user: Path) -> None:
    library.save(model("good"), user)
    library.save(model("bad"), user).with_suffix(".json").write_text("{}")
    assert library.names() == ["bad", "good"]
    assert list(library.cards()) == ["good"]
    assert "bad.json" in library.damaged()["bad"]


def test_models_are_in_the_order_of_their_names_not_of_their_files(user: Path) -> None:
    """As files, "brain-x.safetensors" comes before "brain.safetensors"; the default is the plain name."""
    for name in ("brain-x", "brain"):
        library.save(model(name), user)
    assert library.names() == ["brain", "brain-x"]
    assert library.default("arssr") == "brain"


def test_the_default_fits_method_and_modality_and_shipped_ones_come_first(user: Path, tmp_path: Path) -> None:
    library.save(model("a-user", modalities=["T1w"]), user)
    library.save(model("b-ct", modalities=["CT"]), user)
    library.save(model("c-other", method="other"), user)
    assert library.default("arssr") == "a-user"
    assert library.default("arssr", "ct") == "b-ct"
    assert library.default("arssr", "PET") == "a-user"
    assert library.default("none") is None
    library.save(model("z-shipped", modalities=["T1w"]), tmp_path / "shipped")
    assert library.default("arssr", "T1w") == "z-shipped"


def test_the_shipped_model_of_a_name_is_taken(user: Path, tmp_path: Path) -> None:
    library.save(model("tiny", citation="user"), user)
    library.save(model("tiny", citation="shipped"), tmp_path / "shipped")
    assert library.names() == ["tiny"]
    assert library.load("tiny").card.citation == "shipped"


def test_installing_copies_and_never_replaces(user: Path, tmp_path: Path) -> None:
    source = library.save(model(), tmp_path / "download")
    assert library.install(source) == user / "tiny.safetensors"
    with pytest.raises(OutputError, match="already"):
        library.install(source)
    assert library.install(source, "second").name == "second.safetensors"
    assert library.load("second").card.name == "second"


def test_saving_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        library.save(model(), tmp_path / "file" / "models")


def test_the_user_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MEDSR_MODELS", raising=False)
    monkeypatch.setattr(library.sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert library.user_folder() == tmp_path / "medsr" / "models"
    monkeypatch.setattr(library.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert library.user_folder() == tmp_path / "local" / "medsr" / "models"


def test_the_default_is_the_model_made_for_just_this_task(user: Path) -> None:
    """Thick slices, isotropic ×2 and anything: each task finds its own model, whatever their names."""
    library.save(model("a-any", scale_min=1.0, scale_max=4.0), user)
    library.save(model("b-thick", scale_min=2.5, scale_max=5.0, axes="one"), user)
    library.save(model("c-double", scale_min=2.0, scale_max=2.0, axes="all"), user)
    library.save(model("a-narrow", scale_min=3.0, scale_max=4.0), user)
    spacing = (1.0, 1.0, 4.0)
    assert library.default("arssr", None, spacing, (1, 1, 4)) == "b-thick"
    assert library.default("arssr", None, (2.0, 2.0, 2.0), (2, 2, 2)) == "c-double"
    assert library.default("arssr", None, (2.0, 2.0, 2.0), (1.5, 2, 3)) == "a-any"


def test_a_second_choice_goes_after_what_fits_and_before_what_does_not(user: Path) -> None:
    library.save(model("narrow", scale_min=3.0, scale_max=4.0, second_choice=True), user)
    library.save(model("wide", scale_min=1.0, scale_max=4.0), user)
    assert library.default("arssr", None, (1.0, 1.0, 1.0), (4, 4, 4)) == "wide"
    (user / "wide.safetensors").unlink()
    library.save(model("double", scale_min=2.0, scale_max=2.0), user)
    assert library.default("arssr", None, (1.0, 1.0, 1.0), (4, 4, 4)) == "narrow"
