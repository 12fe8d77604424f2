"""The options of methods as windows and programs see them."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from MedSRLib.methods import options, registry
from MedSRLib.methods.contract import MethodOptions
from MedSRLib.methods.options import Option


class Base(MethodOptions):
    """Options of many.

    Attributes:
        steps: how many.
            More take longer.
        low, high: limits of `something`.

    A closing remark.
    """

    steps: int = Field(default=3, ge=1, le=9)
    low: float = 0.5
    high: float | None = Field(default=None, gt=0)


class Own(Base):
    """Options of one.

    Attributes:
        kind: which of the two.
    """

    kind: Literal["a", "b"] = "a"
    noise: Literal["auto"] | float = "auto"
    keep: bool = True
    sizes: tuple[int, int] = (1, 2)


def test_every_kind_of_field_is_described() -> None:
    assert options.of_class(Own) == (
        Option("steps", "integer", 3, "How many. More take longer.", minimum=1, maximum=9),
        Option("low", "number", 0.5, "Limits of something."),
        Option("high", "number", None, "Limits of something.", minimum=0, positive=True, optional=True),
        Option("kind", "choice", "a", "Which of the two.", choices=("a", "b")),
        Option("noise", "number", "auto", optional=True, otherwise="auto"),
        Option("keep", "switch", True),
        Option("sizes", "text", (1, 2)),
    )


@pytest.mark.parametrize("identifier", registry.identifiers())
def test_every_option_says_what_it_does_and_its_default_is_accepted(identifier: str) -> None:
    known = options.of_method(identifier)
    assert all(option.description for option in known), [option.name for option in known if not option.description]
    registry.create(identifier, {option.name: option.default for option in known})
    for option in known:
        for choice in option.choices:
            registry.create(identifier, {option.name: choice})


def test_self_training_tells_presets_and_limits() -> None:
    known = {option.name: option for option in options.of_method("self-training")}
    assert known["preset"].choices == ("quick", "full") and "minutes" in known["preset"].description
    assert known["thickness_mm"].optional and known["thickness_mm"].positive and known["thickness_mm"].otherwise is None
