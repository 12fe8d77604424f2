"""Guides on the command line and in job files: several, what they show by name or as is said, and what is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from typer.testing import CliRunner, Result

from MedSRLib.cli.app import app
from MedSRLib.errors import OptionError
from MedSRLib.jobs import job as jobs
from MedSRLib.jobs import runner
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks import catalogue

STILL = ("--option", "registration=none")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three volumes of one patient, and a library of one model for T1w and one for T1w and T2w."""
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(library, "shipped_folder", lambda: tmp_path / "shipped")
    torch.manual_seed(0)
    for name, guides in (("by-t1", ["T1w"]), ("by-both", ["T1w", "T2w"])):
        settings = {"features": 4, "kernel": 3, "steps": 2, "guide_steps": 1, "threshold": 0.1, "residual": "cubic"}
        network = catalogue.build("lmcsc", {**settings, "guides": len(guides)})
        with torch.no_grad():
            for p in network.parameters():
                p += 0.05 * torch.randn(p.shape)
        card = ModelCard(
            name=name, method="lmcsc", architecture=network.architecture(), scale_max=4, guide_modalities=guides,
            guide_optional=True,
        )  # fmt: skip
        library.save(library.Model(card, dict(network.state_dict())), library.user_folder())
    generator = np.random.default_rng(0)
    for name in ("flair", "t1w", "t2w", "sagittal"):
        image = sitk.GetImageFromArray(generator.random((10, 14, 12), np.float32))
        image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1))
        sitk.WriteImage(image, tmp_path / f"{name}.nii.gz")
    return tmp_path


def medsr(folder: Path, *guides: str, **more: str) -> Result:
    named = [part for guide in guides for part in ("--guide", guide)]
    chosen = {"method": "lmcsc", "scale": "1,1,2", "device": "cpu"} | more
    wanted = [part for key, value in chosen.items() for part in (f"--{key}", value)]
    wanted += STILL if chosen["method"] == "lmcsc" else ()
    out = folder / "out.nii.gz"
    return CliRunner().invoke(app, ["upscale", str(folder / "flair.nii.gz"), *wanted, *named, "-o", str(out), "--json"])


def end(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout.splitlines()[-1])


def result_of(folder: Path, *guides: str) -> np.ndarray:
    ended = medsr(folder, *guides)
    assert ended.exit_code == 0, ended.output
    return sitk.GetArrayFromImage(sitk.ReadImage(folder / "out.nii.gz"))


def test_several_guides_are_told_apart_by_their_names_or_as_is_said(folder: Path) -> None:
    one, two = str(folder / "t1w.nii.gz"), str(folder / "t2w.nii.gz")
    wanted = result_of(folder, one, two)
    assert wanted.shape == (20, 14, 12)
    provenance = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert provenance["model"] == "by-both"
    assert provenance["guide"] == "T1w guide taken where it is | T2w guide taken where it is"
    assert [(g["input"], g["modality"]) for g in provenance["guides"]] == [("t1w.nii.gz", "T1w"), ("t2w.nii.gz", "T2w")]
    assert provenance["guides"][0]["input_sha256"] == hashlib.sha256((folder / "t1w.nii.gz").read_bytes()).hexdigest()
    np.testing.assert_array_equal(result_of(folder, two, f"T1w={one}"), wanted)
    assert np.abs(result_of(folder, f"T2w={one}", f"T1w={two}") - wanted).max() > 1e-3


def test_the_model_is_that_which_takes_the_guides(folder: Path) -> None:
    assert end(medsr(folder, str(folder / "t1w.nii.gz")))["provenance"]["model"] == "by-t1"
    assert end(medsr(folder, str(folder / "t2w.nii.gz")))["provenance"]["model"] == "by-both"
    assert end(medsr(folder))["provenance"]["model"] == "by-t1"


@pytest.mark.parametrize(
    ("scale", "more", "method", "model"),
    [
        ("1,1,2", {}, "lmcsc", "by-t1"),
        ("4,4,1", {}, "djf", "in-plane"),
        ("4,4,1", {"model": "by-t1"}, "lmcsc", "by-t1"),
        ("4,4,1", {"method": "lmcsc"}, "lmcsc", "by-both"),
    ],
)
def test_without_a_method_the_guided_one_is_taken_whose_model_is_made_for_the_task(
    folder: Path, scale: str, more: dict[str, str], method: str, model: str
) -> None:
    card = library.card_of("by-t1").model_copy(update={"axes": "one"})
    library.save(library.Model(card, library.load("by-t1").tensors), library.user_folder())
    network = catalogue.build("djf", {"residual": "cubic"})
    named = {"name": "in-plane", "method": "djf", "axes": "any", "architecture": network.architecture()}
    library.save(library.Model(card.model_copy(update=named), dict(network.state_dict())), library.user_folder())
    guide, out = str(folder / "t1w.nii.gz"), str(folder / "out.nii.gz")
    wanted = {"scale": scale, "device": "cpu", "guide": guide, **more}
    options = [part for key, value in wanted.items() for part in (f"--{key}", value)]
    ended = CliRunner().invoke(
        app, ["upscale", str(folder / "flair.nii.gz"), *options, *STILL, "-o", out, "--json"], catch_exceptions=False
    )
    found = end(ended)["provenance"]
    assert (found["method"], found["model"], found["settings"]["method"]) == (method, model, method)


@pytest.mark.parametrize(
    ("guides", "more", "told"),
    [
        (["t2w.nii.gz"], {"model": "by-t1"}, "guided by T1w"),
        (["t1w.nii.gz", "t2w.nii.gz"], {"model": "by-t1"}, "takes 1 at most"),
        (["t1w.nii.gz", "T1w=t2w.nii.gz"], {"model": "by-both"}, "Two guides show T1w"),
        (["sagittal.nii.gz"], {"model": "by-both"}, "--guide T1w=FILE"),
        (["t1w.nii.gz", "gone_t2w.nii.gz"], {}, "no file or folder"),
        (["t1w.nii.gz", "t2w.nii.gz"], {"method": "linear"}, "takes no guide"),
    ],
)
def test_a_guide_that_is_not_taken_is_a_user_s_mistake(
    folder: Path, guides: list[str], more: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    ended = medsr(folder, *guides, **more)
    assert ended.exit_code == 2
    assert told in ended.output
    assert not (folder / "out.nii.gz").exists()


def test_a_job_says_guides_in_short_or_in_full(tmp_path: Path) -> None:
    def shown(guide: Any) -> list[tuple[str, str]]:
        content = {
            "task": "upscale",
            "inputs": {"image": "a.nii.gz", "guide": guide},
            "outputs": {"image": "b.nii.gz"},
            "parameters": {"scale": 2},
        }
        read = jobs.parse(content, tmp_path).inputs.guide
        assert all(each.image.parent == tmp_path for each in read)
        return [(each.image.name, each.shown) for each in read]

    assert shown(None) == []
    assert shown("t1.nii.gz") == [("t1.nii.gz", "T1w")]
    full = {"image": "t1_as_named.nii.gz", "modality": "T2w"}
    assert shown(["x.nrrd", full]) == [("x.nrrd", ""), ("t1_as_named.nii.gz", "T2w")]
    assert shown(full) == [("t1_as_named.nii.gz", "T2w")]
    for wrong in ([{"file": "t1.nii.gz"}], [3]):
        with pytest.raises(OptionError, match=r"inputs\.guide"):
            shown(wrong)


def test_a_name_with_an_equals_sign_is_a_file_where_there_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "t1w.nii.gz").rename(folder / "te=5_t1.nii.gz")
    assert end(medsr(folder, "te=5_t1.nii.gz"))["provenance"]["model"] == "by-t1"


def test_an_input_is_never_overwritten_by_way_of_a_guide(folder: Path) -> None:
    job = {
        "task": "upscale",
        "inputs": {
            "image": str(folder / "flair.nii.gz"),
            "guide": [str(folder / f"{n}.nii.gz") for n in ("t1w", "t2w")],
        },
        "outputs": {"image": str(folder / "t2w.nii.gz")},
        "parameters": {"method": "lmcsc", "scale": 2},
    }
    events: list[dict[str, Any]] = []
    assert runner.run(job, events.append) == 2
    assert "never overwrites its inputs" in events[-1]["message"]
