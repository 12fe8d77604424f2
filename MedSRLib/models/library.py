"""The model library: trained weights with their cards, found by name, checked before use.

A model is a pair of files in one folder: ``NAME.safetensors`` (the weights) and ``NAME.json`` (the card, see
`card.ModelCard`). Models shipped with MedSR come first, then those in the user's folder; of two models with
one name the first is taken. Weights are data: nothing in them is ever executed.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from MedSRLib import files
from MedSRLib.errors import ModelError, OutputError
from MedSRLib.models import guiding, weights
from MedSRLib.models.card import ModelCard, read_card, warnings_for, with_name

if TYPE_CHECKING:
    import torch

__all__ = [
    "WEIGHTS",
    "Model",
    "card_of",
    "cards",
    "damaged",
    "default",
    "folders",
    "install",
    "load",
    "locate",
    "names",
    "refuse_taken_name",
    "save",
    "shipped_folder",
    "user_folder",
    "verify",
    "warnings_for",
]

WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Model:
    """Trained weights with their card.

    Attributes:
        card: what the weights are.
        tensors: the weights by name, on the CPU.
        path: the .safetensors file, or None if not saved yet.
    """

    card: ModelCard
    tensors: dict[str, torch.Tensor]
    path: Path | None = None


def shipped_folder() -> Path:
    """Where the models that come with MedSR lie: in the wheel, or in the checkout."""
    in_wheel = Path(__file__).parents[1] / "Resources" / "Models"
    return in_wheel if in_wheel.is_dir() else Path(__file__).parents[2] / "Resources" / "Models"


def user_folder() -> Path:
    """Where a user's own models lie: ``MEDSR_MODELS``, else the system's place for such data."""
    chosen = os.environ.get("MEDSR_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "medsr" / "models"


def folders() -> list[Path]:
    """The folders searched for models, in order; the user's may not exist yet."""
    return [shipped_folder(), user_folder()]


def _files() -> Iterator[Path]:
    seen = set()
    for folder in folders():
        for path in sorted(folder.glob(f"*{WEIGHTS}"), key=lambda path: path.stem):
            if path.stem not in seen:
                seen.add(path.stem)
                yield path


def names() -> list[str]:
    """Names of the models in the library, shipped ones first."""
    return [path.stem for path in _files()]


def cards() -> dict[str, ModelCard]:
    """Card of every model whose card can be read, by name; `damaged` has the others."""
    return {name: card for name, card in _survey().items() if isinstance(card, ModelCard)}


def damaged() -> dict[str, str]:
    """What is wrong with every model whose card cannot be read, by name."""
    return {name: str(card) for name, card in _survey().items() if isinstance(card, ModelError)}


def _survey() -> dict[str, ModelCard | ModelError]:
    """The card of every model, or why it cannot be read: one damaged model must not hide the others."""
    return {path.stem: _card_or_error(path.with_suffix(".json")) for path in _files()}


def _card_or_error(path: Path) -> ModelCard | ModelError:
    try:
        return read_card(path)
    except ModelError as error:
        return error


def locate(name_or_path: str | Path) -> Path:
    """The .safetensors file of a model named, or given as a path to either of its two files.

    Raises:
        ModelError: if there is none; the nearest name is suggested.
    """
    text = str(name_or_path)
    path = Path(name_or_path).expanduser()
    if path.suffix in (WEIGHTS, ".json") or path.name != text:
        path = path.with_suffix(WEIGHTS) if path.suffix in (WEIGHTS, ".json") else Path(f"{path}{WEIGHTS}")
        if path.is_file():
            return path
        raise ModelError(
            f"There is no model file '{path}'.", "", "Check the path, or use a name of `medsr models list`."
        )
    for candidate in _files():
        if candidate.stem == text:
            return candidate
    near = difflib.get_close_matches(text, names(), n=1, cutoff=0.4)
    hint = f"Did you mean '{near[0]}'?" if near else "`medsr models list` shows the names."
    raise ModelError(f"There is no model '{text}'.", "", hint)


def card_of(name_or_path: str | Path, method: str | None = None) -> ModelCard:
    """The card of a model, without reading its weights.

    Raises:
        ModelError: for a model that is missing, without a valid card, or made for another method.
    """
    card = read_card(locate(name_or_path).with_suffix(".json"))
    _refuse_other_method(card, method)
    return card


def load(name_or_path: str | Path, method: str | None = None) -> Model:
    """A model by name or path, checked: format, card, method and checksum.

    Args:
        name_or_path: name in the library, or path to either file of the pair.
        method: identifier of the method that wants the weights.

    Raises:
        ModelError: if anything about the model is not as it should be.
    """
    path = locate(name_or_path)
    content = weights.content_of(path)
    card = read_card(path.with_suffix(".json"))
    _refuse_other_method(card, method)
    found = sha256(content).hexdigest()
    if found != card.weights_sha256:
        raise ModelError(
            f"The model file '{path}' is damaged.",
            f"Its checksum is {found[:12]}…, its card says {card.weights_sha256[:12] or 'nothing'}…",
            "Fetch or train the model again.",
        )
    return Model(card, weights.tensors_in(content, path), path)


def verify(name_or_path: str | Path) -> ModelCard:
    """The card of a model after every check of `load`.

    Raises:
        ModelError: if anything about the model is not as it should be.
    """
    return load(name_or_path).card


def save(model: Model, folder: str | Path) -> Path:
    """Write the pair of files into the folder, whole or not at all, and return the path of the weights.

    The checksum and the count of parameters in the card are filled in here.

    Raises:
        OutputError: if the folder cannot be written.
    """
    import safetensors.torch

    target = Path(folder) / f"{model.card.name}{WEIGHTS}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{target.parent}' cannot be made: {error.strerror}.") from error
    content = safetensors.torch.save({k: t.detach().cpu().contiguous() for k, t in model.tensors.items()})
    card = model.card.model_copy(
        update={
            "weights_sha256": sha256(content).hexdigest(),
            "parameters": sum(tensor.numel() for tensor in model.tensors.values()),
        }
    )
    with files.atomic_path(target) as whole, files.atomic_path(target.with_suffix(".json")) as text:
        whole.write_bytes(content)
        text.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return target


def install(source: str | Path, name: str | None = None) -> Path:
    """Copy a model, checked, into the user's folder, and return the path of its weights.

    Args:
        source: path of either file of the pair.
        name: what to call the copy; its own name if None.

    Raises:
        ModelError: if the model is not sound.
        OutputError: if the library has that name already, or cannot be written.
    """
    model = load(source)
    card = with_name(model.card, name) if name else model.card
    refuse_taken_name(card.name)
    return save(Model(card, model.tensors), user_folder())


def refuse_taken_name(name: str) -> None:
    """Raise `OutputError` if the library has a model of that name: models are never replaced in silence."""
    if name in names():
        raise OutputError(
            f"The library has a model '{name}' already.", f"It is '{locate(name)}'.", "Give another name."
        )


def default(
    method: str | Collection[str],
    modality: str | None = None,
    spacing: Sequence[float] | None = None,
    scale: Sequence[float] | None = None,
    target: str = "",
    guides: Sequence[str] = (),
) -> str | None:
    """The model a method takes when none is given: that which was trained for most of what is known of the task.

    Of equals that which is no second choice by its card, then that which lacks the fewest guides, then the one that was
    trained for coarse axes such as these alone, then that for the narrowest range of scales, then the shipped ones, in
    the order of their names. Models that synthesise are taken only where that is wanted, for modalities they know.

    Args:
        method: identifier; several for a model of any of them.
        modality: of the input, if known.
        spacing: of the input, mm, if known.
        scale: asked for, x, y, z, if known.
        target: modality to synthesise; empty if it stays.
        guides: what each guide shows; empty where that is not known.
    """
    methods = (method,) if isinstance(method, str) else method
    of_method = [c for c in cards().values() if c.method in methods and c.target_modality.lower() == target.lower()]
    covering = [card for card in of_method if modality is None or card.covers(modality)]
    known = covering if target else covering or of_method

    def misfit(card: ModelCard) -> tuple[float, ...]:
        outside, width = 0, 0.0
        if spacing is not None and scale is not None:
            outside, width = len(warnings_for(card, spacing, scale)), card.scale_max - card.scale_min
        lacking = guiding.missing(card, len(guides))
        return not guiding.takes(card, guides), outside, card.second_choice, lacking, card.axes == "any", width

    best = min(known, key=misfit, default=None)
    return None if best is None else best.name


def _refuse_other_method(card: ModelCard, method: str | None) -> None:
    if method is not None and card.method != method:
        raise ModelError(
            f"The model '{card.name}' is for the method '{card.method}', not for '{method}'.",
            "",
            f"Use --method {card.method}, or another model of `medsr models list`.",
        )
