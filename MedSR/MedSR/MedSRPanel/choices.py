"""What can be chosen (methods, models, devices), and what a choice leads to (the grid of the result)."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from MedSRLib.methods.contract import MethodInfo
    from MedSRLib.methods.options import Option
    from MedSRLib.models.card import ModelCard

Triple = tuple[float, float, float]
PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def methods() -> dict[str, MethodInfo]:
    """All methods by identifier; none before the packages are installed."""
    try:
        from MedSRLib.methods import registry
    except ImportError:
        return {}
    return {info.identifier: info for info in registry.infos()}


def options(method: str) -> Sequence[Option]:
    """The options of a method; none for one that is not known, or before the packages are installed."""
    if method not in methods():
        return ()
    from MedSRLib.errors import OptionError
    from MedSRLib.methods import options as described

    try:
        return described.of_method(method)
    except OptionError:
        return ()


def options_problem(method: str, values: Mapping[str, Any]) -> str:
    """Why a method refuses these options; empty if it takes them."""
    if not values:
        return ""
    from MedSRLib.errors import OptionError
    from MedSRLib.methods import registry

    try:
        registry.create(method, values)
    except OptionError as error:
        return str(error)
    return ""


def has_thickness(acquisition: str | None) -> bool:
    """Whether an assumed acquisition (by default the physical one) is told how thick the slices are."""
    from MedSRLib.acquisition.matrices import WITH_PROFILE

    return acquisition is None or acquisition in WITH_PROFILE


def cards() -> dict[str, ModelCard]:
    """All models of the library by name; none before the packages are installed."""
    try:
        from MedSRLib.models import library
    except ImportError:
        return {}
    return library.cards()


def families(infos: Mapping[str, MethodInfo]) -> dict[str, str]:
    """The families that have a method, with their titles."""
    titles = {
        "interpolation": _("Interpolation"),
        "single-image": _("Single image"),
        "through-plane": _("Through-plane"),
        "guided": _("Guided by another contrast"),
        "synthesis": _("Synthesis of another modality"),
        "dictionary": _("Dictionaries"),
    }
    present = {info.family for info in infos.values()}
    return {name: title for name, title in titles.items() if name in present}


def targets(known: Mapping[str, ModelCard], modality: str) -> list[str]:
    """The modalities that some model can synthesise of this one."""
    found = {card.target_modality for card in known.values() if card.target_modality and _covers(card, modality)}
    return sorted(found - {modality})


def offered(
    infos: Mapping[str, MethodInfo], known: Mapping[str, ModelCard], target: str, family: str = ""
) -> dict[str, MethodInfo]:
    """The methods that can make the wanted modality; without a target, those that can leave the modality as it is.

    Args:
        infos: all methods, by identifier.
        known: all models, by name.
        target: modality to synthesise; empty if it stays.
        family: only of this one, if it has any.
    """
    if target:
        makers = {card.method for card in known.values() if card.target_modality == target}
        able = {name: info for name, info in infos.items() if name in makers}
    else:
        keepers = {card.method for card in known.values() if not card.target_modality}
        able = {name: info for name, info in infos.items() if info.family != "synthesis" or name in keepers}
    return {name: info for name, info in able.items() if info.family == family} or able


def modalities_named(name: str) -> list[str]:
    """The modalities that a volume's name speaks of, the likeliest first; none where the library is missing."""
    try:
        from MedSRLib import modalities
    except ImportError:
        return []
    return modalities.named(name)


def fits(card: ModelCard, modality: str, target: str) -> bool:
    """Whether a model is for this modality (any, where either says nothing) and this target."""
    return card.target_modality == target and _covers(card, modality)


def room(card: ModelCard) -> int:
    """How many guides a model takes."""
    from MedSRLib.models import guiding

    return guiding.most(card)


def taken(card: ModelCard, guides: Sequence[str]) -> int:
    """How many of these guides, from the first, a model takes by what they show; empty where that is not known."""
    from MedSRLib.models import guiding

    return next(n for n in range(len(guides), -1, -1) if guiding.takes(card, guides[:n]))


def guided_by(card: ModelCard, guides: Sequence[str]) -> bool:
    """Whether a model learned from the first of these guides, or to do without where there is none."""
    if not guides:
        return not card.guide_modalities or card.guide_optional
    return taken(card, guides) > 0


def models(
    known: Mapping[str, ModelCard], method: str, modality: str, target: str, guides: Sequence[str] | None = None
) -> dict[str, ModelCard]:
    """The models of a method for a target, those that were trained on the modality first.

    Of a guided method those come first that take most of the guides, and of these such as leave no place empty.
    """
    of_method = {n: card for n, card in known.items() if card.method == method and card.target_modality == target}
    if guides is not None:
        of_method = dict(sorted(of_method.items(), key=lambda entry: use(entry[1], guides)))
    fitting = [
        name
        for name, card in of_method.items()
        if _covers(card, modality) and (guides is None or guided_by(card, guides))
    ]
    others = [name for name in of_method if name not in fitting]
    return {name: of_method[name] for name in [*fitting, *others]}


def model_warnings(card: ModelCard, spacing: Sequence[float], wanted: Sequence[float], modality: str = "") -> list[str]:
    """In which ways an input lies outside what a model was trained for."""
    from MedSRLib.models.card import warnings_for

    scale = [h / h_new for h, h_new in zip(spacing, wanted, strict=True)]
    return warnings_for(card, spacing, scale, modality or None)


def thick_axis(spacing: Sequence[float]) -> int | None:
    """The axis that a volume's thick slices lie across; None if it has no thick slices."""
    from MedSRLib.grids import coarse_axis

    return coarse_axis(spacing)


def devices(found: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
    """Text of every device that can be asked for, by its name in a job.

    Args:
        found: the devices that the job "machine" has told; before that, what this system may have.
    """
    known = {"auto": _("Automatic")}
    if not found:
        card = {"mps": _("Graphics processor (Apple)")} if sys.platform == "darwin" else {"cuda": _("Graphics card")}
        return {**known, "cpu": _("Processor (CPU)"), **card}
    for device in found:
        free = device.get("free_gb")
        text = device["title"] if free is None else f"{device['title']} · {free:g} GB " + _("free")
        known[device["name"]] = text if device["works"] else _("{title} – cannot be used").format(title=text)
    return known


def precisions() -> dict[str, str]:
    """Text of every precision, by its name in a job."""
    texts = (_("Automatic"), _("32 bit"), _("16 bit (bfloat16)"), _("16 bit (float16)"))
    return dict(zip(PRECISIONS, texts, strict=True))


def result_grid(size: Sequence[int], spacing: Sequence[float], target: dict[str, Any]) -> tuple[tuple, Triple]:
    """Size and spacing of the result for one of scale, spacing or isotropic of a job's parameters.

    Raises:
        ValueError: with the reason, if there can be no such grid.
    """
    from MedSRLib import grids
    from MedSRLib.errors import MedSRError

    grid = plain_grid(size, spacing)
    try:
        if "scale" in target:
            wanted = grids.scaled(grid, target["scale"])
        elif "spacing" in target:
            wanted = grids.with_spacing(grid, target["spacing"])
        else:
            wanted = grids.isotropic(grid)
    except MedSRError as error:
        raise ValueError(str(error)) from error
    return wanted.size, wanted.spacing


def plain_grid(size: Sequence[int], spacing: Sequence[float]) -> Any:
    """A grid of this size and spacing anywhere."""
    from MedSRLib import grids

    return grids.Grid(tuple(size), tuple(spacing), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def use(card: ModelCard, guides: Sequence[str]) -> tuple[int, int]:
    """The lowest first: most guides taken, then fewest places left empty."""
    count = taken(card, guides)
    return -count, room(card) - count


def _covers(card: ModelCard, modality: str) -> bool:
    return not modality or not card.modalities or card.covers(modality)
