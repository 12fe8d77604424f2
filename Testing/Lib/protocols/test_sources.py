"""The hash of the code that computes a measurement."""

import pytest

from MedSRLib.methods import registry
from MedSRLib.methods.contract import Method, MethodInfo
from MedSRLib.protocols import sources


@pytest.fixture(autouse=True)
def afresh():
    sources.digest.cache_clear()
    yield
    sources.digest.cache_clear()


def closure(method):
    return sources.closure((sources.ROOT, registry.get(method).__module__))


def test_what_computes_a_number_is_reached():
    found = closure("arssr")
    assert {
        "MedSRLib.acquisition.matrices", "MedSRLib.evaluation.metrics", "MedSRLib.evaluation.vif",
        "MedSRLib.foreground", "MedSRLib.grids", "MedSRLib.images", "MedSRLib.images.nifti",
        "MedSRLib.inference.implicit", "MedSRLib.methods.arssr", "MedSRLib.networks.rdn",
        "MedSRLib.protocols.rotations", "MedSRLib.upscaling",
    } <= set(found)  # fmt: skip


def test_what_only_shows_or_lists_is_not():
    found = set(closure("arssr"))
    assert not {"MedSRLib.errors", "MedSRLib.methods.registry", "MedSRLib.evaluation.report"} & found
    assert not any(name.startswith(("MedSRLib.cli", "MedSRLib.jobs", "MedSRLib.training")) for name in found)
    assert "MedSRLib.protocols.tables" not in found


def test_another_method_is_not_reached():
    assert "MedSRLib.methods.back_projection" not in closure("bspline")
    assert "MedSRLib.networks.rdn" not in closure("bspline")


def changed(monkeypatch, tmp_path, module):
    """The digests of two methods, before and after a change of a module."""
    before = [sources.digest(name) for name in ("bspline", "back-projection")]
    copy = tmp_path / "changed.py"
    copy.write_bytes(sources._file(module).read_bytes() + b"\nCHANGED = 1\n")
    file = sources._file
    monkeypatch.setattr(sources, "_file", lambda name: copy if name == module else file(name))
    sources.digest.cache_clear()
    return [a == sources.digest(name) for name, a in zip(("bspline", "back-projection"), before, strict=True)]


def test_a_change_counts_for_those_it_concerns(monkeypatch, tmp_path):
    assert changed(monkeypatch, tmp_path, "MedSRLib.methods.back_projection") == [True, False]


@pytest.mark.parametrize(
    ("method", "module"),
    [("wdsr", "MedSRLib.networks.wdsr"), ("anr", "MedSRLib.sparse.dictionary"), ("a-plus", "MedSRLib.sparse.features")],
)
def test_a_change_of_the_methods_own_network_counts(monkeypatch, tmp_path, method, module):
    """The catalogue names it in a string, not in an import."""
    before = {name: sources.digest(name) for name in (method, "bspline")}
    copy = tmp_path / "changed.py"
    copy.write_bytes(sources._file(module).read_bytes() + b"\nCHANGED = 1\n")
    file = sources._file
    monkeypatch.setattr(sources, "_file", lambda name: copy if name == module else file(name))
    sources.digest.cache_clear()
    assert sources.digest(method) != before[method] and sources.digest("bspline") == before["bspline"]


def test_a_change_of_a_measure_counts_for_all(monkeypatch, tmp_path):
    assert changed(monkeypatch, tmp_path, "MedSRLib.evaluation.metrics") == [False, False]


def test_a_change_of_messages_counts_for_none(monkeypatch, tmp_path):
    assert changed(monkeypatch, tmp_path, "MedSRLib.errors") == [True, True]


class Foreign(Method):
    """A method of another package."""

    info = MethodInfo("foreign", "Foreign", "Does nothing.", "Nobody", "https://example.org", 2026, "interpolation")

    def upscale(self, image, grid, *, guides=(), model=None, runtime, progress):
        return image


def test_the_version_of_another_package_stands_for_its_code(monkeypatch):
    monkeypatch.setattr(registry, "_plugins", lambda: {"foreign": Foreign})
    monkeypatch.setattr(Foreign, "__module__", "pytest")
    found = []
    for version in ("1.0", "1.1"):
        monkeypatch.setattr(sources.metadata, "version", lambda package, version=version: version)
        sources.digest.cache_clear()
        found.append(sources.digest("foreign"))
    assert found[0] != found[1]
