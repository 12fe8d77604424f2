"""What is compared with what, and what is left out or refused before any work."""

import sys

import pytest
import SimpleITK as sitk

from MedSRLib.errors import MissingPackageError, ModelError, OptionError
from MedSRLib.manifests import load as load_manifest
from MedSRLib.methods import registry
from MedSRLib.methods.contract import Method, MethodInfo
from MedSRLib.methods.interpolation import Linear
from MedSRLib.progress import Progress
from MedSRLib.protocols import protocol, sources
from MedSRLib.protocols.planning import plan

GUIDED = '\n[[method]]\nlabel = "Guided"\nidentifier = "guided"\n'
OPTIONAL = "optional = true\n"


class Guided(Method):
    """The mean of linear interpolation and the guide."""

    info = MethodInfo(
        "guided", "Guided", "Averages.", "Nobody", "https://example.org", 2026, "guided", needs_guide=True
    )

    def upscale(self, image, grid, *, guides=(), model=None, runtime, progress):
        result = Linear().upscale(image, grid, runtime=runtime, progress=progress)
        return result * 0.5 + sitk.Resample(guides[0].image, result) * 0.5


@pytest.fixture
def guided(monkeypatch):
    """A guided method in the registry."""
    monkeypatch.setattr(registry, "_plugins", lambda: {"guided": Guided})
    monkeypatch.setitem(sys.modules, Guided.__module__, sys.modules[__name__])
    sources.digest.cache_clear()


def planned(study, warnings=None):
    progress = Progress((warnings if warnings is not None else []).append)
    manifest = load_manifest(study.folder / "manifest.tsv")
    return plan(protocol.load(study.folder / "tiny.toml"), manifest, study.runtime, progress)


def labels(cells):
    return list(dict.fromkeys(cell.method.label for cell in cells))


def messages(warnings):
    return " ".join(event.get("message", "") for event in warnings)


def test_an_optional_method_that_is_not_there_is_left_out_with_a_warning(study):
    study.write(study.text + GUIDED.replace("Guided", "Later") + OPTIONAL)
    warnings = []
    assert labels(planned(study, warnings)) == ["Nearest", "Spline"]
    assert "'Later' is left out: There is no method 'guided'." in messages(warnings)


def test_an_optional_model_that_is_not_there_is_left_out_with_one_warning(study):
    text = study.text + '\n[[method]]\nlabel = "Big"\nidentifier = "arssr"\nmodel = "not-trained-yet"\n'
    study.write(text + OPTIONAL)
    warnings = []
    assert labels(planned(study, warnings)) == ["Nearest", "Spline"]
    assert messages(warnings).count("'Big' is left out: There is no model 'not-trained-yet'.") == 1
    study.write(text)
    with pytest.raises(ModelError, match="not-trained-yet"):
        planned(study)


def test_options_of_an_optional_method_are_checked_where_it_exists(study):
    study.write(study.text.replace('"bspline"', '"bspline"\noptional = true\noptions = { speed = 3 }'))
    with pytest.raises(OptionError, match="speed"):
        planned(study)


def test_a_guide_is_given_to_those_that_need_one(study, guided):
    study.write(study.text.replace('modality = "T1w"', 'modality = "T1w"\nguide = "T2w"') + GUIDED)
    for i in range(2):
        from_first = study.folder / f"v{i}.nii.gz"
        study.lines.append(study.lines[i] | {"path": f"t2-{i}.nii.gz", "modality": "T2w"})
        (study.folder / f"t2-{i}.nii.gz").write_bytes(from_first.read_bytes())
    study.manifest()
    cells = planned(study)
    assert labels(cells) == ["Nearest", "Spline", "Guided"]
    assert {cell.case.scan.paths["guide"].name for cell in cells} == {"t2-0.nii.gz", "t2-1.nii.gz"}
    assert "Guided" in study.run()  # the guide is the truth here, so that half the error is left
    last = (study.folder / "out" / "table.md").read_text(encoding="utf-8")
    assert last.index("Guided") > 0


def test_a_method_without_the_guide_it_needs_is_refused(study, guided):
    study.write(study.text + GUIDED)
    with pytest.raises(OptionError, match=r"'Guided' needs a guide, and the group 'heads' names none"):
        planned(study)
    study.write(study.text + OPTIONAL)
    warnings = []
    assert "Guided" not in labels(planned(study, warnings))
    assert "left out there" in messages(warnings)


def test_a_missing_package_of_a_measure_is_said_before_any_work(study, monkeypatch):
    study.write(study.text.replace("baselines", 'measures = ["psnr", "dice"]\nbaselines'))
    find = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *a: None if name == "ants" else find(name, *a))
    with pytest.raises(MissingPackageError, match="antspyx"):
        study.run()
    assert not (study.folder / "out").exists()


def test_keys_tell_apart_all_that_decides_a_number_and_nothing_else(study):
    first = {cell.key for cell in planned(study)}
    assert len(first) == 8
    study.write(study.text.replace('"Spline"', '"Cubic B-spline"').replace('"heads"', '"others"'))
    assert {cell.key for cell in planned(study)} == first
    study.write(study.text.replace("scales", "rotations = [90]\nscales"))
    assert not {cell.key for cell in planned(study)} & first
