"""Learning that is no gradient descent: dictionaries and filters, by alternating steps in closed form.

A method of this kind has a `Learner` in `LEARNERS`, which turns volumes into the buffers of its network. The engine
does the rest as it does for networks: recipe, split, folder, card, resuming. What a recipe says of a learner stands
in its section [learning], whose keys are the fields of the learner's ``Settings``.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from MedSRLib.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from MedSRLib.progress import Progress
    from MedSRLib.training.frames import Frame
    from MedSRLib.training.keeping import Keeper
    from MedSRLib.training.recipe import Recipe

LEARNERS: dict[str, str] = {
    "scsr": "MedSRLib.training.joint_dictionary:JointLearner",
    "zeyde": "MedSRLib.training.dictionaries:DictionaryLearner",
    "ne-lle": "MedSRLib.training.dictionaries:DictionaryLearner",
    "gr": "MedSRLib.training.dictionaries:DictionaryLearner",
    "anr": "MedSRLib.training.dictionaries:DictionaryLearner",
    "a-plus": "MedSRLib.training.dictionaries:APlusLearner",
    "csc-sr": "MedSRLib.training.convolutional:CSCSRLearner",
    "weenie": "MedSRLib.training.weenie:WeenieLearner",
}
"""Module and class of the learner by the identifier of its method."""


class LearnerSettings(BaseModel):
    """The section [learning] of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Learned:
    """What a training, of either kind, has found.

    Attributes:
        architecture: rebuilds the network (`networks.catalogue.build`).
        citation: what a model of this network asks to cite.
        tensors: of the network's state dictionary.
        card: what the card says of scales, spacing, axes and degradation.
        measured: figures of the training for the card's metrics.
    """

    architecture: dict[str, Any]
    citation: str
    tensors: dict[str, Tensor]
    card: dict[str, Any]
    measured: dict[str, Any]

    @classmethod
    def of(cls, network: nn.Module, card: dict[str, Any], measured: dict[str, Any]) -> Learned:
        """From a network of the catalogue that holds what was learned."""
        told: Any = network
        return cls(told.architecture(), told.citation, network.state_dict(), card, measured)


class Learner(ABC):
    """Learns the buffers of a method's network from volumes. It keeps no state: everything is passed in."""

    Settings: ClassVar[type[LearnerSettings]] = LearnerSettings
    refines_all_axes: ClassVar[bool] = True
    """Whether the volumes are the truth along all axes, so that thick slices spoil the training."""

    @classmethod
    def settings(cls, recipe: Recipe) -> Any:
        """The recipe's [learning] as ``Settings``.

        Raises:
            OptionError: for a key or value that cannot be used.
        """
        try:
            return cls.Settings.model_validate(recipe.learning)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in ("learning", *first["loc"]))
            reason = first["msg"].removeprefix("Value error, ")
            raise OptionError(
                f"The recipe '{recipe.name}' cannot be used: {name}: {reason}.",
                "",
                f"The settings of '{recipe.method}' are: {', '.join(cls.Settings.model_fields) or 'none'}.",
            ) from error

    def check(self, recipe: Recipe) -> None:
        """Refuse a recipe that cannot be learned from, before a folder is made.

        Raises:
            OptionError: for settings that cannot be used, alone or together.
        """
        self.settings(recipe)

    @abstractmethod
    def holds(self, size: Sequence[int], spacing: Sequence[float], recipe: Recipe) -> bool:
        """Whether a volume of so many voxels and such a spacing, x, y, z, can be learned from."""

    @abstractmethod
    def needs(self, recipe: Recipe) -> str:
        """What a volume must have to be learned from, in words: "20 voxels along every axis"."""

    @abstractmethod
    def steps(self, recipe: Recipe) -> int:
        """Outer iterations of the whole learning."""

    @abstractmethod
    def trial(self, recipe: Recipe) -> tuple[Recipe, float]:
        """The recipe shortened to a few seconds, and how many times longer the whole takes."""

    @abstractmethod
    def learn(
        self,
        recipe: Recipe,
        train: list[Frame],
        validation: list[Frame],
        *,
        keeper: Keeper,
        device: str,
        progress: Progress,
    ) -> Learned:
        """Learn from some volumes.

        Args:
            recipe: the whole configuration.
            train: volumes to learn from.
            validation: volumes of other subjects, to measure on; may be empty.
            keeper: keeps the state after every outer iteration, gives it back to a run that goes on, and takes the
                figures that are measured.
            device: where to compute.
            progress: told the fraction done; may raise `Cancelled`.

        Raises:
            InputError: if no volume can be used.
        """


def learner_of(method: str) -> Learner | None:
    """The learner of a method; None for a method whose network is trained by gradient descent, or is not trained."""
    if method not in LEARNERS:
        return None
    module, name = LEARNERS[method].split(":")
    learner: Learner = getattr(importlib.import_module(module), name)()
    return learner
