"""Annotations of `slicer.parameterNodeWrapper`: validators, defaults, and how a spin box shows a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Validator:
    """Refuses values."""

    def validate(self, value: Any) -> None:
        """Raise ValueError for a wrong value."""
        raise NotImplementedError


@dataclass(frozen=True)
class WithinRange(Validator):
    """The value must lie in [minimum, maximum]."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], got {value}")


@dataclass(frozen=True)
class Minimum(Validator):
    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be greater than or equal to {self.minimum}, got {value}")


@dataclass(frozen=True)
class Maximum(Validator):
    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be less than or equal to {self.maximum}, got {value}")


@dataclass(frozen=True)
class Choice(Validator):
    choices: Any

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, got {value}")


class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclass(frozen=True)
class Default:
    value: Any


@dataclass(frozen=True)
class Decimals:
    value: int


@dataclass(frozen=True)
class SingleStep:
    value: float


ANNOTATIONS = (WithinRange, Minimum, Maximum, Choice, NotNone, Default, Decimals, SingleStep)
