"""The file of a model's weights: bytes that look like safetensors, and the tensors in them; never a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from MedSRLib.errors import ModelError

if TYPE_CHECKING:
    import torch


def content_of(path: Path) -> bytes:
    """The file's bytes, once they look like safetensors: 8 bytes of header length, then a JSON object.

    Raises:
        ModelError: for a file that cannot be read or is something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model file '{path}' cannot be read: {error.strerror}.") from error
    if not 0 < int.from_bytes(content[:8], "little") <= len(content) - 8 or content[8:9] != b"{":
        raise ModelError(
            f"The file '{path}' is not a safetensors file.",
            "It may be a pickle with another name, which MedSR never loads, or it is cut short.",
            "Bring a foreign checkpoint in with `medsr models import`.",
        )
    return content


def tensors_in(content: bytes, path: Path) -> dict[str, torch.Tensor]:
    """The tensors by name, on the CPU.

    Raises:
        ModelError: if the content of the file at that path is damaged.
    """
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise ModelError(f"The model file '{path}' cannot be read.", str(error), "Fetch the model again.") from error
