"""Protocols as files: what is accepted, and how mistakes are named."""

from pathlib import Path

import pytest

from MedSRLib.errors import InputError, OptionError
from MedSRLib.protocols.protocol import load, scale_text

SHIPPED = sorted((Path(__file__).parents[3] / "Resources" / "Protocols").glob("*.toml"))

GOOD = """
[protocol]
name = "small"
scales = [2, [1, 1, 2.5]]
baselines = ["Spline"]
[[volumes]]
label = "all"
[[degradation]]
name = "physical"
kind = "physical"
noise = 0.02
[[degradation]]
name = "paper"
kind = "spline"
[[method]]
label = "Spline"
identifier = "bspline"
[[method]]
label = "Back-projection"
identifier = "back-projection"
options = { acquisition = "as degraded" }
"""


def written(folder, text):
    path = folder / "small.toml"
    path.write_text(text)
    return path


def test_a_protocol_is_read(tmp_path):
    protocol = load(written(tmp_path, GOOD))
    assert [scale_text(s) for s in protocol.protocol.scales] == ["2", "1,1,2.5"]
    assert protocol.degradation[1].noise == 0


def test_as_degraded_stands_for_the_kind_of_the_degradation(tmp_path):
    protocol = load(written(tmp_path, GOOD))
    options = [protocol.method[1].options_for(d) for d in protocol.degradation]
    assert options == [{"acquisition": "physical"}, {"acquisition": "spline"}]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "small"', 'name = "small"\nspeed = 3', "speed"),
        ("scales = [2,", "scales = [0.5,", "scales"),
        ("scales = [2,", "scales = [1,", "scale of 1"),
        ("scales = [2,", "scales = [2, 2,", "'2' is used twice"),
        ('baselines = ["Spline"]', 'baselines = ["Nothing"]', "'Nothing'"),
        ('name = "paper"', 'name = "physical"', "used twice"),
        ('kind = "spline"', 'kind = "splin"', "'spline'"),
        ("noise = 0.02", "noise = -1", "noise"),
        ('"back-projection"', '"back-projektion"', "back-projection"),
        ("acquisition = ", "aquisition = ", "aquisition"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(OptionError, match=words):
        load(written(tmp_path, GOOD.replace(old, new)))


def test_files_that_are_no_protocol_are_refused(tmp_path):
    with pytest.raises(InputError, match="TOML"):
        load(written(tmp_path, "scales = ["))
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "missing.toml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_protocols_are_valid(path):
    assert load(path).protocol.name == path.stem


def test_there_are_shipped_protocols():
    assert "t1w-isotropic" in [path.stem for path in SHIPPED]


def test_a_model_may_depend_on_the_degradation(tmp_path):
    models = 'identifier = "arssr"\nmodel = { physical = "one", paper = "two" }\n[[method]]\nidentifier = "linear"'
    text = GOOD.replace('identifier = "bspline"', models, 1).replace(
        'identifier = "linear"', 'identifier = "linear"\nlabel = "L"'
    )
    protocol = load(written(tmp_path, text))
    assert [protocol.method[0].model_for(d, 2.0) for d in protocol.degradation] == ["one", "two"]
    assert protocol.method[1].model_for(protocol.degradation[0], 2.0) is None
    with pytest.raises(OptionError, match="models of 'Spline'"):
        load(written(tmp_path, text.replace("paper =", "papre =")))


def test_a_model_may_depend_on_the_scale(tmp_path):
    models = 'identifier = "arssr"\nmodel = { "2" = "one", "2,2,1" = "two" }'
    text = GOOD.replace('identifier = "bspline"', models, 1)
    text = text.replace("scales = [2, [1, 1, 2.5]]", "scales = [2, [2, 2, 1]]")
    protocol = load(written(tmp_path, text))
    found = {
        d.name: [protocol.method[0].model_for(d, s) for s in protocol.protocol.scales] for d in protocol.degradation
    }
    assert found == {"physical": ["one", "two"], "paper": ["one", "two"]}
    with pytest.raises(OptionError, match="models of 'Spline'"):
        load(written(tmp_path, text.replace("[2, 2, 1]", "[2, 2, 2]")))


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        ("2", "takes whole slices away"),
        ("{ through-plane = 2.5 }", "takes whole slices away"),
        ("[1, 2, 2]", "takes whole slices away"),
        ("[2, 1, 1]]\nrotations = [0, 90", "with rotations"),
        ("{ trough-plane = 2 }", "trough-plane"),
    ],
)
def test_slices_can_only_be_dropped_whole_along_one_axis(tmp_path, scales, words):
    text = GOOD.replace("[2, [1, 1, 2.5]]", f"[{scales}]").replace('kind = "spline"', 'kind = "drop"')
    with pytest.raises(OptionError, match=words):
        load(written(tmp_path, text))


def test_a_scale_of_one_is_for_synthesis(tmp_path):
    text = GOOD.replace("[2, [1, 1, 2.5]]", "[1]")
    with pytest.raises(OptionError, match="leaves nothing to do"):
        load(written(tmp_path, text))
    load(written(tmp_path, text.replace('label = "all"', 'label = "all"\ntarget = "T2w"')))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('measures = ["psnr", "lpisp"]', "lpips"),
        ('measures = ["psnr"]\ntested = ["vif"]', "'vif', which is not among its measures"),
        ('measures = ["lesion-contrast"]\ntested = ["lesion-contrast"]', "no better side"),
        ('mask = "head"', "mask"),
        ("rotations = [360]", "rotations"),
        ("rotations = [90, 90.0]", "'90' is used twice"),
    ],
)
def test_mistakes_of_measures_and_rotations_are_named(tmp_path, line, words):
    with pytest.raises(OptionError, match=words):
        load(written(tmp_path, GOOD.replace('name = "small"', f'name = "small"\n{line}')))
