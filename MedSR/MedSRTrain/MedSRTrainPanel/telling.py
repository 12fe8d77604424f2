"""What the panel of MedSR Train says: volumes, estimates and the card of a model, in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.manifests import Manifest
    from MedSRLib.models.card import ModelCard


def glance(manifest: Manifest) -> str:
    """What a manifest or folder holds, before any volume is opened: 24 subjects · 48 volumes · T1w, T2w."""
    subjects = len({volume.subject for volume in manifest.volumes})
    parts = [_("{n} subjects").format(n=subjects), _("{n} volumes").format(n=len(manifest.volumes))]
    return " · ".join([*parts, *_some(modalities(manifest))])


def modalities(manifest: Manifest) -> list[str]:
    """The modalities that a manifest names, sorted."""
    return sorted({volume.modality for volume in manifest.volumes if volume.modality})


def volumes(checked: dict[str, Any]) -> str:
    """What a check found: 24 subjects · T1w · 1 mm · split 20 / 4 by subject."""
    low, high = checked["spacing_mm"]
    spacing = _("{low:g} mm") if low == high else _("{low:g} to {high:g} mm")
    split = _("split {train} / {held} by subject").format(
        train=checked["subjects"] - checked["validation_subjects"], held=checked["validation_subjects"]
    )
    parts = [_("{n} subjects").format(n=checked["subjects"]), *_some(checked["modalities"])]
    return " · ".join([*parts, spacing.format(low=low, high=high), split])


def length(checked: dict[str, Any]) -> str:
    """How long a training takes: about 35 min · 8 000 patches in 2 000 steps · 301 863 weights."""
    from MedSRPanel import wording

    about = _("about {time}").format(time=wording.duration_text(checked["hours"] * 3600))
    patches = _("{patches} patches in {steps} steps").format(
        patches=_grouped(checked["steps"] * checked["patches_per_step"]), steps=_grouped(checked["steps"])
    )
    return " · ".join([about, patches, _("{n} weights").format(n=_grouped(checked["parameters"]))])


def problems(checked: dict[str, Any]) -> str:
    """What may spoil a training, a line each, as HTML."""
    return "<br/>".join(f"⚠ {escape(problem)}" for problem in checked["problems"])


def card(card: ModelCard) -> str:
    """The card of a model as a table, HTML."""
    rows = [
        (_("Model"), card.name),
        (_("Method"), card.method),
        (_("Trained on"), _data(card)),
        (_("Scale"), _("{low:g} to {high:g}").format(low=card.scale_min, high=card.scale_max)),
        (_("Input"), _spacing(card)),
        (_("Acquisition"), card.degradation),
        (_("Held out"), ", ".join(_heldOut(card)) or _("nobody")),
        (_("Weights"), _grouped(card.parameters)),
        (_("Licence"), card.licence or _("not stated")),
        (_("Limits"), card.limits),
    ]
    cells = "".join(f"<tr><td>{escape(a)}:&nbsp;</td><td>{escape(b)}</td></tr>" for a, b in rows if b)
    return f"<table>{cells}</table>"


def _data(card: ModelCard) -> str:
    subjects = sum(entry.subjects for entry in card.training_data)
    return " · ".join([_("{n} subjects").format(n=subjects), *_some(card.modalities), *_some(card.organs)])


def _spacing(card: ModelCard) -> str:
    if card.spacing_mm is None:
        return ""
    return _("voxels of {low:g} to {high:g} mm").format(low=card.spacing_mm[0], high=card.spacing_mm[1])


def _heldOut(card: ModelCard) -> list[str]:
    return [str(name) for row in card.metrics for name in row.get("validation_subjects", [])]


def _some(names: Sequence[str]) -> list[str]:
    return [", ".join(names)] if names else []


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
