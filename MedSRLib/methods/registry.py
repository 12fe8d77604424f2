"""Every method by its identifier: the built-in ones, and those of installed packages.

A package adds a method by an entry point of the group ``medsr.methods`` whose name is the identifier and
whose value is the class: ``my-method = "my_package.my_module:MyMethod"``. Two methods of one name are
refused; a plug-in that does not load is listed by `unavailable` with its reason and does not disturb the
others.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from MedSRLib.errors import OptionError
from MedSRLib.methods.contract import Method, MethodInfo

ENTRY_POINTS = "medsr.methods"

BUILTIN = {
    "nearest": "MedSRLib.methods.interpolation:Nearest",
    "linear": "MedSRLib.methods.interpolation:Linear",
    "cubic": "MedSRLib.methods.interpolation:Cubic",
    "bspline": "MedSRLib.methods.interpolation:BSpline",
    "lanczos": "MedSRLib.methods.interpolation:Lanczos",
    "back-projection": "MedSRLib.methods.back_projection:BackProjection",
    "arssr": "MedSRLib.methods.arssr:ArSSR",
    "edsr": "MedSRLib.methods.edsr:EDSR",
    "wdsr": "MedSRLib.methods.wdsr:WDSR",
    "srfbn": "MedSRLib.methods.srfbn:SRFBN",
    "dsrn": "MedSRLib.methods.dsrn:DSRN",
    "srcnn3d": "MedSRLib.methods.srcnn3d:SRCNN3D",
    "srrecnn3d": "MedSRLib.methods.srrecnn3d:SRReCNN3D",
    "dcsrn": "MedSRLib.methods.dcsrn:DCSRN",
    "rescnn": "MedSRLib.methods.rescnn:ResCNN",
    "sander": "MedSRLib.methods.sander:Sander",
    "self-training": "MedSRLib.methods.self_training:SelfTraining",
    "scsr": "MedSRLib.methods.scsr:ScSR",
    "zeyde": "MedSRLib.methods.zeyde:Zeyde",
    "ne-lle": "MedSRLib.methods.ne_lle:NELLE",
    "gr": "MedSRLib.methods.gr:GR",
    "anr": "MedSRLib.methods.anr:ANR",
    "a-plus": "MedSRLib.methods.a_plus:APlus",
    "csc-sr": "MedSRLib.methods.csc_sr:CSCSR",
    "weenie": "MedSRLib.methods.weenie:Weenie",
    "djf": "MedSRLib.methods.djf:DJF",
    "coista": "MedSRLib.methods.coista:CoISTA",
    "lmcsc": "MedSRLib.methods.lmcsc:LMCSC",
    "dual-state": "MedSRLib.methods.dual_state:DualState",
}


def identifiers() -> list[str]:
    """Identifiers of the methods that can be used, built-in ones first.

    Raises:
        OptionError: if two methods have one identifier.
    """
    return list(_methods())


def infos() -> list[MethodInfo]:
    """What may be known of each method that can be used."""
    return [method.info for method in _methods().values()]


def unavailable() -> dict[str, str]:
    """Why each plug-in that cannot be used cannot, by identifier."""
    return {name: found for name, found in _plugins().items() if isinstance(found, str)}


def get(identifier: str) -> type[Method]:
    """The class of a method.

    Raises:
        OptionError: for a name that does not exist (the nearest one is suggested) or does not load.
    """
    if identifier in BUILTIN:
        return _builtin(identifier)
    methods = _methods()
    if identifier in methods:
        return methods[identifier]
    reasons = unavailable()
    if identifier in reasons:
        raise OptionError(
            f"The method '{identifier}' cannot be used.",
            reasons[identifier],
            "Update or remove the package that brings it.",
        )
    near = difflib.get_close_matches(identifier.lower(), methods, n=1, cutoff=0.4)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    raise OptionError(f"There is no method '{identifier}'.", "", f"{hint}The methods are: {', '.join(methods)}.")


def create(identifier: str, options: Mapping[str, Any] | None = None) -> Method:
    """A method with its options set.

    Raises:
        OptionError: for an unknown method or option.
    """
    return get(identifier)(**dict(options or {}))


def _methods() -> dict[str, type[Method]]:
    usable = {name: found for name, found in _plugins().items() if not isinstance(found, str)}
    return {name: _builtin(name) for name in BUILTIN} | usable


def _builtin(identifier: str) -> type[Method]:
    return _imported(BUILTIN[identifier])


@functools.cache  # the window of Slicer asks for all methods whenever it shows anything
def _imported(place: str) -> type[Method]:
    module, name = place.split(":")
    method: type[Method] = getattr(importlib.import_module(module), name)
    return method


def forget() -> None:
    """Look for plug-ins again at the next question: a package may have been installed."""
    _plugins.cache_clear()


@functools.cache  # the search reads the metadata of every installed package
def _plugins() -> dict[str, type[Method] | str]:
    """Each installed plug-in's class, or why it cannot be used."""
    found: dict[str, type[Method] | str] = {}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        if point.name in BUILTIN or point.name in found:
            raise OptionError(
                f"Two methods are called '{point.name}'.",
                f"One of them is '{point.value}' of the package '{_package(point)}'.",
                "Uninstall one of the packages.",
            )
        found[point.name] = _loaded(point)
    return found


def _loaded(point: metadata.EntryPoint) -> type[Method] | str:
    try:
        method = point.load()
    except Exception as error:  # foreign code may fail in any way; the reason is listed
        return f"'{point.value}' of '{_package(point)}' does not load: {type(error).__name__}: {error}"
    if not (inspect.isclass(method) and issubclass(method, Method)):
        return f"'{point.value}' of '{_package(point)}' is not a MedSRLib Method."
    if inspect.isabstract(method) or not isinstance(getattr(method, "info", None), MethodInfo):
        return f"'{point.value}' of '{_package(point)}' lacks `info` or `upscale`."
    if method.info.identifier != point.name:
        return f"'{point.value}' calls itself '{method.info.identifier}', its entry point '{point.name}'."
    return method


def _package(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
