"""Methods, models and grids as the panel shows them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.models.card import ModelCard


def grid_text(size: Sequence[int], spacing: Sequence[float]) -> str:
    """Size and spacing on one line: 384 × 384 × 24 voxels of 0.6 × 0.6 × 4 mm."""
    return _("{size} voxels of {spacing} mm").format(
        size=" × ".join(str(n) for n in size), spacing=" × ".join(f"{h:.3g}" for h in spacing)
    )


def duration_text(seconds: float) -> str:
    """A rounded time: 40 s, 3 min 20 s, 2 h 5 min."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return _("{seconds} s").format(seconds=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)
    return _("{hours} h {minutes} min").format(hours=whole // 3600, minutes=whole % 3600 // 60)


def method_html(info: MethodInfo) -> str:
    """What a method does, what it needs, and its citation with a link."""
    needs = []
    if info.needs_guide and not info.guide_optional:
        needs.append(_("a sharper guide of the same patient"))
    if info.needs_model and "model" not in info.description:
        needs.append(_("a trained model"))
    if info.trains_on_scan:
        needs.append(_("time: it learns on this very scan"))
    told = escape(info.description)
    if info.guide_optional:
        told += " " + escape(_("Works best with a sharper guide of the same patient."))
    if needs:
        told += " " + escape(_("Needs {needs}.").format(needs=_(" and ").join(needs)))
    cited = info.citation if str(info.year) in info.citation else f"{info.citation} ({info.year})"
    return f'{told}<br/><a href="{escape(link_of(info.reference))}">{escape(cited)}</a>'


def link_of(reference: str) -> str:
    """The web address of a DOI or arXiv number."""
    if reference.startswith("arXiv:"):
        return "https://arxiv.org/abs/" + reference.removeprefix("arXiv:")
    return reference if reference.startswith("https://") else "https://doi.org/" + reference


def model_html(card: ModelCard, warnings: Sequence[str]) -> str:
    """What a model was trained for, and in which ways this input lies outside of it."""
    parts = [", ".join([*card.modalities, *card.organs])]
    if card.target_modality:
        parts.append(_("makes {target} of it").format(target=card.target_modality))
    if card.guide_modalities:
        parts.append(_("guided by {names}").format(names=_guiding(card)))
    if card.scale_min == card.scale_max:
        parts.append(_("scale {scale:g}").format(scale=card.scale_max))
    else:
        parts.append(_("scale {low:g} to {high:g}").format(low=card.scale_min, high=card.scale_max))
    if card.spacing_mm is not None:
        parts.append(_("input of {low:g} to {high:g} mm").format(low=card.spacing_mm[0], high=card.spacing_mm[1]))
    told = escape(_("Trained for: {what}.").format(what="; ".join(part for part in parts if part)))
    return "<br/>".join([told, *(f"⚠ {escape(warning)}" for warning in warnings)])


def guide_texts(told: str) -> list[str]:
    """What was done to the guide, or to each of several, in sentences; none without a guide."""
    if not told:
        return []
    several = told.split(" | ")
    return [_("The guide was {told}.").format(told=told)] if len(several) == 1 else [f"{each}." for each in several]


def _guiding(card: ModelCard) -> str:
    """What guides a model, one at a time or several at once."""
    from MedSRPanel import choices

    names, count = card.guide_modalities, choices.room(card)
    if count == 1:
        return str(_(" or ").join(names))
    if count == len(names):
        return str(_(" and ").join(names))
    return str(_("up to {n} of {names}").format(n=count, names=", ".join(names)))


def model_row(card: ModelCard) -> tuple[str, ...]:
    """A model on one line of a table: name, method, modality, scale, licence, count of weights."""
    modality = ", ".join(card.modalities)
    if card.target_modality:
        modality = f"{modality} → {card.target_modality}"
    if card.guide_modalities:
        modality = f"{modality} + {', '.join(card.guide_modalities)}"
    size = _("{millions:.3g} M").format(millions=card.parameters / 1e6)
    return card.name, card.method, modality, f"{card.scale_min:g}–{card.scale_max:g}", card.licence, size


def card_html(card: ModelCard) -> str:
    """All that a user may want to know of a model before trusting it, as a table."""
    data = "; ".join(f"{d.name} ({d.subjects} subjects, {d.licence})" for d in card.training_data)
    spacing = "" if card.spacing_mm is None else f"{card.spacing_mm[0]:g} to {card.spacing_mm[1]:g} mm"
    measured = "; ".join(", ".join(f"{key} {value}" for key, value in row.items()) for row in card.metrics)
    rows = (
        (_("Method"), card.method),
        (_("For"), ", ".join([*card.modalities, *card.organs])),
        (_("Makes"), card.target_modality),
        (_("Guided by"), _guiding(card)),
        (_("Scale"), f"{card.scale_min:g} to {card.scale_max:g}"),
        (_("Input spacing"), spacing),
        (_("Intensities"), card.intensity),
        (_("Degradation"), card.degradation),
        (_("Trained on"), data),
        (_("Licence"), card.licence),
        (_("Limits"), card.limits),
        (_("Measured"), measured),
        (_("Size"), _("{n} weights").format(n=f"{card.parameters:,}".replace(",", " "))),
        (_("Cite"), card.citation),
        (_("Checksum"), card.weights_sha256[:16]),
    )
    cells = "".join(f"<tr><td><b>{name}</b></td><td>{escape(text)}</td></tr>" for name, text in rows if text)
    return f"<h3>{escape(card.name)}</h3><table cellspacing=4>{cells}</table>"


def estimate_text(seconds: float | None, memory_bytes: int, device: str) -> str:
    """What a run will take: about 40 s on the processor · 2.1 GB."""
    memory = _("{memory:.1f} GB").format(memory=memory_bytes / 2**30)
    if seconds is None:
        return _("needs about {memory}").format(memory=memory)
    return _("about {time} on {device} · {memory}").format(time=duration_text(seconds), device=device, memory=memory)
