"""From a finished run to a model: what was learned, and a card that says what it was learned from."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from MedSRLib import __version__
from MedSRLib.manifests import Manifest, spelled_once
from MedSRLib.models import library
from MedSRLib.models.card import ModelCard, TrainingData

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.progress import Progress
    from MedSRLib.training.learners import Learned
    from MedSRLib.training.recipe import Recipe
    from MedSRLib.training.split import Split


def save_model(
    recipe: Recipe, learned: Learned, split: Split, folder: Path, runtime: Runtime, progress: Progress
) -> Path:
    """Save what was learned with its card; return the weights' path."""
    stored = {"float16": torch.float16, "float32": torch.float32}[recipe.storage]
    tensors = {  # counts stay whole numbers
        name: (t.to(stored) if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in learned.tensors.items()
    }
    model = library.Model(_card(recipe, learned, split, tensors, runtime), tensors)
    path = library.save(model, folder)
    progress.log(f"Saved the model '{model.card.name}' with {model.card.parameters} parameters.")
    return path


def _card(
    recipe: Recipe, learned: Learned, split: Split, tensors: dict[str, torch.Tensor], runtime: Runtime
) -> ModelCard:
    d = recipe.data
    volumes = split.train.volumes
    data = _training_data(Manifest((*volumes, *split.unpaired), split.train.root))
    if recipe.start_from:
        known = {entry.name for entry in data}
        start = library.load(recipe.start_from, recipe.method).card
        data += [entry for entry in start.training_data if entry.name not in known]
    return ModelCard(
        name=recipe.name,
        method=recipe.method,
        architecture=learned.architecture,
        **learned.card,
        normalisation=d.normalisation,
        intensity=f"{d.normalisation} normalisation of the whole input volume",
        modalities=sorted(spelled_once({v.modality for v in volumes if v.modality})),
        organs=sorted({v.organ for v in volumes if v.organ}),
        training_data=data,
        licence=recipe.licence or ", ".join(sorted({entry.licence for entry in data if entry.licence})),
        recipe=recipe.model_dump(mode="json"),
        metrics=[
            {
                "name": "training",
                **learned.measured,
                "device": runtime.device,
                "precision": runtime.precision,
                "validation_subjects": split.validation_subjects,
            }
        ],
        parameters=sum(tensor.numel() for tensor in tensors.values()),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        medsr_version=__version__,
        citation=learned.citation,
        limits="Research use only; not a medical device. Learned detail is an estimate, not a measurement.",
    )


def _training_data(manifest: Manifest) -> list[TrainingData]:
    rows = []
    for dataset in sorted({v.dataset for v in manifest.volumes}):
        members = [v for v in manifest.volumes if v.dataset == dataset]
        licences = sorted({v.licence for v in members if v.licence})
        rows.append(
            TrainingData(
                name=dataset or "unnamed",
                licence="; ".join(licences) or "not stated",
                subjects=len({v.subject for v in members}),
                source=", ".join(sorted({v.subject for v in members})),
            )
        )
    return rows
