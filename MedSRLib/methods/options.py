"""The options of a method as plain data, for windows and programs: kinds, limits, defaults, a sentence for each.

They are read from the class `Options` of the method: fields and limits from its schema, sentences from the part
"Attributes:" of its docstring.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from MedSRLib.methods import registry
from MedSRLib.methods.contract import MethodOptions

KINDS = ("switch", "choice", "integer", "number", "text")
_NUMBERS = ("integer", "number")
_FIELD = re.compile(r"^(?: {4})?(\w+(?:, \w+)*): (.*)$")


@dataclass(frozen=True)
class Option:
    """What may be known of one option.

    Attributes:
        name: as the command line takes it.
        kind: one of `KINDS`.
        default: the value if nothing is said.
        description: what it does; empty if the method does not tell.
        choices: the values of a choice.
        minimum, maximum: of a number; None if there is no limit.
        positive: whether a number must be above its minimum, not only as large.
        optional: whether a number may be left open; ``otherwise`` is then the value in its place (None, "auto").
    """

    name: str
    kind: str
    default: Any
    description: str = ""
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    positive: bool = False
    optional: bool = False
    otherwise: Any = None


def of_method(identifier: str) -> tuple[Option, ...]:
    """The options of a method, in the order in which its class lists them.

    Raises:
        OptionError: for an unknown method.
    """
    return of_class(registry.get(identifier).Options)


@functools.cache  # windows ask again and again
def of_class(options: type[MethodOptions]) -> tuple[Option, ...]:
    """The options that a class describes."""
    schema, told = options.model_json_schema(), sentences(options)
    fields = options.model_fields
    return tuple(
        _option(name, part, field.get_default(call_default_factory=True), told.get(name, ""))
        for (name, field), part in zip(fields.items(), schema.get("properties", {}).values(), strict=True)
    )


def sentences(options: type[MethodOptions]) -> dict[str, str]:
    """What the docstrings of a class and of those it derives from say of each field."""
    found: dict[str, str] = {}
    for cls in reversed(options.__mro__):
        if issubclass(cls, MethodOptions):
            found |= _attributes(inspect.cleandoc(cls.__doc__ or ""))
    return found


def _attributes(docstring: str) -> dict[str, str]:
    """Name and text of each entry below "Attributes:"; a line that is further in belongs to the entry above it."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        start = _FIELD.match(line)
        if start is not None:
            names = start[1].split(", ")
            found |= dict.fromkeys(names, start[2].strip())
        elif not line.strip():
            break
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return {name: _sentence(text) for name, text in found.items()}


def _sentence(text: str) -> str:
    """For people: without the marks of code, with a capital letter and a full stop."""
    plain = text.replace("`", "").strip()
    return f"{plain[:1].upper()}{plain[1:]}" + ("" if plain.endswith(".") else ".")


def _option(name: str, part: Mapping[str, Any], default: Any, description: str) -> Option:
    forms = part.get("anyOf", [part])
    numbers = [form for form in forms if form.get("type") in _NUMBERS]
    others = [form for form in forms if form not in numbers]
    if part.get("type") == "boolean":
        return Option(name, "switch", default, description)
    if len(numbers) == 1 and all(len(_values(form)) == 1 for form in others) and len(others) <= 1:
        return _number(name, {**part, **numbers[0]}, [_values(form)[0] for form in others], default, description)
    values = [_values(form) for form in forms]
    if all(values):
        return Option(name, "choice", default, description, choices=tuple(value for each in values for value in each))
    return Option(name, "text", default, description)


def _number(name: str, form: Mapping[str, Any], instead: list[Any], default: Any, description: str) -> Option:
    above = form.get("exclusiveMinimum")
    return Option(
        name,
        form["type"],
        default,
        description,
        minimum=form.get("minimum") if above is None else above,
        maximum=form.get("maximum", form.get("exclusiveMaximum")),
        positive=above is not None,
        optional=bool(instead),
        otherwise=instead[0] if instead else None,
    )


def _values(form: Mapping[str, Any]) -> list[Any]:
    """The values that a form of a field lists; none if it lists none."""
    if form.get("type") == "null":
        return [None]
    return [form["const"]] if "const" in form else list(form.get("enum", ()))
