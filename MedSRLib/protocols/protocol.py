"""What a benchmark compares, as data: volumes, degradations, scales, methods.

    [protocol]       name, description, scales, seed, baselines (labels of methods to gain over)
    [[volumes]]      label and which volumes of the manifest: role, modality, dataset, organ
    [[degradation]]  name, kind (see `acquisition.KINDS`), noise (Rician, fraction of the 99th percentile)
    [[method]]       label, identifier, model, options

The option value "as degraded" stands for the kind of the degradation at hand: a method that models the
acquisition is told the true one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from MedSRLib._optional import require
from MedSRLib.errors import InputError, OptionError

AS_DEGRADED = "as degraded"

Factor = Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)]
Scale = Factor | tuple[Factor, Factor, Factor]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Strict):
    """The protocol's name and what holds for all of it.

    Attributes:
        scales: each one factor for all axes, or three along x, y, z.
        seed: of the noise, together with each volume's checksum.
        baselines: labels of the methods that others are compared with, the plainest first.
    """

    name: str = Field(min_length=1)
    description: str = ""
    scales: tuple[Scale, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    baselines: tuple[str, ...] = ()


class Volumes(_Strict):
    """A group of volumes that is averaged over; a criterion left out selects all."""

    label: str = Field(min_length=1)
    role: str | None = None
    modality: str | None = None
    dataset: str | list[str] | None = None
    organ: str | None = None


class Degradation(_Strict):
    """How references are made coarse."""

    name: str = Field(min_length=1)
    kind: str
    noise: float = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)


class CompetingMethod(_Strict):
    """A method with its options and model; without a model, the library's default for the modality.

    A model is one name, or a table of one name for each degradation: a learned method is told the acquisition by the
    choice of its model, as back-projection is by its option.
    """

    label: str = Field(min_length=1)
    identifier: str
    model: str | dict[str, str] | None = None
    options: dict[str, Any] = {}

    def options_for(self, degradation: Degradation) -> dict[str, Any]:
        """The options with "as degraded" replaced by the kind of the degradation."""
        return {k: degradation.kind if v == AS_DEGRADED else v for k, v in self.options.items()}

    def model_for(self, degradation: Degradation) -> str | None:
        """The name of the model for a degradation, None for the library's default."""
        return self.model.get(degradation.name) if isinstance(self.model, dict) else self.model


class Protocol(_Strict):
    """A whole benchmark."""

    protocol: Header
    volumes: tuple[Volumes, ...] = Field(min_length=1)
    degradation: tuple[Degradation, ...] = Field(min_length=1)
    method: tuple[CompetingMethod, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_clear(self) -> Protocol:
        for what, names in (
            ("volumes label", [v.label for v in self.volumes]),
            ("degradation name", [d.name for d in self.degradation]),
            ("method label", [m.label for m in self.method]),
            ("scale", [scale_text(s) for s in self.protocol.scales]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the {what} '{twice}' is used twice")
        known = {d.name for d in self.degradation}
        for method in self.method:
            if isinstance(method.model, dict) and set(method.model) != known:
                raise ValueError(f"the models of '{method.label}' are not those of {', '.join(sorted(known))}")
        if any(scale_text(s) in ("1", "1,1,1") for s in self.protocol.scales):
            raise ValueError("a scale of 1 leaves nothing to do")
        missing = set(self.protocol.baselines) - {m.label for m in self.method}
        if missing:
            raise ValueError(f"the baseline '{min(missing)}' is not the label of a method")
        return self


def scale_text(scale: float | Sequence[float]) -> str:
    """A scale for people and file names: "2.5" or "1,1,4"."""
    return ",".join(f"{s:g}" for s in scale) if isinstance(scale, Sequence) else f"{scale:g}"


def load(path: str | Path) -> Protocol:
    """The protocol in a TOML file.

    Raises:
        InputError: if the file cannot be read or is not TOML.
        OptionError: for an unknown key, an impossible value, or a degradation or method that does not exist.
    """
    toml = require("tomllib" if sys.version_info >= (3, 11) else "tomli", "evaluation")
    try:
        content = toml.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The protocol '{path}' cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"The protocol '{path}' is not valid TOML.", f"{error}.") from error
    try:
        protocol = Protocol.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        raise OptionError(
            f"The protocol '{Path(path).name}' cannot be used: {where + ': ' if where else ''}{message}."
        ) from error
    _check_names(protocol)
    return protocol


def _check_names(protocol: Protocol) -> None:
    """Let acquisition and registry refuse what they do not know, before hours of work."""
    from MedSRLib.acquisition import degrading
    from MedSRLib.methods import registry

    for degradation in protocol.degradation:
        degrading.check_kind(degradation.kind)
    for method in protocol.method:
        for degradation in protocol.degradation:
            registry.create(method.identifier, method.options_for(degradation))
