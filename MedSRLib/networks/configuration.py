"""What the configurations of all networks share: made of a card's dictionary and turned into one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeVar

from MedSRLib.errors import ModelError

Config = TypeVar("Config", bound="NetworkConfig")


@dataclass(frozen=True)
class NetworkConfig:
    """The settings of a network; every default is the paper's.

    Attributes:
        title: the network's name in messages.
        citation: what a model of this network asks to cite.
        choices: allowed values of the settings that have a list of them.
    """

    title: ClassVar[str] = "network"
    citation: ClassVar[str] = ""
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def __post_init__(self) -> None:
        for name, allowed in self.choices.items():
            if getattr(self, name) not in allowed:
                raise ModelError(
                    f"The {self.title} setting {name} = {getattr(self, name)!r} does not exist.",
                    "",
                    f"Use one of: {', '.join(map(str, allowed))}.",
                )

    @classmethod
    def of(cls: type[Config], architecture: dict[str, Any]) -> Config:
        """From a card's or a recipe's dictionary; lists become tuples.

        Raises:
            ModelError: for a setting this class does not know, or a value it refuses.
        """
        unknown = sorted(set(architecture) - set(cls.__dataclass_fields__))
        if unknown:
            raise ModelError(
                f"The architecture has settings that {cls.title} does not know: {', '.join(unknown)}.",
                "The model was made for another method or by a newer version.",
                "Choose a model whose card names this method, or update MedSR.",
            )
        return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in architecture.items()})

    def asdict(self) -> dict[str, Any]:
        """All settings, for a card."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
