"""Which guides a model takes: its channels, by what they show.

A network of one guide takes any of the modalities on its card. A network of several guides at once has a channel for
each of them, in their order; where its inputs are among them, as in a model from any to any, the input's own channel
stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from MedSRLib.errors import OptionError
from MedSRLib.models.card import ModelCard


def channels(card: ModelCard) -> tuple[tuple[str, ...], ...]:
    """The modalities that each channel takes; none named stands for any."""
    count = int(card.architecture.get("guides", 1))
    named = tuple(card.guide_modalities)
    return tuple((name,) for name in named) if 1 < count == len(named) else (named,) * count


def most(card: ModelCard) -> int:
    """How many guides an input can have."""
    count, known = len(channels(card)), {name.lower() for name in card.guide_modalities}
    to_any = count > 1 and bool(card.modalities) and {name.lower() for name in card.modalities} <= known
    return count - to_any


def missing(card: ModelCard, given: int) -> int:
    """How many guides are missing of those that an input can have."""
    return most(card) - given


def takes(card: ModelCard, shown: Sequence[str]) -> bool:
    """Whether `placed` finds a channel for each."""
    try:
        placed(card, shown)
    except OptionError:
        return False
    return True


def placed(card: ModelCard, shown: Sequence[str]) -> list[int]:
    """The channel of each guide.

    Args:
        card: of the model.
        shown: modality of each guide; empty if not known.

    Raises:
        OptionError: for too many guides, two of one modality, one that the model does not take, or one that could go to
            several channels.
    """
    if len(shown) > most(card):
        raise OptionError(
            f"{len(shown)} guides are given, and the model '{card.name}' takes {most(card)} at most.",
            f"It is guided by {told(card)}.",
            "Leave some out, or use another model of `medsr models list`.",
        )
    free = dict(enumerate(channels(card)))
    found: dict[int, int] = {}
    for number in sorted(range(len(shown)), key=lambda n: not shown[n]):  # those that are known first
        fitting = [channel for channel, names in free.items() if _takes(names, shown[number])]
        if len({free[channel] for channel in fitting}) != 1:
            raise _misplaced(card, shown[number], shown, bool(fitting))
        found[number] = fitting[0]
        del free[fitting[0]]
    return [found[number] for number in range(len(shown))]


def told(card: ModelCard) -> str:
    """What guides the model, in words."""
    names, count = card.guide_modalities, most(card)
    if count == 1:
        return " or ".join(names) or "any modality"
    return " and ".join(names) if count == len(names) else f"up to {count} of {', '.join(names) or 'any modality'}"


def _takes(names: tuple[str, ...], modality: str) -> bool:
    return not names or not modality or modality.lower() in (name.lower() for name in names)


def _misplaced(card: ModelCard, modality: str, shown: Sequence[str], several: bool) -> OptionError:
    """Why a guide has no channel, or more than one."""
    known = card.guide_modalities[0] if card.guide_modalities else "T1w"
    if several:
        return OptionError(
            f"What a guide shows is not known, and the model '{card.name}' is guided by {told(card)}.",
            "Each has a channel of its own.",
            f"Say what it shows, as in --guide {known}=FILE.",
        )
    if [each.lower() for each in shown].count(modality.lower()) > 1:
        return OptionError(f"Two guides show {modality}.", "A modality guides once.", "Leave one of them out.")
    return OptionError(
        f"A guide shows {modality}, and the model '{card.name}' is guided by {told(card)}.",
        "It has learned nothing of others.",
        f"Give another guide or model; if the guide does show {known}, say so, as in --guide {known}=FILE.",
    )
