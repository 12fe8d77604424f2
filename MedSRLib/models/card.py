"""The card of a model: what the weights are, what they were trained on, and where they may be trusted.

A card is the JSON file beside the weights, ``NAME.json`` beside ``NAME.safetensors``. Keys that are not
written down here are refused, so that a slip of the pen never passes for a setting.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from MedSRLib.errors import ModelError, OptionError

_SPACING_SLACK = 1.1
"""A spacing up to a tenth outside the range trained for passes without a warning."""

_SCALE_SLACK = 1.03
"""A scale is not whole where the coarse image's size was rounded."""

_ALIKE = 1.1
"""Factors that differ by no more than a tenth count as isotropic."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"


class TrainingData(BaseModel):
    """One data set a model was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    licence: str
    subjects: int = Field(ge=0)
    source: str = ""


class ModelCard(BaseModel):
    """What a user and a program must know of a model before using it.

    Attributes:
        schema_version: version of this very layout.
        name: the name in the library, and the stem of both files.
        version: version of the weights.
        method: identifier of the method the weights belong to.
        architecture: keyword arguments that rebuild the network.
        scale_min: smallest scale trained for, per axis.
        scale_max: largest scale trained for, per axis.
        axes: which axes were coarse in training: "any" of them in any degree, "all" alike, or "one" (thick slices).
        spacing_mm: finest and coarsest spacing of the *input* images in training, mm.
        normalisation: kind of `intensity.fit` applied to the input.
        intensity: a note on the intensities the model expects, in words.
        modalities: what was imaged ("T1w", "CT"); empty if not known.
        target_modality: what is synthesised of it; empty if the modality stays.
        guide_modalities: what guided it, one at a time unless its architecture takes several; empty if nothing.
        guide_optional: whether it was trained without a guide, too.
        second_choice: whether other models that fit are chosen before it, as its limits say why.
        organs: where; empty if not known.
        degradation: acquisition model (and noise) of the training pairs, in words.
        training_data: the data sets, with their licences.
        licence: licence of the weights.
        recipe: the training configuration.
        metrics: measured quality, one mapping a row.
        weights_sha256: checksum of the .safetensors file; filled in when the model is saved.
        parameters: count of numbers in the weights; filled in when the model is saved.
        created: UTC time, ISO 8601.
        medsr_version: version that wrote the model.
        citation: what to cite.
        limits: what the model must not be used for, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    version: str = "1"
    method: str
    architecture: dict[str, Any]
    scale_min: float = Field(default=1.0, ge=1, allow_inf_nan=False)
    scale_max: float = Field(ge=1, allow_inf_nan=False)
    axes: Literal["any", "all", "one"] = "any"
    spacing_mm: tuple[float, float] | None = None
    normalisation: str = "min-max"
    intensity: str = ""
    modalities: list[str] = []
    target_modality: str = ""
    guide_modalities: list[str] = []
    guide_optional: bool = False
    second_choice: bool = False
    organs: list[str] = []
    degradation: str = ""
    training_data: list[TrainingData] = []
    licence: str = ""
    recipe: dict[str, Any] = {}
    metrics: list[dict[str, Any]] = []
    weights_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    parameters: int = Field(default=0, ge=0)
    created: str = ""
    medsr_version: str = ""
    citation: str = ""
    limits: str = "Research use only; not a medical device."

    def covers(self, modality: str) -> bool:
        """Whether the model was trained on the modality; upper and lower case are the same."""
        return modality.lower() in (known.lower() for known in self.modalities)

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> ModelCard:
        if self.scale_max < self.scale_min:
            raise ValueError("scale_max is below scale_min")
        if self.spacing_mm is not None and not 0 < self.spacing_mm[0] <= self.spacing_mm[1]:
            raise ValueError("spacing_mm is not a range of positive numbers")
        return self


def read_card(path: Path) -> ModelCard:
    """The card in a JSON file.

    Raises:
        ModelError: if the file is missing, unreadable or not a card.
    """
    try:
        state = path.stat()
        return _read(path, (state.st_mtime_ns, state.st_size, state.st_ino))
    except OSError as error:
        raise ModelError(
            f"The model card '{path}' cannot be read: {error.strerror}.",
            "A model is a pair of files: NAME.safetensors and NAME.json.",
            "Keep both in one folder.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(
            f"The model card '{path}' is not valid: {where + ': ' if where else ''}{first['msg']}.",
            "It was damaged, or written by another version of MedSR.",
            "Fetch the model again.",
        ) from error


@functools.lru_cache(maxsize=512)  # the window of Slicer asks for all cards whenever it shows anything
def _read(path: Path, state: tuple[int, ...]) -> ModelCard:
    """The card in a file of this state, by which a file that was written again is told from the one read before."""
    return ModelCard.model_validate_json(path.read_bytes())


def with_name(card: ModelCard, name: str) -> ModelCard:
    """The card under another name.

    Raises:
        OptionError: for a name that cannot be a file's everywhere.
    """
    check_name(name)
    return card.model_copy(update={"name": name})


def check_name(name: str) -> None:
    """Raise `OptionError` for a name of a model that cannot be a file's everywhere."""
    if not re.match(_NAME, name):
        raise OptionError(
            f"A model cannot be called '{name}'.",
            "",
            "Use letters, digits and . _ + - only, a letter or digit first.",
        )


def warnings_for(
    card: ModelCard,
    spacing: Sequence[float],
    scale: Sequence[float],
    modality: str | None = None,
) -> list[str]:
    """In which ways an input lies outside what the model saw in training; empty if it does not.

    Args:
        card: of the model.
        spacing: of the input, mm, x, y, z.
        scale: asked for, x, y, z.
        modality: of the input, if known.
    """
    found = []
    enlarged = [(h, f) for h, f in zip(spacing, scale, strict=True) if f > 1 + 1e-6]
    if card.spacing_mm is not None:
        low, high = card.spacing_mm
        outside = [h for h, _ in enlarged if not low / _SPACING_SLACK <= h <= high * _SPACING_SLACK]
        if outside:
            found.append(
                f"The input's spacing of {_listed(outside)} mm lies outside the {low:g} to {high:g} mm "
                f"that the model '{card.name}' was trained for."
            )
    wanted = [f for _, f in enlarged] or ([1.0] if card.target_modality else [])
    factors = [f for f in wanted if not card.scale_min / _SCALE_SLACK <= f <= card.scale_max * _SCALE_SLACK]
    if factors:
        found.append(
            f"The scale {_listed(factors)} lies outside the {card.scale_min:g} to {card.scale_max:g} "
            f"that the model '{card.name}' was trained for."
        )
    if enlarged and not _axes_fit(card, [f for _, f in enlarged]):
        trained = "all axes alike" if card.axes == "all" else "one axis alone"
        found.append(f"The model '{card.name}' was trained on volumes that are coarse along {trained}.")
    if modality and card.modalities and not card.covers(modality):
        found.append(f"The input is {modality}; the model '{card.name}' was trained on {', '.join(card.modalities)}.")
    return found


def _axes_fit(card: ModelCard, factors: Sequence[float]) -> bool:
    """Whether the axes that are enlarged, by these factors, are such as the model was trained on."""
    if card.axes == "one":
        return len(factors) == 1
    return card.axes == "any" or (len(factors) == 3 and max(factors) <= _ALIKE * min(factors))


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(set(values)))
