"""Released checkpoints for photographs, put into our names: EDSR, WDSR and SRFBN.

    EDSR   https://github.com/sanghyun-son/EDSR-PyTorch, and the copy in https://github.com/Paper99/SRFBN_CVPR19
    WDSR   https://github.com/JiahuiYu/wdsr_ntire2018, types A and B
    SRFBN  https://github.com/Paper99/SRFBN_CVPR19

The architecture is read off the names and shapes of the tensors. What does not show in them is as published: EDSR of
256 features multiplies its branches by 0.1, smaller ones by 1; SRFBN makes 4 steps. These networks take colours from 0
to 255 less a mean, WDSR divided by 127.5; the factors go into the first and last layers here, so that ours take 0 to 1
(`photographs.Grey` subtracts the mean).
"""

from __future__ import annotations

import re
from math import isqrt
from typing import Any

import torch
from torch import Tensor

from MedSRLib.errors import ModelError
from MedSRLib.networks import catalogue
from MedSRLib.networks.photographs import MEAN

_SIGN = {"edsr": "tail.1.weight", "wdsr": "skip.0.weight_v", "srfbn": "conv_in.0.weight"}
"""A tensor that only this one has."""

_INSIDE = "body.body."
"""Where the network is in `OnGrid` and `Grey`."""

# One rule a line: a released name and ours.
_RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "edsr": (
        (r"head\.0\.(.+)", r"head.\1"),
        (r"body\.(\d+)\.body\.0\.(.+)", r"body.\1.conv1.\2"),
        (r"body\.(\d+)\.body\.2\.(.+)", r"body.\1.conv2.\2"),
        (r"body\.(\d+)\.(weight|bias)", r"body.\1.\2"),
        (r"tail\.0\.0\.(.+)", r"up.0.0.\1"),
        (r"tail\.0\.2\.(.+)", r"up.1.0.\1"),
        (r"tail\.0\.4\.(.+)", r"up.2.0.\1"),
        (r"tail\.1\.(.+)", r"last.\1"),
    ),
    "wdsr": (
        (r"(head|tail|skip)\.0\.(.+)", r"\1.\2"),
        (r"body\.(\d+)\.body\.0\.(.+)", r"body.\1.wide.\2"),
        (r"body\.(\d+)\.body\.2\.(.+)", r"body.\1.narrow.0.\2"),
        (r"body\.(\d+)\.body\.3\.(.+)", r"body.\1.narrow.1.\2"),
    ),
    "srfbn": (
        (r"conv_in\.(.+)", r"first.\1"),
        (r"feat_in\.(.+)", r"second.\1"),
        (r"out\.(.+)", r"up.\1"),
        (r"conv_out\.0\.(.+)", r"last.\1"),
        (r"block\.compress_in\.(.+)", r"block.enter.\1"),
        (r"block\.compress_out\.(.+)", r"block.leave.\1"),
        (r"block\.upBlocks\.(.+)", r"block.ups.\1"),
        (r"block\.downBlocks\.(.+)", r"block.downs.\1"),
        (r"block\.uptranBlocks\.(.+)", r"block.gather_low.\1"),
        (r"block\.downtranBlocks\.(.+)", r"block.gather_high.\1"),
    ),
}


def method_of(tensors: dict[str, Tensor]) -> str | None:
    """The method whose released checkpoint these tensors are of; None for any other."""
    return next((method for method, name in _SIGN.items() if name in tensors), None)


def translated(method: str, tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The architecture and the tensors of a released checkpoint, under our names.

    Raises:
        ModelError: if its tensors contradict one another.
    """
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(("sub_mean.", "add_mean."))}
    try:
        architecture = _ARCHITECTURES[method](kept)
        if architecture["channels_in"] != len(MEAN):
            raise ValueError(f"{architecture['channels_in']} channels")
        with torch.device("meta"):
            network: Any = catalogue.build(method, architecture)
    except (KeyError, IndexError, ValueError) as error:
        raise _refused(method, str(error)) from error
    ours = {_our_name(method, name): tensor for name, tensor in kept.items()}
    expected = network.state_dict()
    for name in sorted(expected.keys() ^ ours.keys()):
        raise _refused(method, f"the tensor '{name}' is {'missing' if name in expected else 'not known'}")
    for name, wanted in expected.items():
        if wanted.shape != ours[name].shape:
            raise _refused(method, f"'{name}' has shape {tuple(ours[name].shape)}, not {tuple(wanted.shape)}")
    _rescale(ours, method, _range(method, tensors))
    return network.architecture(), ours


def _our_name(method: str, name: str) -> str:
    for pattern, ours in _RULES[method]:
        if re.fullmatch(pattern, name):
            found = re.sub(pattern, ours, name)
            for norm, number in (("weight_g", "original0"), ("weight_v", "original1")):
                found = found.replace(norm, f"parametrizations.weight.{number}")
            return f"{_INSIDE}{found}"
    raise _refused(method, f"the tensor '{name}' is not known")


def _edsr(tensors: dict[str, Tensor]) -> dict[str, Any]:
    features = len(tensors["head.0.weight"])
    scale = 1
    for step in (0, 2, 4):
        if f"tail.0.{step}.weight" in tensors:
            scale *= _root(len(tensors[f"tail.0.{step}.weight"]) / features)
    return {
        "scale": (scale, scale),
        "channels_in": tensors["head.0.weight"].shape[1],
        "features": features,
        "blocks": _count(tensors, r"body\.\d+\.body\.0\.weight"),
        "residual_scale": 0.1 if features == 256 else 1.0,
    }


def _wdsr(tensors: dict[str, Tensor]) -> dict[str, Any]:
    channels = tensors["head.0.weight_v"].shape[1]
    scale = _root(len(tensors["tail.0.weight_v"]) / channels)
    return {
        "scale": (scale, scale),
        "channels_in": channels,
        "features": len(tensors["head.0.weight_v"]),
        "expansion": len(tensors["body.0.body.0.weight_v"]),
        "blocks": _count(tensors, r"body\.\d+\.body\.0\.weight_v"),
        "kind": "B" if "body.0.body.3.weight_v" in tensors else "A",
    }


def _srfbn(tensors: dict[str, Tensor]) -> dict[str, Any]:
    scale = tensors["out.0.weight"].shape[-1] - 4
    return {
        "scale": (scale, scale),
        "channels_in": tensors["conv_in.0.weight"].shape[1],
        "features": len(tensors["feat_in.0.weight"]),
        "groups": _count(tensors, r"block\.upBlocks\.\d+\.0\.weight"),
    }


_ARCHITECTURES = {"edsr": _edsr, "wdsr": _wdsr, "srfbn": _srfbn}


def _range(method: str, tensors: dict[str, Tensor]) -> float:
    """By how much the released network's intensities are larger than 0 to 1."""
    if method == "wdsr":
        return 255 / 127.5
    means = -tensors["sub_mean.bias"] if "sub_mean.bias" in tensors else 255 * torch.tensor(MEAN)
    factors = means / torch.tensor(MEAN)
    if factors.max() - factors.min() > 1e-3 * factors.max():
        raise _refused(method, f"its mean colour is {means.tolist()}, not that of DIV2K")
    return float(factors.mean())


def _rescale(tensors: dict[str, Tensor], method: str, factor: float) -> None:
    first, *last = {"edsr": ("head", "last"), "wdsr": ("head", "tail"), "srfbn": ("first.0", "last")}[method]
    size = "parametrizations.weight.original0" if method == "wdsr" else "weight"
    factors = {f"{first}.{size}": factor} | {f"{layer}.{part}": 1 / factor for layer in last for part in (size, "bias")}
    if method == "wdsr":  # past the body, only the bias knows the range
        factors["skip.bias"] = 1 / factor
    for name, value in factors.items():
        tensors[f"{_INSIDE}{name}"] = tensors[f"{_INSIDE}{name}"] * value


def _root(ratio: float) -> int:
    root = isqrt(int(ratio))
    if root * root != ratio:
        raise ValueError(f"a pixel shuffle of {ratio:g} channels")
    return root


def _count(tensors: dict[str, Tensor], pattern: str) -> int:
    return len([name for name in tensors if re.fullmatch(pattern, name)])


def _refused(method: str, reason: str) -> ModelError:
    return ModelError(
        f"The checkpoint looks like {method.upper()}'s, and cannot be used.",
        f"Found: {reason}.",
        "MedSR imports the released EDSR, WDSR and SRFBN for photographs in three colours.",
    )
