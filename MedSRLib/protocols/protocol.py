"""What a benchmark compares, as data: volumes, degradations, scales, methods, measures. See docs/benchmarks.md.

    [protocol]       name, description, scales, seed, baselines (labels of methods to gain over), measures, tested,
                     rotations, mask, slices
    [[volumes]]      label; which volumes of the manifest (role, modality, dataset, organ); guide, target, frames, axis
    [[degradation]]  name, kind (see `acquisition.KINDS`), noise (Rician, fraction of the 99th percentile), thickness
    [[method]]       label, identifier, model, options, ensemble, refine, optional

The option value "as degraded" stands for the kind of the degradation at hand: a method that models the
acquisition is told the true one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from MedSRLib._optional import require
from MedSRLib.errors import InputError, OptionError
from MedSRLib.protocols.scales import AxisName, Scale, SliceScale, factors, is_one, scale_text

AS_DEGRADED = "as degraded"
DROP = "drop"
"""The degradation after which only the slices that were taken away are measured."""

Angle = Annotated[float, Field(ge=0, lt=360, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Strict):
    """The protocol's name and what holds for all of it.

    Attributes:
        scales: each one factor for all axes, three along x, y, z, or ``{ in-plane = 2 }``,
            ``{ through-plane = 2 }`` or both.
        seed: of the noise, together with each volume's checksum.
        baselines: labels of the methods that others are compared with, the plainest first.
        measures: names and sets of `evaluation.measures`, a column each.
        tested: the measures that get a gain over the baselines and a p-value; those of PSNR and SSIM that are
            measured if not given.
        rotations: degrees in the plane of the slices, each measured after turning back.
        mask: what the masked numbers count: the patient without the air, or the brain (the manifest's ``mask``, or
            the whole of a volume that it calls ``skull_stripped``).
        slices: which slices 2D measures are the mean over: those of all three orientations as in ArSSR, or the
            volume's own.
    """

    name: str = Field(min_length=1)
    description: str = ""
    scales: tuple[Scale, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    baselines: tuple[str, ...] = ()
    measures: tuple[str, ...] = Field(default=("core",), min_length=1)
    tested: tuple[str, ...] | None = None
    rotations: tuple[Angle, ...] = Field(default=(0.0,), min_length=1)
    mask: Literal["foreground", "brain"] = "foreground"
    slices: Literal["three orientations", "in-plane"] = "three orientations"


class Volumes(_Strict):
    """A group of volumes that is averaged over; a criterion left out selects all.

    Attributes:
        guide: modality of the same subject's volume that methods are given as a guide.
        target: modality of the same subject's volume that is the truth, for synthesis; results are brought to its
            brightness and contrast by a straight line before they are measured, as their units are arbitrary.
        frames: how many frames of a 4D volume are used, spread evenly; all if not given.
        axis: image axis through the slices; found by the spacing if not given.
    """

    label: str = Field(min_length=1)
    role: str | None = None
    modality: str | list[str] | None = None
    dataset: str | list[str] | None = None
    organ: str | None = None
    guide: str | list[str] | None = None
    target: str | list[str] | None = None
    frames: int | None = Field(default=None, ge=1)
    axis: AxisName | None = None


class Degradation(_Strict):
    """How references are made coarse; ``thickness`` in mm is for the kind "slice-profile"."""

    name: str = Field(min_length=1)
    kind: str
    noise: float = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)
    thickness: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class CompetingMethod(_Strict):
    """A method with its options and model; without a model, the library's default for the modality.

    A model is one name, or a table of one name for each degradation, or for each scale as `scale_text` writes it: a
    learned method is told the acquisition by the choice of its model, as back-projection is by its option. An optional
    method is left out, with a warning, as long as the method or its model does not exist. ``ensemble`` averages it over
    turned copies (`inference.ensemble`); ``refine`` makes it consistent with the input, taken to be acquired as the
    physical model has it (`inference.refinement`). ``guide = false`` keeps the group's guide from a guided method: what
    it can do alone.
    """

    label: str = Field(min_length=1)
    identifier: str
    model: str | dict[str, str] | None = None
    options: dict[str, Any] = {}
    ensemble: Literal["flips", "flips-and-rotations"] | None = None
    refine: bool = False
    guide: bool = True
    optional: bool = False

    def options_for(self, degradation: Degradation) -> dict[str, Any]:
        """The options with "as degraded" replaced by the kind of the degradation."""
        return {k: degradation.kind if v == AS_DEGRADED else v for k, v in self.options.items()}

    def model_for(self, degradation: Degradation, scale: Scale) -> str | None:
        """The name of the model for a degradation and a scale, None for the library's default."""
        if isinstance(self.model, dict):
            return self.model.get(degradation.name) or self.model.get(scale_text(scale))
        return self.model


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
            ("rotation", [f"{angle:g}" for angle in self.protocol.rotations]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the {what} '{twice}' is used twice")
        known = [{d.name for d in self.degradation}, {scale_text(s) for s in self.protocol.scales}]
        for method in self.method:
            if isinstance(method.model, dict) and set(method.model) not in known:
                told = " or of ".join(", ".join(sorted(names)) for names in known)
                raise ValueError(f"the models of '{method.label}' are not those of {told}")
        missing = set(self.protocol.baselines) - {m.label for m in self.method}
        if missing:
            raise ValueError(f"the baseline '{min(missing)}' is not the label of a method")
        return self

    @model_validator(mode="after")
    def _scales_can_be_measured(self) -> Protocol:
        scales, slices = self.protocol.scales, any(d.kind == DROP for d in self.degradation)
        if any(is_one(s) for s in scales) and not all(v.target for v in self.volumes):
            raise ValueError("a scale of 1 leaves nothing to do")
        for scale in scales:
            coarser = [f for f in factors(scale, 2) if f > 1]
            if slices and not (len(coarser) == 1 and coarser[0].is_integer()):
                raise ValueError(
                    f"the degradation 'drop' takes whole slices away, along one axis: a scale of {scale_text(scale)} "
                    "cannot be measured; use such as { through-plane = 2 }"
                )
            through = isinstance(scale, SliceScale) and scale.through_plane > 1
            if slices and any(self.protocol.rotations) and not through:
                raise ValueError("with rotations, the degradation 'drop' needs scales { through-plane = ... }")
        return self


def load(path: str | Path) -> Protocol:
    """The protocol in a TOML file.

    Raises:
        InputError: if the file cannot be read or is not TOML.
        OptionError: for an unknown key, an impossible value, or a degradation, measure or method that does not exist.
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
    """Let acquisition, measures and registry refuse what they do not know, before hours of work."""
    from MedSRLib.acquisition import degrading
    from MedSRLib.methods import registry
    from MedSRLib.protocols import columns

    columns.check(protocol)
    for degradation in protocol.degradation:
        degrading.check_kind(degradation.kind)
    for method in protocol.method:
        if method.optional and method.identifier not in registry.identifiers():
            continue
        for degradation in protocol.degradation:
            registry.create(method.identifier, method.options_for(degradation))
