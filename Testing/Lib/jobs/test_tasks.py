"""The tasks that call one engine each: what they hand over, and what they tell."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from MedSRLib.jobs import runner

FOLDER = "out"


def engine(monkeypatch: pytest.MonkeyPatch, module: str, name: str, answer: Any) -> dict[str, Any]:
    """Put a stand-in with the engine's own signature in its place; return what it is called with."""
    room = importlib.import_module(module)
    signature = inspect.signature(getattr(room, name))
    called: dict[str, Any] = {}

    def stand_in(*arguments: Any, **named: Any) -> Any:
        called.update(signature.bind(*arguments, **named).arguments)
        return answer

    monkeypatch.setattr(room, name, stand_in)
    return called


def run(job: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    events: list[dict[str, Any]] = []
    return runner.run(job, events.append), events[-1]


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, str]:
    """Files that exist; the engines that would read them are replaced."""
    names = {"manifest": "MANIFEST.tsv", "protocol": "own.toml", "recipe": "own.toml"}
    for name in names.values():
        (tmp_path / name).write_text("")
    return {key: str(tmp_path / name) for key, name in names.items()}


def test_train_hands_over_the_recipe_and_tells_the_model(
    monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], tmp_path: Path
) -> None:
    called = engine(monkeypatch, "MedSRLib.training.engine", "train", tmp_path / "tiny.safetensors")
    del inputs["protocol"]
    parameters = {"resume": True, "devices": 2, "nodes": 3, "device": "cpu"}
    job = {
        "task": "train",
        "inputs": inputs,
        "outputs": {"folder": str(tmp_path / FOLDER)},
        "parameters": parameters,
    }
    code, end = run(job)
    assert (code, end["outputs"]["model"]) == (0, str(tmp_path / "tiny.safetensors"))
    assert (called["resume"], called["devices"], called["nodes"]) == (True, 2, 3)
    assert called["recipe_path"] == tmp_path / "own.toml"
    assert called["runtime"].device == "cpu"


def test_benchmark_tells_its_table(monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], tmp_path: Path) -> None:
    called = engine(monkeypatch, "MedSRLib.protocols.run", "run_benchmark", "| method | psnr |")
    del inputs["recipe"]
    code, end = run({"task": "benchmark", "inputs": inputs, "outputs": {"folder": str(tmp_path / FOLDER)}})
    assert (code, end["table"]) == (0, "| method | psnr |")
    assert end["outputs"]["report"] == str(tmp_path / FOLDER / "benchmark.html")
    assert called["out_folder"] == tmp_path / FOLDER and called["cluster"] is None


def test_benchmark_goes_to_a_cluster(monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], tmp_path: Path) -> None:
    monkeypatch.setattr("MedSRLib.protocols.cluster.require", lambda module, extra: None)
    called = engine(monkeypatch, "MedSRLib.protocols.run", "run_benchmark", "")
    del inputs["recipe"]
    job = {"task": "benchmark", "inputs": inputs, "outputs": {"folder": str(tmp_path / FOLDER)}}
    code, _ = run(job | {"parameters": {"dask": "LOCAL", "workers": 3}})
    assert (code, called["cluster"].address, called["cluster"].workers) == (0, "LOCAL", 3)
    code, end = run(job | {"parameters": {"dask": "tcp://host:8786", "workers": 3}})
    assert code == 2 and "workers go with dask" in end["message"]


def test_demo_tells_its_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine(monkeypatch, "MedSRLib.demo", "run_demo", tmp_path / "report.html")
    code, end = run({"task": "demo", "outputs": {"folder": str(tmp_path / FOLDER)}})
    assert (code, end["outputs"]["report"]) == (0, str(tmp_path / "report.html"))


def test_bench_tells_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    called = engine(monkeypatch, "MedSRLib.bench.arssr", "run", {"seconds": {"ours": 1.0}})
    code, end = run({"task": "bench", "parameters": {"size": 16, "scale": 3}})
    assert (code, end["measured"]) == (0, {"seconds": {"ours": 1.0}})
    assert (called["size"], called["scale"], called["model"]) == (16, 3, None)
    run({"task": "bench"})
    assert (called["size"], called["scale"]) == (64, 2)


def test_bench_of_the_metrics_tells_a_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"value": 0.9, "seconds": 1.0}
    called = engine(monkeypatch, "MedSRLib.bench.metrics", "run", {"metrics": {"ssim": entry}})
    code, end = run({"task": "bench", "parameters": {"method": "metrics"}})
    assert (code, end["measured"]) == (0, {"metrics": {"ssim": entry}})
    assert called["size"] == 256 and "ssim" in end["table"]


@pytest.mark.parametrize("surplus", [{"scale": 2}, {"model": "arssr"}])
def test_bench_of_the_metrics_ignores_no_option(surplus: dict[str, Any]) -> None:
    code, end = run({"task": "bench", "parameters": {"method": "metrics", **surplus}})
    assert code == 2 and "neither a scale nor a model" in end["message"]


@pytest.mark.parametrize("task", ["train", "benchmark", "evaluate", "demo", "batch"])
def test_an_output_folder_below_a_file_is_refused_before_the_work(
    task: str, inputs: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    wanted = {"train": ("recipe", "manifest"), "benchmark": ("protocol", "manifest"), "batch": ("manifest",)}
    given = {name: inputs[name] for name in wanted.get(task, ())}
    if task == "evaluate":
        given = {"reference": inputs["manifest"], "results": {"a": inputs["manifest"]}}
    job: dict[str, Any] = {"task": task, "outputs": {"folder": str(tmp_path / "file" / "below")}}
    if given:
        job["inputs"] = given
    if task == "batch":
        job["parameters"] = {"scale": 2}
    code, end = run(job)
    assert (code, end["kind"]) == (2, "OutputError"), end


def test_a_recipe_that_comes_with_medsr_is_found_by_name(
    monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], tmp_path: Path
) -> None:
    called = engine(monkeypatch, "MedSRLib.training.engine", "train", tmp_path / "tiny.safetensors")
    job = {
        "task": "train",
        "inputs": {"recipe": "arssr-paper", "manifest": inputs["manifest"]},
        "outputs": {"folder": str(tmp_path / FOLDER)},
    }
    assert run(job)[0] == 0
    assert called["recipe_path"].parts[-3:] == ("Resources", "Recipes", "arssr-paper.toml")
    code, end = run(job | {"inputs": {"recipe": "arsr-paper.toml", "manifest": inputs["manifest"]}})
    assert code == 2
    assert "arssr-paper.toml" in end["message"]
