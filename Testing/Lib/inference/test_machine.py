"""What the machine says of itself."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.inference import machine


def test_the_processor_is_always_there_and_has_a_speed() -> None:
    found = machine.describe()
    processor = found["devices"][0]
    assert processor["name"] == "cpu" and processor["works"] is True and "float32" in processor["precisions"]
    assert processor["free_gb"] is None or 0 < processor["free_gb"] <= processor["total_gb"]
    assert found["best"] in {device["name"] for device in found["devices"] if device["works"]}
    assert found["speed"]["cpu"]["flops"] > 1e8 and found["speed"]["cpu"]["voxels"] > 1e4


def test_a_card_without_a_fitting_build_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(machine.ctypes.util, "find_library", lambda name: "libcuda.so.1" if name == "cuda" else None)
    card = next(device for device in machine.devices() if device.name == "cuda:0")
    assert not card.works and "processors only" in card.reason


def test_a_card_too_new_for_the_build_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "New Card")
    monkeypatch.setattr(machine, "failure", lambda name: "A small test computation failed: no kernel image.")
    card = next(device for device in machine.devices() if device.name == "cuda:0")
    assert (card.title, card.works) == ("New Card", False)
    assert "no kernel image" in card.reason and "newer build" in card.reason
