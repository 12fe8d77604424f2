"""Foreign checkpoints come in as data, or not at all."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from MedSRLib.errors import InputError, ModelError, OptionError, OutputError
from MedSRLib.models import importing, library
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

CONFIG = ArSSRConfig(encoder="rdn", feature_dim=8, channels=8, blocks=2, layers=2, width=16)


@pytest.fixture(autouse=True)
def _own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))


# Names in the released code (RDN encoder), and ours.
RELEASED = (
    (r"encoder\.shallow(\d)", r"encoder.sfe\1"),
    (r"encoder\.blocks\.(\d)\.convs\.(\d)", r"encoder.rdbs.\1.layers.\2.conv"),
    (r"encoder\.blocks\.(\d)\.fuse", r"encoder.rdbs.\1.lff"),
    (r"encoder\.fuse1", "encoder.gff.0"),
    (r"encoder\.fuse2", "encoder.gff.1"),
    (r"encoder\.out", "encoder.output"),
)


def released_name(name: str) -> str:
    stage = re.fullmatch(r"decoder\.stage(\d)\.(\d)\.(\w+)", name)
    if stage:  # there, the ReLUs are counted too
        word = {"1": "one", "2": "two"}[stage[1]]
        return f"decoder.stage_{word}.{2 * int(stage[2])}.{stage[3]}"
    for ours, theirs in RELEASED:
        name = re.sub(rf"^{ours}(?=\.(weight|bias)$)", theirs, name)
    return name


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return ArSSR(CONFIG).state_dict()


def checkpoint() -> dict[str, torch.Tensor]:
    return {released_name(name): tensor for name, tensor in weights().items()}


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "parallel"])
def test_a_checkpoint_becomes_a_model_with_the_same_weights(tmp_path: Path, wrap: str) -> None:
    tensors = checkpoint()
    stored: Any = {
        "plain": tensors,
        "state_dict": {"epoch": 3, "state_dict": tensors},
        "parallel": {f"module.{name}": tensor for name, tensor in tensors.items()},
    }[wrap]
    torch.save(stored, tmp_path / "released.pkl")
    model = importing.import_checkpoint(tmp_path / "released.pkl", "mine")
    assert library.load("mine", "arssr").card == model.card
    assert model.card.architecture["coordinates"] == "released"
    assert model.card.architecture["padding"] == "zeros"
    network = ArSSR(ArSSRConfig.of(model.card.architecture))
    network.load_state_dict(model.tensors)
    assert all(torch.equal(tensor, weights()[name]) for name, tensor in network.state_dict().items())


class _Creates:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("writer", ["pickle", "torch", "torch-legacy"])
def test_a_checkpoint_with_code_is_refused_and_nothing_is_run(tmp_path: Path, writer: str) -> None:
    path, trace = tmp_path / "evil.pkl", tmp_path / "trace"
    content = {**checkpoint(), "evil": _Creates(trace)}
    if writer == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writer == "torch")
    with pytest.raises(ModelError, match="refused"):
        importing.import_checkpoint(path, "evil")
    assert not trace.exists()
    assert library.names() == [name for name in library.names() if name != "evil"]


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {}, {"weight": torch.ones(2)}])
def test_what_is_no_arssr_checkpoint_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "other.pkl")
    with pytest.raises(ModelError):
        importing.import_checkpoint(tmp_path / "other.pkl", "other")
    assert not (tmp_path / "models" / "other.safetensors").exists()


def test_a_missing_or_garbled_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        importing.import_checkpoint(tmp_path / "missing.pkl", "x")
    (tmp_path / "garbled.pkl").write_bytes(b"\x80\x02garbled")
    with pytest.raises(ModelError, match="refused"):
        importing.import_checkpoint(tmp_path / "garbled.pkl", "x")


def test_names_are_checked_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.\./x"):
        importing.import_checkpoint(tmp_path / "missing.pkl", "../x")
    torch.save(checkpoint(), tmp_path / "released.pkl")
    importing.import_checkpoint(tmp_path / "released.pkl", "mine")
    with pytest.raises(OutputError, match="already"):
        importing.import_checkpoint(tmp_path / "released.pkl", "mine")
