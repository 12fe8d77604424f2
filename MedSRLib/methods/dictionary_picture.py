"""The dictionary of a trained model, drawn into a file."""

from __future__ import annotations

from pathlib import Path

from MedSRLib.errors import ModelError, OutputError

_KINDS = (".png", ".pdf", ".svg")


def draw(name: str, path: Path) -> None:
    """Draw the atoms or filters of a model, the strongest first.

    Args:
        name: of a model of the library, or its path.
        path: the picture, .png, .pdf or .svg.

    Raises:
        ModelError: for a model without atoms or filters to show.
        OutputError: for another kind of file.
    """
    from MedSRLib.evaluation import atom_pictures
    from MedSRLib.models import library
    from MedSRLib.models.building import trained
    from MedSRLib.sparse.atoms import atoms_of

    if path.suffix.lower() not in _KINDS:
        raise OutputError(f"The picture '{path}' is of no known kind.", "", f"Use a name that ends in {_KINDS[0]}.")
    model = library.load(name, library.card_of(name).method)
    network = trained(model)
    kinds = atoms_of(getattr(network, "body", network))
    if not kinds:
        raise ModelError(
            f"The model '{model.card.name}' has no atoms or filters to show.",
            f"It is one of the method '{model.card.method}'.",
            "Choose a model of the dictionary family, such as csc-sr.",
        )
    atom_pictures.draw({title: atoms.numpy() for title, atoms in kinds.items()}, model.card.name, path)
