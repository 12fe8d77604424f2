"""Methods by name, and plug-ins of other packages."""

from __future__ import annotations

from importlib import metadata
from typing import ClassVar

import pytest

from MedSRLib.errors import OptionError
from MedSRLib.methods import registry
from MedSRLib.methods.contract import Method, MethodInfo
from MedSRLib.methods.interpolation import Cubic, Linear


class Sharper(Linear):
    """A plug-in as another package would bring it."""

    info: ClassVar[MethodInfo] = MethodInfo(
        "sharper", "Sharper", "Sharpens.", "A. Author", "https://doi.org/10.0/0", 2024, "interpolation"
    )


class Incomplete(Method):
    """Says what it is, but does nothing."""

    info = Sharper.info


class NoMethod:
    """Something else."""


@pytest.fixture
def plugins(monkeypatch):
    """Pretend that installed packages have the given entry points."""

    def install(**points: str) -> None:
        found = [
            metadata.EntryPoint(name.replace("_", "-"), value, registry.ENTRY_POINTS) for name, value in points.items()
        ]
        monkeypatch.setattr(metadata, "entry_points", lambda group: found)
        registry.forget()

    yield install
    registry.forget()


def test_every_builtin_method_is_listed_under_its_own_name(plugins):
    plugins()
    assert registry.identifiers() == list(registry.BUILTIN)
    assert [info.identifier for info in registry.infos()] == list(registry.BUILTIN)
    assert registry.unavailable() == {}
    assert registry.get("cubic") is Cubic


def test_options_reach_the_method_and_unknown_ones_are_refused():
    assert registry.create("back-projection", {"iterations": 3}).options.iterations == 3
    with pytest.raises(OptionError, match=r"'steps'.*iterations"):
        registry.create("back-projection", {"steps": 3})
    with pytest.raises(OptionError, match="none"):
        registry.create("cubic", {"a": -0.75})


@pytest.mark.parametrize(("wrong", "near"), [("cubik", "cubic"), ("BSpline", "bspline"), ("lancos", "lanczos")])
def test_the_nearest_name_is_suggested(wrong, near):
    with pytest.raises(OptionError, match=f"Did you mean '{near}'"):
        registry.get(wrong)


def test_a_plugin_is_a_method_like_any_other(plugins):
    plugins(sharper=f"{__name__}:Sharper")
    point = next(iter(metadata.entry_points(group=registry.ENTRY_POINTS)))
    assert registry.identifiers()[-1] == point.name == "sharper"
    assert isinstance(registry.create("sharper"), Linear)


def test_two_methods_of_one_name_are_refused(plugins):
    plugins(cubic=f"{__name__}:Sharper")
    with pytest.raises(OptionError, match="Two methods are called 'cubic'"):
        registry.identifiers()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package.module:Thing", "ModuleNotFoundError"),
        (f"{__name__}:Missing", "AttributeError"),
        (f"{__name__}:NoMethod", "not a MedSRLib Method"),
        (f"{__name__}:Incomplete", "lacks"),
        (f"{__name__}:Sharper", "calls itself 'sharper'"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_disturbs_nothing(plugins, value, reason):
    plugins(broken_one=value)
    assert registry.identifiers() == list(registry.BUILTIN)
    assert reason in registry.unavailable()["broken-one"]
    with pytest.raises(OptionError, match="cannot be used"):
        registry.get("broken-one")
