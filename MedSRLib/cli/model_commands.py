"""``medsr models ...``: look at the library of models, check it, and add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from MedSRLib.cli.rendering import print_table, telling_errors, write_json

app = typer.Typer(help="The library of trained models.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A name of `medsr models list`, or the path of a model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models, shipped ones first."""
    with telling_errors():
        from MedSRLib.models import guiding, library

        cards = library.cards()
        damaged = library.damaged()
        if as_json:
            found = {name: card.model_dump(mode="json") for name, card in cards.items()}
            write_json({"models": found, "damaged": damaged})
            return
        rows = [
            (
                name,
                card.method,
                f"{card.scale_min:g} to {card.scale_max:g}",
                ", ".join(card.modalities) + (f", guided by {guiding.told(card)}" if card.guide_modalities else ""),
                card.licence,
            )
            for name, card in cards.items()
        ]
        print_table(("model", "method", "scales", "modalities", "licence"), rows)
        for problem in damaged.values():
            typer.echo(f"Warning: {problem}", err=True)


@app.command()
def show(
    name: Name,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the atoms or filters of a dictionary into this file (.png, .pdf, .svg).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the card of a model, or a picture of its dictionary."""
    with telling_errors():
        from MedSRLib.models import library

        if picture is not None:
            from MedSRLib.methods import dictionary_picture

            dictionary_picture.draw(name, picture)
            typer.echo(f"Wrote {picture}")
            return
        card = library.card_of(name).model_dump(mode="json")
        if as_json:
            write_json(card)
            return
        for key, value in card.items():
            if value not in ("", [], {}, None):
                typer.echo(f"{key.replace('_', ' ')}: {value}")


@app.command("import")
def import_model(
    source: Annotated[Path, typer.Argument(help="A released ArSSR checkpoint (.pkl), or a .safetensors model.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the name of the file if not given.")] = None,
) -> None:
    """Copy a model, or a foreign checkpoint, into your folder of the library."""
    with telling_errors():
        from MedSRLib.models import importing, library

        if source.suffix == library.WEIGHTS:
            written: Path | None = library.install(source, name)
        else:
            written = importing.import_checkpoint(source, name or source.stem).path
        typer.echo(f"Wrote {written}")


@app.command()
def verify(name: Annotated[str | None, typer.Argument(help="A model; all if not given.")] = None) -> None:
    """Check the files of a model, or of all: format, card and checksum."""
    with telling_errors():
        from MedSRLib.models import library

        for each in [name] if name else library.names():
            library.verify(each)
            typer.echo(f"{each}: whole")


@app.command()
def path(
    name: Annotated[str | None, typer.Argument(help="A model; your own folder if not given.")] = None,
) -> None:
    """Show where a model lies, or the folder for your own models (MEDSR_MODELS sets another)."""
    with telling_errors():
        from MedSRLib.models import library

        typer.echo(library.locate(name) if name else library.user_folder())
