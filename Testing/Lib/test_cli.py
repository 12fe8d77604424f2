"""The command line: what each command prints and writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from typer.testing import CliRunner, Result

from MedSRLib.cli.app import app
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

SIZE = (7, 10, 13)
CONFIG = ArSSRConfig(encoder="rescnn", feature_dim=4, channels=4, blocks=1, layers=1, width=8)


def medsr(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def image(size: tuple[int, ...] = SIZE, seed: int = 0) -> sitk.Image:
    values = np.random.default_rng(seed).uniform(10, 100, size[::-1]).astype(np.float32)
    made = sitk.GetImageFromArray(values)
    if len(size) == 3:
        made.SetSpacing((0.9, 1.1, 3.0))
        made.SetOrigin((-12.5, 30.0, 7.0))
        made.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1))
    return made


def write_model(folder: Path, name: str = "tiny") -> Path:
    torch.manual_seed(0)
    card = ModelCard(name=name, method="arssr", architecture=CONFIG.asdict(), scale_max=4)
    return library.save(library.Model(card, ArSSR(CONFIG).state_dict()), folder)


@pytest.fixture(autouse=True)
def _own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(image(), path)
    return path


def test_upscale_writes_the_image_and_its_origin(scan: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    out = tmp_path / "out.nii.gz"
    result = medsr("upscale", scan, "-o", out, "--scale", "1,1,2.5", "--method", "arssr", "--model", "tiny", "--json")
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["outputs"] == {"image": str(out)}
    origin = events[-1]["provenance"]
    assert (origin["method"], origin["model"], origin["device"]) == ("arssr", "tiny", "cpu")
    assert origin["scale"] == pytest.approx([1, 1, 2.5], abs=0.05)
    assert sitk.ReadImage(out).GetSize() == (7, 10, 33)
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["input"] == "scan.nii.gz"
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)


def test_upscale_writes_the_uncertainty_of_its_ensemble(scan: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    out, spread = tmp_path / "out.nii.gz", tmp_path / "spread.nii.gz"
    wanted = ("-o", out, "--scale", "1,1,2", "--method", "arssr", "--uncertainty", spread, "--refine", "--json")
    assert medsr("upscale", scan, *wanted).exit_code == 2
    result = medsr("upscale", scan, *wanted, "--ensemble", "flips")
    assert result.exit_code == 0, result.output
    origin = json.loads(result.stdout.splitlines()[-1])["provenance"]
    assert 0 < origin["consistency_after"] <= origin["consistency_before"]
    assert sitk.GetArrayFromImage(sitk.ReadImage(spread)).max() > 0
    assert sitk.ReadImage(spread).GetSize() == sitk.ReadImage(out).GetSize() == (7, 10, 26)


def test_upscale_writes_the_consistency_map_on_the_input_grid(scan: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "out.nii.gz", tmp_path / "consistency.nii.gz"
    result = medsr("upscale", scan, "-o", out, "--isotropic", "--consistency", kept)
    assert result.exit_code == 0, result.output
    assert sitk.ReadImage(kept).GetSize() == SIZE


def test_a_folder_is_a_batch_and_a_job_file_a_run(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "cohort").mkdir()
    scan.rename(tmp_path / "cohort" / "a.nii.gz")
    result = medsr("upscale", "--batch", tmp_path / "cohort", "-o", tmp_path / "out", "--spacing", 0.8)
    assert result.exit_code == 0, result.output
    assert sitk.ReadImage(tmp_path / "out" / "a.nii.gz").GetSpacing() == pytest.approx((0.8,) * 3, rel=0.1)
    job = {
        "task": "degrade",
        "inputs": {"image": "out/a.nii.gz"},
        "outputs": {"image": "low.nrrd"},
        "parameters": {"scale": 2},
    }
    (tmp_path / "degrade.json").write_text(json.dumps(job))
    result = medsr("run", tmp_path / "degrade.json")
    assert json.loads(result.stdout.splitlines()[-1])["event"] == "result"
    assert (tmp_path / "low.nrrd").is_file()


def test_some_broken_voxels_are_repaired_and_counted(scan: Path, tmp_path: Path) -> None:
    values = sitk.GetArrayFromImage(image())
    values[2, 3, 4], values[5, 6, 1], values[0, 0, 0] = np.nan, np.inf, -np.inf
    sitk.WriteImage(sitk.GetImageFromArray(values), scan)
    result = medsr("upscale", scan, "-o", tmp_path / "out.nii.gz", "--scale", 2)
    assert result.exit_code == 0, result.output
    assert "Warning: 3 " in result.stderr
    assert np.isfinite(sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "out.nii.gz"))).all()


def test_degrade_is_repeatable_and_noisy_on_demand(scan: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"{name}.nrrd" for name in "abc"]
    for out, seed in zip(outs, (1, 1, 2), strict=True):
        result = medsr("degrade", scan, "-o", out, "--scale", 2, "--noise", 0.02, "--seed", seed)
        assert result.exit_code == 0, result.output
    a, b, c = (sitk.GetArrayFromImage(sitk.ReadImage(out)) for out in outs)
    assert a.shape == (7, 5, 4)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_evaluate_without_a_reference_looks_at_the_input(scan: Path, tmp_path: Path) -> None:
    sharp, spread, folder = tmp_path / "sharp.nii.gz", tmp_path / "spread.nii.gz", tmp_path / "report"
    assert medsr("upscale", scan, "-o", sharp, "--isotropic", "--refine").exit_code == 0
    sitk.WriteImage(sitk.Abs(sitk.ReadImage(sharp)) * 0.01, spread)
    asked = ("evaluate", sharp, "--input", scan, "-o", folder)
    assumed = ("--acquisition", "slice-profile", "--thickness", 4)
    result = medsr(*asked, *assumed, "--uncertainty", f"sharp={spread}")
    assert result.exit_code == 0, result.output
    content = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert content["acquisition"] == "slice-profile, 4 mm"
    assert content["results"]["sharp"]["uncertainty"]["mean"] > 0
    assert "consistency_after" in content["results"]["sharp"]["provenance"]
    assert (folder / "report.html").is_file()


@pytest.mark.parametrize(
    "more, told",
    [
        ((), "without one the image"),
        (("--input", "SCAN", "--measures", "psnr"), "need a reference"),
        (("--input", "SCAN", "--uncertainty", "spread.nii.gz"), "name=FILE"),
        (("--input", "SCAN", "--uncertainty", "other=SCAN"), "no such result"),
        (("--input", "SCAN", "--acquisition", "fysical"), "Did you mean 'physical'"),
        (("--reference", "SCAN", "--thickness", "4"), "without a reference"),
    ],
)
def test_evaluate_refuses_what_does_not_go_together(
    scan: Path, tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    arguments = [argument.replace("SCAN", str(scan)) for argument in more]
    result = medsr("evaluate", scan, "-o", tmp_path / "report", *arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
    assert not (tmp_path / "report" / "report.html").exists()


def test_evaluate_names_results_by_file_or_folder(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    sitk.WriteImage(image(seed=1), tmp_path / "close.nii.gz")
    sitk.WriteImage(image(seed=2), tmp_path / "other" / "close.nii.gz")
    results = [tmp_path / "close.nii.gz", tmp_path / "other" / "close.nii.gz"]
    result = medsr("evaluate", "--reference", scan, *results, "-o", tmp_path / "report")
    assert result.exit_code == 0, result.output
    assert "other/close" in (tmp_path / "report" / "metrics.json").read_text(encoding="utf-8")


def test_evaluate_takes_the_measures_that_are_asked_for(scan: Path, tmp_path: Path) -> None:
    sitk.WriteImage(image(seed=1), tmp_path / "close.nii.gz")
    wanted = ["--reference", scan, tmp_path / "close.nii.gz", "-o", tmp_path / "report", "--lesions", scan]
    result = medsr("evaluate", *wanted, "--measures", "psnr, nmi", "--device", "cpu")
    assert result.exit_code == 0, result.output
    header = (tmp_path / "report" / "metrics.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"psnr_mask", "nmi_whole", "lesion-mae_mask"} < set(header) and "ssim_mask" not in header
    result = medsr("evaluate", *wanted, "--measures", "psrn")
    assert result.exit_code == 2 and "'psnr'" in result.output.replace("\n", " ")


def test_methods_and_models_are_listed(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    listed = json.loads(medsr("methods", "--json").stdout)
    assert {"bspline", "arssr"} <= {info["identifier"] for info in listed["methods"]}
    told = {info["identifier"]: [option["name"] for option in info["options"]] for info in listed["methods"]}
    assert "preset" in told["self-training"] and told["bspline"] == []
    assert "bspline" in medsr("methods").stdout
    assert "tiny" in json.loads(medsr("models", "list", "--json").stdout)["models"]
    assert "tiny" in medsr("models", "list").stdout
    assert json.loads(medsr("models", "show", "tiny", "--json").stdout)["method"] == "arssr"
    assert "rescnn" in medsr("models", "show", "tiny").stdout
    assert medsr("models", "path", "tiny").stdout.strip().endswith("tiny.safetensors")
    assert medsr("models", "path").stdout.strip() == str(tmp_path / "models")
    assert "tiny: whole" in medsr("models", "verify", "tiny").stdout
    assert "tiny: whole" in medsr("models", "verify").stdout


def test_a_model_can_be_imported_from_a_file(tmp_path: Path) -> None:
    source = write_model(tmp_path / "download")
    assert medsr("models", "import", source, "--name", "mine").exit_code == 0
    assert (tmp_path / "models" / "mine.safetensors").is_file()
    again = medsr("models", "import", source, "--name", "mine")
    assert again.exit_code == 2
    assert again.stderr.startswith("Error: ")
    assert "already" in again.stderr


def test_usage_errors_exit_with_2_too(scan: Path) -> None:
    for arguments in (
        ["upscale", scan],
        ["upscale", "-o", "x.nii.gz", "--scale", "2"],
        ["upscale", scan, "-o", "x.nii.gz", "--scale", "two"],
        ["upscale", scan, "-o", "x.nii.gz", "--scale", "2", "--option", "novalue"],
        ["upscale", scan, "-o", "x.nii.gz", "--wrong"],
        ["nonsense"],
    ):
        result = medsr(*arguments)
        assert result.exit_code == 2
        assert "Error" in result.stderr or "Usage" in result.stderr


def test_the_version_is_shown() -> None:
    result = medsr("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("medsr ")


@pytest.mark.parametrize("arguments", [["--help"], ["methods"], ["models", "list"]], ids=" ".join)
def test_help_and_lists_import_no_torch(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from MedSRLib.cli import main\n"
        f"sys.argv = ['medsr', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'lightning', 'scipy', 'skimage', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
