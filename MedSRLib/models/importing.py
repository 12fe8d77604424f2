"""Bring foreign checkpoints into the library, as data: no code in them is ever run.

Released checkpoints are pickles of a state dictionary: those of ArSSR (https://github.com/iwuqing/ArSSR), and those of
EDSR, WDSR and SRFBN for photographs (see `networks.released_photographs`). They are read by torch's restricted
unpickler (``weights_only=True``), which builds tensors and plain containers and refuses everything else; the method and
its architecture follow from the names and shapes of the tensors.
"""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import __version__
from MedSRLib.errors import InputError, ModelError
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard, check_name

if TYPE_CHECKING:
    import torch

_CITATION = (
    "Q. Wu et al., An arbitrary scale super-resolution approach for 3D MR images via implicit neural "
    "representation, IEEE JBHI 27(2), 2023, arXiv:2110.14476"
)


def import_checkpoint(path: str | Path, name: str, folder: str | Path | None = None) -> library.Model:
    """A released checkpoint as a model of the library.

    Args:
        path: the .pkl or .pth file.
        name: what the model is to be called.
        folder: where to put it; the user's folder of the library if None.

    Raises:
        InputError: if the file cannot be read.
        ModelError: if it holds code, or no weights of a network that MedSR knows.
        OutputError: if the library has that name already, or cannot be written.
    """
    check_name(name)
    library.refuse_taken_name(name)
    stated, tensors = _recognised(_state_dict(Path(path)))
    card = ModelCard(
        name=name,
        **stated,
        licence="as the checkpoint's",
        recipe={"imported_from": Path(path).name},
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        medsr_version=__version__,
    )
    saved = library.save(library.Model(card, tensors), folder or library.user_folder())
    return library.load(saved)


def _recognised(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What a card says of a checkpoint, and its tensors under our names."""
    from MedSRLib.networks import catalogue, released, released_photographs

    method = released_photographs.method_of(tensors)
    if method is None:
        architecture, ours = released.translated(tensors)
        stated: dict[str, Any] = {
            "method": "arssr",
            "architecture": architecture,
            "scale_min": 2.0,  # the range the released code trains on
            "scale_max": 4.0,
            "citation": _CITATION,
            "limits": "Imported: its training data are not known to MedSR. Research use only; not a medical device.",
        }
        return stated, ours
    architecture, ours = released_photographs.translated(method, tensors)
    network: Any = catalogue.build(method, architecture)
    stated = {
        "method": method,
        "architecture": architecture,
        "scale_max": float(max(architecture["scale"])),
        "modalities": ["photographs"],
        "degradation": "bicubic, as published",
        "citation": network.citation,
        "limits": "Imported: trained on photographs, it adds detail as photographs have it. Research use only; not a "
        "medical device.",
    }
    return stated, ours


def _state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name; those of one wrapped in a dictionary or by DataParallel too."""
    import torch

    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"The checkpoint '{path}' cannot be read: {error.strerror}.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(
            f"The checkpoint '{path}' is refused.",
            "It is damaged, or it holds more than tensors; MedSR runs no code out of a file.",
            "Save its `state_dict()` alone, and import that.",
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content or not all(map(torch.is_tensor, content.values())):
        raise ModelError(
            f"The checkpoint '{path}' holds no state dictionary.",
            "A dictionary of tensors by name is expected.",
            "Save the network's `state_dict()`, and import that.",
        )
    return {str(key).removeprefix("module."): tensor.float() for key, tensor in content.items()}
