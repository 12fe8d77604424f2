"""The released ArSSR checkpoints (https://github.com/iwuqing/ArSSR): their names and shapes, put into ours.

The architecture is read off the names and shapes of the tensors, and every tensor is checked against the network
it is meant for. Nothing of the released code is needed.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from MedSRLib.errors import ModelError
from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

# One rule a line: a released name, and ours; "before" and "after" count from 1 or 0, "half" leaves out the ReLUs.
_RULES: tuple[tuple[str, str], ...] = (
    (r"encoder\.sfe(\d)", "encoder.shallow{0}"),
    (r"encoder\.rdbs\.(\d+)\.layers\.(\d+)\.conv", "encoder.blocks.{0}.convs.{1}"),
    (r"encoder\.rdbs\.(\d+)\.lff", "encoder.blocks.{0}.fuse"),
    (r"encoder\.gff\.0", "encoder.fuse1"),
    (r"encoder\.gff\.1", "encoder.fuse2"),
    (r"encoder\.output", "encoder.out"),
    (r"encoder\.conv_start\.0", "encoder.first"),
    (r"encoder\.block(\d+)\.(\d+)", "encoder.groups.{before0}.convs.{half1}"),
    (r"encoder\.conv_end\.0", "encoder.last"),
    (r"encoder\.features\.(\d+)\.m\.(\d+)\.0", "encoder.blocks.{before0}.conv{after1}"),
    (r"decoder\.stage_one\.(\d+)", "decoder.stage1.{half0}"),
    (r"decoder\.stage_two\.(\d+)", "decoder.stage2.{half0}"),
)
_SEQUENCE = re.compile(r"encoder\.features\.(\d+)\.0\.(weight|bias)")


def translated(tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The architecture and the tensors of a released checkpoint, under our names.

    Args:
        tensors: the checkpoint's state dictionary.

    Raises:
        ModelError: if it is no ArSSR checkpoint, or its tensors contradict one another.
    """
    outer = sorted({int(m.group(1)) for name in tensors if (m := _SEQUENCE.fullmatch(name))})
    ours = {_our_name(name, outer): tensor for name, tensor in tensors.items()}
    try:
        config = ArSSRConfig.of(_architecture(ours))
    except (KeyError, IndexError, ValueError) as error:
        raise _no_arssr(str(error)) from error
    with torch.device("meta"):
        expected = ArSSR(config).state_dict()
    for name in sorted(expected.keys() ^ ours.keys()):
        raise _no_arssr(f"the tensor '{name}' is {'missing' if name in expected else 'not known'}")
    for name, tensor in expected.items():
        if tensor.shape != ours[name].shape:
            raise _no_arssr(f"'{name}' has shape {tuple(ours[name].shape)}, not {tuple(tensor.shape)}")
    return config.asdict(), ours


def _our_name(name: str, outer: list[int]) -> str:
    """Ours of a released tensor's name; ``outer`` are the places of SRResNet's plain convolutions."""
    stem, _, kind = name.rpartition(".")
    plain = _SEQUENCE.fullmatch(name)
    if plain and len(outer) == 3:
        return f"encoder.{('first', 'fuse', 'last')[outer.index(int(plain.group(1)))]}.{kind}"
    for pattern, template in _RULES:
        match = re.fullmatch(pattern, stem)
        if match:
            numbers = [int(group) for group in match.groups()]
            shifted = {f"before{i}": n - 1 for i, n in enumerate(numbers)}
            shifted |= {f"after{i}": n + 1 for i, n in enumerate(numbers)}
            halved = {f"half{i}": n // 2 for i, n in enumerate(numbers)}
            return f"{template.format(*numbers, **shifted, **halved)}.{kind}"
    raise _no_arssr(f"the tensor '{name}' is not known")


def _architecture(tensors: dict[str, Tensor]) -> dict[str, Any]:
    width, inputs = tensors["decoder.stage1.0.weight"].shape
    settings: dict[str, Any] = {
        "feature_dim": inputs - 3,
        "width": width,
        "depth": _count(tensors, r"decoder\.stage1\.(\d+)\.weight"),
    }
    if "encoder.shallow1.weight" in tensors:
        settings |= {"encoder": "rdn", "channels": tensors["encoder.shallow1.weight"].shape[0]}
        settings |= {"layers": _count(tensors, r"encoder\.blocks\.0\.convs\.(\d+)\.weight")}
        return settings | {"blocks": _count(tensors, r"encoder\.blocks\.(\d+)\.fuse\.weight")}
    settings["channels"] = tensors["encoder.first.weight"].shape[0]
    if "encoder.groups.0.convs.0.weight" in tensors:
        settings |= {"encoder": "rescnn", "layers": _count(tensors, r"encoder\.groups\.0\.convs\.(\d+)\.weight")}
        return settings | {"blocks": _count(tensors, r"encoder\.groups\.(\d+)\.convs\.0\.weight")}
    return settings | {"encoder": "srresnet", "blocks": _count(tensors, r"encoder\.blocks\.(\d+)\.conv1\.weight")}


def _count(tensors: dict[str, Tensor], pattern: str) -> int:
    return len([name for name in tensors if re.fullmatch(pattern, name)])


def _no_arssr(reason: str) -> ModelError:
    return ModelError(
        "The checkpoint does not hold ArSSR weights.",
        f"Found: {reason}.",
        "MedSR imports the checkpoints that the released ArSSR code writes (RDN, ResCNN, SRResNet).",
    )
