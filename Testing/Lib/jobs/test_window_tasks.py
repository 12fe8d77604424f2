"""The tasks that windows ask for: comparing, looking at the machine, importing a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from MedSRLib import images
from MedSRLib.grids import Grid
from MedSRLib.jobs import runner
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard

GRID = Grid((9, 10, 11), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def run(job: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    events: list[dict[str, Any]] = []
    return runner.run(job, events.append), events[-1]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    generator = np.random.default_rng(0)
    truth = generator.normal(100, 20, GRID.shape).astype(np.float32)
    volumes = {
        "truth": truth,
        "result": truth + generator.normal(0, 2, GRID.shape).astype(np.float32),
        "labels": np.broadcast_to(np.arange(9) // 3, GRID.shape).astype(np.float32),
    }
    for name, array in volumes.items():
        images.write(images.from_array(array, GRID), tmp_path / f"{name}.nrrd")
    return {name: str(tmp_path / f"{name}.nrrd") for name in volumes}


def compare_job(files: dict[str, str], folder: Path, **inputs: Any) -> dict[str, Any]:
    results = {"node 1": {"image": files["result"]}}
    given = {"reference": files["truth"], "results": results} | inputs
    return {"task": "compare", "inputs": given, "outputs": {"folder": str(folder)}}


def test_compare_writes_volumes_and_measures(files: dict[str, str], tmp_path: Path) -> None:
    code, end = run(compare_job(files, tmp_path / "out"))
    assert (code, end["notes"]) == (0, {"node 1": []})
    measures = json.loads((tmp_path / "out" / "measures.json").read_text(encoding="utf-8"))
    assert measures["keys"] == ["node 1"] and 0.9 < measures["metrics"]["node 1"]["ncc"]["whole"] < 1
    assert {"0.nrrd", "0-difference.nrrd"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_label_chooses_the_segment(files: dict[str, str], tmp_path: Path) -> None:
    found = {}
    for label in (1, 2):
        code, _ = run(compare_job(files, tmp_path / str(label), mask=files["labels"], label=label))
        assert code == 0
        found[label] = json.loads((tmp_path / str(label) / "measures.json").read_text(encoding="utf-8"))
    difference = images.to_array(images.read(Path(files["result"]))) - images.to_array(
        images.read(Path(files["truth"]))
    )
    for label, measures in found.items():
        part = difference[:, :, 3 * label : 3 * label + 3]
        assert measures["metrics"]["node 1"]["mae"]["mask"] == pytest.approx(float(np.abs(part).mean()), rel=1e-5)
    code, end = run(compare_job(files, tmp_path / "9", mask=files["labels"], label=9))
    assert code == 2 and "mask" in end["message"]


def test_without_a_reference_the_results_are_looked_at_beside_their_input(
    files: dict[str, str], tmp_path: Path
) -> None:
    code, _ = run(compare_job(files, tmp_path / "out", reference=None, input=files["truth"]))
    assert code == 0
    measures = json.loads((tmp_path / "out" / "measures.json").read_text(encoding="utf-8"))
    found = measures["unreferenced"]["node 1"]
    assert found["rmse"] == pytest.approx(2, rel=0.3)
    assert found["noise"] == pytest.approx(20, rel=0.5) and measures["input_noise"] == pytest.approx(20, rel=0.5)
    assert found["psi"] is None  # slices of ten pixels are too small for it
    assert "metrics" not in measures


def test_a_result_oblique_to_its_input_has_no_residual(files: dict[str, str], tmp_path: Path) -> None:
    turned = Grid(GRID.size, GRID.spacing, GRID.origin, (0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    images.write(images.from_array(images.to_array(images.read(Path(files["result"]))), turned), tmp_path / "t.nrrd")
    results = {"node 1": {"image": str(tmp_path / "t.nrrd")}}
    code, _ = run(compare_job(files, tmp_path / "out", reference=None, input=files["truth"], results=results))
    assert code == 0
    measures = json.loads((tmp_path / "out" / "measures.json").read_text(encoding="utf-8"))
    assert measures["unreferenced"]["node 1"]["rmse"] is None


def test_a_field_that_is_none_is_refused(files: dict[str, str], tmp_path: Path) -> None:
    results = {"a": {"image": files["result"], "field": files["truth"]}}
    code, end = run(compare_job(files, tmp_path / "out", results=results))
    assert code == 2 and "no field of displacements" in end["message"]


def test_comparing_loads_no_torch(files: dict[str, str], tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text(json.dumps(compare_job(files, tmp_path / "out")))
    program = (
        "import sys; from MedSRLib.jobs import runner; from pathlib import Path\n"
        f"code = runner.run(Path({str(job)!r}), lambda event: None)\n"
        "sys.exit(code or ('torch' in sys.modules) * 7)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_machine_tells_devices_and_speed() -> None:
    code, end = run({"task": "machine"})
    assert code == 0
    assert end["devices"][0]["name"] == "cpu" and end["best"] and end["speed"]["cpu"]["flops"] > 0


def test_a_model_is_brought_in_and_a_damaged_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(library, "user_folder", lambda: tmp_path / "mine")
    card = ModelCard(name="foreign", method="arssr", architecture={}, scale_max=2)
    path = library.save(library.Model(card, {"a": torch.zeros(2)}), tmp_path / "theirs")
    code, end = run({"task": "import-model", "inputs": {"model": str(path)}, "parameters": {"name": "ours"}})
    assert (code, end["model"]) == (0, "ours")
    assert (tmp_path / "mine" / "ours.json").is_file()
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    code, end = run({"task": "import-model", "inputs": {"model": str(path)}})
    assert code == 2 and "damaged" in end["message"]
