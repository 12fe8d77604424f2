"""Calls of PySide6 functions with what PythonQt would accept, and its words where it would not.

PythonQt takes no keyword arguments, makes a str of anything for a QString, truncates floats for an int, takes numpy
scalars, and takes a plain int for an enum. A str for a number is a ValueError.
"""

from __future__ import annotations

import enum
import inspect
import itertools
import types
import typing
from typing import Any

import numpy as np
from shibokensupport.signature import get_signature


def refuse_names(told: str, function: Any, named: dict[str, Any]) -> None:
    if named:
        overloads = _overloads(function)
        shown = _slot(told, overloads[-1]) if overloads else told
        raise ValueError(f"Called {shown} with keyword arguments, but called slot does not support kwargs.")


def call(told: str, function: Any, values: list[Any]) -> Any:
    """Call a PySide6 function; `told` names it in errors.

    Raises:
        ValueError: with PythonQt's words, if the arguments fit no overload.
    """
    if not _of_pyside(function):
        return function(*values)
    if not any(value is None or isinstance(value, float | np.generic) for value in values):
        try:
            return function(*values)
        except (TypeError, ValueError) as error:
            if not _is_mismatch(error):
                raise
    overloads = _overloads(function)
    for overload, loosely in itertools.product(overloads, (False, True)) if overloads else ():
        fitted = _fitted(overload, values, loosely or len(overloads) == 1)
        if fitted is not None:
            try:
                return function(*fitted)
            except (TypeError, ValueError) as error:
                if not _is_mismatch(error):
                    raise
    if not overloads:
        return function(*values)
    raise ValueError(_mismatch(told, overloads, values))


def _is_mismatch(error: Exception) -> bool:
    return any(words in str(error) for words in ("wrong argument", "not enough arguments", "interpreted as an integer"))


def _mismatch(told: str, overloads: list[inspect.Signature], values: list[Any]) -> str:
    shown = f"({', '.join(map(repr, values))}{',' * (len(values) == 1)})"
    if len(overloads) == 1:
        return f"Called {_slot(told, overloads[0])} with wrong arguments: {shown}"
    slots = "\n".join(_slot(told, overload) for overload in overloads)
    return (
        f"Could not find matching overload for given arguments:\n{shown}\n The following slots are available:\n{slots}"
    )


def _of_pyside(function: Any) -> bool:
    plain = (types.FunctionType, types.MethodType)
    if isinstance(function, type):
        return not isinstance(function.__dict__.get("__init__"), plain)
    return not isinstance(function, plain)


def _overloads(function: Any) -> list[inspect.Signature]:
    """The signatures of a PySide6 function; a bound method may have them on a class that its own derives from."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    bases = () if owner is None or inspect.ismodule(owner) else type(owner).__mro__
    for candidate in (function, *(base.__dict__[name] for base in bases if name in base.__dict__)):
        try:
            found = get_signature(candidate)
        except (TypeError, ValueError, AttributeError, KeyError, RuntimeError):
            continue
        if found:
            return found if isinstance(found, list) else [found]
    return []


def _fitted(overload: inspect.Signature, values: list[Any], loosely: bool) -> list[Any] | None:
    """The arguments for an overload, or None; loosely: anything is made a text where one is wanted."""
    wanted = [p for p in overload.parameters.values() if p.name != "self" and p.kind is not p.KEYWORD_ONLY]
    if len(values) > len(wanted) or any(p.default is p.empty for p in wanted[len(values) :]):
        return None
    kinds = [p.annotation for p in wanted[: len(values)]]
    if not loosely and any(_wanted(k) is str and not isinstance(v, str) for k, v in zip(kinds, values, strict=True)):
        return None
    try:
        return [converted(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (TypeError, ValueError):
        return None


def converted(kind: Any, value: Any) -> Any:
    """A value as PythonQt would hand it to an argument or property of a kind."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        wanted = _wanted(kind)
        return None if value is None and wanted is not str else converted(wanted, value)
    if kind is str:
        return value if isinstance(value, str) else str(value)
    if kind in (int, float, bool):
        if isinstance(value, str | bytes) or (value is None and kind is not bool):
            raise ValueError(value)
        return kind(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and not isinstance(value, enum.Enum):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(value)
        return kind(value)
    of_qt = isinstance(kind, type) and kind.__module__.startswith("PySide6")
    if of_qt and value is not None and not isinstance(value, kind):
        raise ValueError(value)
    return value.item() if isinstance(value, np.generic) else value


def _wanted(kind: Any) -> Any:
    """A kind without its None."""
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    return parts[0] if parts and typing.get_origin(kind) in (typing.Union, types.UnionType) else kind


def _slot(told: str, overload: inspect.Signature) -> str:
    names = {str: "QString", float: "double"}
    parts = []
    for part in overload.parameters.values():
        if part.name != "self" and part.kind is not part.KEYWORD_ONLY:
            wanted = _wanted(part.annotation)
            kind = names.get(wanted, getattr(wanted, "__name__", str(wanted)))
            parts.append(f"{kind} {part.name}".removesuffix(" arg__1"))
    returned = overload.return_annotation
    returned = told if told[0].isupper() else returned
    back = "void" if returned in (None, type(None), inspect.Signature.empty) else getattr(returned, "__name__", "")
    return f"{told}({', '.join(parts)}) -> {back or returned}"
