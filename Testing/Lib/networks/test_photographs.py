"""Released networks for photographs: their names, their range of intensities, and grey images."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from MedSRLib.errors import ModelError
from MedSRLib.models import importing
from MedSRLib.models.card import warnings_for
from MedSRLib.networks import catalogue, released_photographs
from MedSRLib.networks.photographs import MEAN

SMALL = {
    "edsr": {"scale": (4, 4), "features": 4, "blocks": 2, "residual_scale": 1.0},
    "wdsr": {"scale": (3, 3), "features": 4, "expansion": 8, "blocks": 2},
    "wdsr-b": {"scale": (2, 2), "features": 5, "expansion": 30, "blocks": 1, "kind": "B"},
    "srfbn": {"scale": (2, 2), "features": 4, "groups": 2},
}
BACK = {
    "edsr": (
        (r"(head|last)\.(\w+)", lambda m: f"{'head.0' if m[1] == 'head' else 'tail.1'}.{m[2]}"),
        (r"body\.(\d)\.conv(\d)\.(\w+)", lambda m: f"body.{m[1]}.body.{2 * int(m[2]) - 2}.{m[3]}"),
        (r"up\.(\d)\.0\.(\w+)", lambda m: f"tail.0.{2 * int(m[1])}.{m[2]}"),
    ),
    "wdsr": (
        (r"(head|tail|skip)\.(\w+)", r"\1.0.\2"),
        (r"body\.(\d)\.wide\.(\w+)", r"body.\1.body.0.\2"),
        (r"body\.(\d)\.narrow\.(\d)\.(\w+)", lambda m: f"body.{m[1]}.body.{int(m[2]) + 2}.{m[3]}"),
    ),
    "srfbn": (
        (r"last\.(\w+)", r"conv_out.0.\1"),
        (r"first\.(.+)", r"conv_in.\1"),
        (r"second\.(.+)", r"feat_in.\1"),
        (r"up\.(.+)", r"out.\1"),
        (r"block\.enter\.(.+)", r"block.compress_in.\1"),
        (r"block\.leave\.(.+)", r"block.compress_out.\1"),
        (r"block\.(up|down)s\.(.+)", r"block.\1Blocks.\2"),
        (r"block\.gather_low\.(.+)", r"block.uptranBlocks.\1"),
        (r"block\.gather_high\.(.+)", r"block.downtranBlocks.\1"),
    ),
}


def drawn(name: str) -> nn.Module:
    torch.manual_seed(1)
    return catalogue.build(name.split("-")[0], {**SMALL[name], "channels_in": 3}).eval()


def released(name: str, network: nn.Module) -> dict[str, torch.Tensor]:
    """The network's weights under the released names."""
    found = {}
    for ours, tensor in network.body.body.state_dict().items():
        theirs = ours.replace("parametrizations.weight.original0", "weight_g")
        theirs = theirs.replace("parametrizations.weight.original1", "weight_v")
        for pattern, back in BACK[name.split("-")[0]]:
            if re.fullmatch(pattern, theirs):
                theirs = re.sub(pattern, back, theirs)
                break
        found[theirs] = tensor.clone()
    if name != "wdsr":
        found["sub_mean.weight"] = torch.eye(3).view(3, 3, 1, 1)
        found["sub_mean.bias"] = -255 * torch.tensor(MEAN)
    return found


@pytest.mark.parametrize("name", SMALL)
def test_a_released_checkpoint_on_grey_is_the_released_network_on_its_own_range(name: str) -> None:
    """Grey as three colours from 0 to 255, less their mean (WDSR: and divided by 127.5), and the way back; averaged."""
    network = drawn(name)
    method = released_photographs.method_of(released(name, network))
    architecture, tensors = released_photographs.translated(method, released(name, network))
    assert {key: architecture[key] for key in SMALL[name]} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in SMALL[name].items()
    }
    imported = catalogue.build(method, architecture)
    imported.load_state_dict(tensors)
    grey = torch.rand(1, 1, 7, 6)
    factor = 255 / 127.5 if method == "wdsr" else 255.0
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    with torch.no_grad():
        wanted = (network.body.body((grey - mean) * factor) / factor + mean).mean(1, keepdim=True)
        found = imported.body.eval()(grey)
    torch.testing.assert_close(found, wanted, atol=1e-5 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda t: t.pop("conv_out.0.bias"), "missing"),
        (lambda t: t.update({"block.more.weight": torch.zeros(1)}), "block.more.weight"),
        (lambda t: t.update({"feat_in.0.bias": torch.zeros(9)}), "shape"),
        (lambda t: t.update({"sub_mean.bias": torch.zeros(3) - 1}), "mean colour"),
        (lambda t: t.update({"conv_in.0.weight": torch.zeros(16, 1, 3, 3)}), "1 channels"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(spoil, named: str) -> None:
    tensors = released("srfbn", drawn("srfbn"))
    spoil(tensors)
    with pytest.raises(ModelError, match=named):
        released_photographs.translated("srfbn", tensors)


def test_an_imported_checkpoint_says_what_it_was_trained_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))
    torch.save(released("wdsr", drawn("wdsr")), tmp_path / "released.pth")
    card = importing.import_checkpoint(tmp_path / "released.pth", "mine").card
    assert (card.method, card.scale_max, card.modalities) == ("wdsr", 3.0, ["photographs"])
    assert "photographs" in warnings_for(card, (1, 1, 1), (2, 2, 2), "T1w")[0]


def test_colours_and_a_residual_do_not_go_together() -> None:
    with pytest.raises(ModelError, match="three channels"):
        catalogue.build("dsrn", {"channels_in": 3, "residual": "cubic"})
