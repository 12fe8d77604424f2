"""Recipes: training configurations as data (TOML or JSON), checked before anything starts.

A recipe names the method, its architecture, which volumes are taken, how pairs are made from them, and how the
weights are moved. Unknown keys are refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator

from MedSRLib._optional import require
from MedSRLib.acquisition.matrices import CORNER_ALIGNED, DROP, KINDS
from MedSRLib.errors import OptionError
from MedSRLib.training.learners import LEARNERS

_USED_OF_SLICES = {"kind", "patch", "in_plane_mm", "batch", "augment", "gain", "offset"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRecipe(_Section):
    """Which volumes of the manifest, and how their intensities are normalised.

    ``validation_subjects`` are held out: these, or so many of those that fit. ``guide`` and ``target`` are modalities
    of the same subject and data set (see `companions`): of several guides a network is shown one at a time, or each in
    a channel of its own (``architecture.guides``), never the volume itself; subjects that lack them are left out.
    ``register_others`` moves them to the volume first. With ``unpaired``, volumes of either modality that lack the
    other are learned from, too, by the methods that can.
    """

    role: str | None = "train"
    modality: str | list[str] | None = None
    organ: str | None = None
    guide: str | list[str] | None = None
    target: str = ""
    register_others: bool = False
    unpaired: bool = False
    exclude_datasets: list[str] = []
    exclude_subjects: list[str] = []
    validation_subjects: list[str] | NonNegativeInt = []
    normalisation: Literal["min-max", "percentile", "z-score", "foreground", "none"] = "min-max"


class Degradation(_Section):
    """One way low-resolution patches are made, chosen with probability proportional to ``weight``.

    ``noise`` is the largest standard deviation of Rician noise, in normalised intensity, drawn uniformly from 0;
    ``thickness`` the range of the point spread's width in acquired voxels (kinds with a profile).
    """

    kind: str = "spline"
    weight: float = Field(default=1.0, gt=0)
    noise: float = Field(default=0.0, ge=0, le=1)
    thickness: tuple[float, float] = (1.0, 1.0)

    @model_validator(mode="after")
    def _known(self) -> Degradation:
        known = [kind for kind in KINDS if kind != DROP]  # patches are cut with the field of view kept
        if self.kind not in known:
            raise ValueError(f"there is no degradation '{self.kind}'; use one of {', '.join(known)}")
        return self


class Sampling(_Section):
    """How patches and queries are drawn.

    ``kind="paper"``: fixed random crops of ``crop`` voxels, ``crops_per_subject`` of each volume, at least
    ``margin`` voxels from every face; each access draws one scale per patch, takes the first ``int(patch·k)``
    voxels and ``queries`` random voxels of them (ArSSR, §4.1.1 and the released code).

    ``kind="product"`` (ours): patches anywhere in the foreground; one scale vector a batch; queries are the
    product of ``queries`` random planes per axis, at least ``context`` input voxels from the patch's border, so
    that features are interpolated by three matrix products.

    ``dimensions=2`` (with "product"): patches are slices, across any axis or only across k (``slices``).
    ``axes="one"``: only the first axis of a patch is coarse (k of a volume, j of a slice), as in thick slices.

    ``kind="slices"``: ``patch`` by ``patch`` pixels of neighbouring slices of thick-slice volumes, for networks that
    mix slices; ``in_plane_mm`` is the spacing that slices are resampled to before (0: their own). Of the rest, only
    ``batch``, ``augment``, ``gain`` and ``offset`` may be given.
    """

    kind: Literal["paper", "product", "slices"] = "product"
    patch: int = Field(default=20, ge=4)
    context: int = Field(default=2, ge=0)
    batch: int = Field(default=8, ge=1)
    queries: int = Field(default=24, ge=1)
    scale_min: float = Field(default=2.0, ge=1)
    scale_max: float = Field(default=4.0, ge=1)
    scale_step: float = Field(default=0.0, ge=0)
    anisotropic: float = Field(default=0.0, ge=0, le=1)
    dimensions: Literal[2, 3] = 3
    axes: Literal["all", "one"] = "all"
    slices: Literal["any", "k"] = "any"
    in_plane_mm: float = Field(default=0.0, ge=0)
    augment: bool = True
    gain: float = Field(default=0.0, ge=0, lt=1)
    offset: float = Field(default=0.0, ge=0)
    crop: int = 40
    crops_per_subject: int = 6
    margin: int = 40


class Guidance(_Section):
    """How the guides of guided networks (`data.guide`) differ from what they would be at best.

    ``dropout``: share of batches without a guide, which the unguided branch learns from; of several guides at once each
    is left out by itself. ``shift`` along each axis in voxels (of the finest axis) and ``rotation`` in degrees about a
    random axis: largest displacement. ``contrast``: largest share of a random curve in a guide's intensities, for half
    of the patches. ``gain``, ``offset``, ``noise``: largest, in normalised intensity. ``lesions``: share of the images,
    and as large a share of the guides, into which lesions are drawn that the other does not show (`lesions`).
    """

    dropout: float = Field(default=0.0, ge=0, lt=1)
    shift: float = Field(default=0.0, ge=0)
    rotation: float = Field(default=0.0, ge=0, le=45)
    contrast: float = Field(default=0.0, ge=0, le=1)
    gain: float = Field(default=0.0, ge=0, lt=1)
    offset: float = Field(default=0.0, ge=0)
    noise: float = Field(default=0.0, ge=0, le=1)
    lesions: float = Field(default=0.0, ge=0, le=1)


class Optimisation(_Section):
    """Adam, its schedule and its length.

    The length is ``steps``, or ``epochs`` of one pass over the paper's fixed patches. ``schedule="halving"``
    halves the rate every ``halve_every`` epochs; "cosine" falls to a hundredth over the whole run.
    ``semantic_weight`` (with sampling.kind = "slices"): of the error of slices made of their neighbours' codes.
    """

    loss: Literal["l1", "mse"] = "l1"
    rate: float = Field(default=1e-4, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: Literal["constant", "halving", "cosine"] = "constant"
    halve_every: int = Field(default=200, ge=1)
    warm_up: int = Field(default=0, ge=0)
    clip: float = Field(default=0.0, ge=0)
    semantic_weight: float = Field(default=1.0, ge=0)
    steps: int = Field(default=0, ge=0)
    epochs: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_length(self) -> Optimisation:
        if (self.steps > 0) == (self.epochs > 0):
            raise ValueError("give either steps or epochs")
        return self


class Recipe(_Section):
    """A whole training configuration.

    ``start_from`` is the name or path of a model with the same architecture whose weights are refined; by default
    training starts from random weights. ``licence`` is that of the weights; by default the data's licences are listed.
    ``optimisation`` is for networks; ``learning`` for methods that learn otherwise (`learners`), with keys of theirs.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    method: str
    description: str = ""
    seed: int = 0
    start_from: str = ""
    licence: str = ""
    architecture: dict[str, Any] = {}
    data: DataRecipe = DataRecipe()
    sampling: Sampling = Sampling()
    degradation: list[Degradation] = [Degradation()]
    guidance: Guidance = Guidance()
    optimisation: Optimisation | None = None
    learning: dict[str, Any] = {}
    checkpoint_every: int = Field(default=200, ge=1)
    validate_every: int = Field(default=1000, ge=1)
    storage: Literal["float32", "float16"] = "float32"

    @property
    def descent(self) -> Optimisation:
        """The optimisation of a network's recipe."""
        if self.optimisation is None:
            raise ValueError(f"the method '{self.method}' is not trained by gradient descent")
        return self.optimisation

    @model_validator(mode="after")
    def _descends_or_learns(self) -> Recipe:
        if self.method not in LEARNERS:
            if self.learning:
                raise ValueError(f"the network of '{self.method}' has no section [learning]; use [optimisation]")
            if self.optimisation is None:
                raise ValueError(f"the network of '{self.method}' needs a section [optimisation]")
        elif self.optimisation is not None:
            raise ValueError(f"'{self.method}' is not trained by gradient descent; use [learning], not [optimisation]")
        elif self.start_from:
            raise ValueError(f"'{self.method}' refines no model: leave start_from out")
        return self

    @model_validator(mode="after")
    def _slices_or_patches(self) -> Recipe:
        s, weight = self.sampling, self.optimisation.semantic_weight if self.optimisation else 1.0
        if s.kind != "slices":
            if s.in_plane_mm or weight != Optimisation.model_fields["semantic_weight"].default:
                raise ValueError("in_plane_mm and semantic_weight need sampling.kind = 'slices'")
            return self
        fields = Sampling.model_fields
        unused = sorted(n for n in set(fields) - _USED_OF_SLICES if getattr(s, n) != fields[n].default)
        if unused:
            raise ValueError(f"sampling.kind = 'slices' makes no use of {', '.join(unused)}")
        if self.degradation != [Degradation()]:
            raise ValueError("sampling.kind = 'slices' degrades nothing: its slices are what they are")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.optimisation and self.optimisation.epochs and self.sampling.kind != "paper":
            raise ValueError("epochs are those of fixed patches; with sampling.kind = 'product' give steps")
        if self.sampling.kind == "paper" and any(d.kind not in CORNER_ALIGNED for d in self.degradation):
            raise ValueError(f"sampling.kind = 'paper' degrades by one of {', '.join(CORNER_ALIGNED)}")
        if self.sampling.kind == "paper" and self.architecture.get("cell"):
            raise ValueError("architecture.cell needs sampling.kind = 'product': single points have no step")
        if self.sampling.kind == "paper" and (self.sampling.dimensions, self.sampling.axes) != (3, "all"):
            raise ValueError("sampling.kind = 'paper' has 3D patches that are coarse along all axes")
        if self.sampling.axes == "one" and self.sampling.anisotropic:
            raise ValueError("sampling.axes = 'one' leaves nothing to sampling.anisotropic")
        if self.sampling.scale_max < self.sampling.scale_min:
            raise ValueError("sampling.scale_max is below scale_min")
        if 2 * self.sampling.context >= self.sampling.patch - 1:
            raise ValueError("sampling.context leaves nothing of the patch")
        return self


def load(path: Path) -> Recipe:
    """Read a recipe: JSON where the name ends in .json, else TOML.

    Raises:
        OptionError: if the file is missing, is no TOML or JSON, or has a key or value that cannot be used.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"The recipe '{path}' cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"The recipe '{path}' is not a text file.") from error
    return from_data(_parsed(content, path), f"The recipe '{path}'")


def from_data(data: Any, called: str = "The recipe") -> Recipe:
    """The recipe that plain data describe.

    Raises:
        OptionError: for a key or value that cannot be used; it begins with what the recipe is ``called``.
    """
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise OptionError(
            f"{called} cannot be used: {where + ': ' if where else ''}{reason}.",
            "",
            "See Resources/Recipes for recipes that work.",
        ) from error


def shipped() -> dict[str, Path]:
    """The recipes that come with MedSR, by name."""
    in_wheel = Path(__file__).parents[1] / "Resources" / "Recipes"
    folder = in_wheel if in_wheel.is_dir() else Path(__file__).parents[2] / "Resources" / "Recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _parsed(content: str, path: Path) -> Any:
    if path.suffix.lower() == ".json":
        try:
            return json.loads(content)
        except ValueError as error:
            raise OptionError(f"The recipe '{path}' is not valid JSON: {error}.") from error
    toml = _toml()
    try:
        return toml.loads(content)
    except toml.TOMLDecodeError as error:
        raise OptionError(f"The recipe '{path}' is not valid TOML: {error}.") from error


def _toml() -> Any:
    try:
        return require("tomllib", "train")
    except ImportError:  # Python 3.10
        return require("tomli", "train")
