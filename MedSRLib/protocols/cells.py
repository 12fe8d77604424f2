"""The single measurements of a benchmark: what decides each, how it is called, where it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import MedSRLib
from MedSRLib import files
from MedSRLib.errors import InputError, ModelError
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import Manifest, Volume
from MedSRLib.methods import registry
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.protocols.protocol import CompetingMethod, Degradation, Protocol, scale_text

Row = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One measurement: a method on a volume degraded in one way to one scale.

    Attributes:
        sha256: of the volume's file.
        model: name or path of the weights, None for a method without.
        model_sha256: checksum of the weights.
        seed: of the protocol.
    """

    group: str
    volume: Volume
    sha256: str
    degradation: Degradation
    scale: float | tuple[float, float, float]
    method: CompetingMethod
    model: str | None
    model_sha256: str | None
    seed: int
    runtime: Runtime

    def decided_by(self) -> dict[str, Any]:
        """Everything that decides the measurement."""
        return {
            "volume_sha256": self.sha256,
            "degradation": {"kind": self.degradation.kind, "noise": self.degradation.noise},
            "scale": scale_text(self.scale),
            "method": self.method.identifier,
            "options": self.method.options_for(self.degradation),
            "model_sha256": self.model_sha256,
            "seed": self.seed,
            "medsr_version": MedSRLib.__version__,
            "device": self.runtime.device,
            "precision": self.runtime.precision,
        }

    def file(self, folder: Path) -> Path:
        """Where the measurement is kept: a name made of all that decides it."""
        content = json.dumps(self.decided_by(), sort_keys=True)
        return folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"

    @property
    def noise_seed(self) -> int:
        """Seed of the noise: differs between volumes, degradations and scales, not between methods."""
        text = f"{self.seed} {self.sha256} {self.degradation.kind} {scale_text(self.scale)}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def labels(self) -> Row:
        """How the measurement is called in the results."""
        return {
            "group": self.group,
            "dataset": self.volume.dataset,
            "subject": self.volume.subject,
            "volume": self.volume.path.name,
            "sha256": self.sha256,
            "degradation": self.degradation.name,
            "scale": scale_text(self.scale),
            "method": self.method.label,
            "model": self.model,
        }


def plan(protocol: Protocol, manifest: Manifest, runtime: Runtime, progress: Progress) -> list[Cell]:
    """Every measurement of the protocol, volume by volume, after a check of files and models.

    Raises:
        InputError: for a volume that is missing or differs from the manifest, or if none is selected.
        ModelError: for a method whose model is missing.
    """
    cells = []
    for group in protocol.volumes:
        chosen = manifest.select(
            role=group.role, modality=group.modality, dataset=group.dataset, organ=group.organ
        ).volumes
        if not chosen:
            progress.warn(f"The manifest has no volume for the group '{group.label}'; it is left out.")
        for volume in chosen:
            progress.check()
            checksum = checked_sum(volume)
            cells += [
                Cell(
                    group.label,
                    volume,
                    checksum,
                    degradation,
                    scale,
                    method,
                    *model,
                    protocol.protocol.seed,
                    runtime,
                )
                for degradation in protocol.degradation
                for scale in protocol.protocol.scales
                for method, model in _with_models(protocol, degradation, volume)
            ]
    if not cells:
        raise InputError(
            "No volume of the manifest belongs to the protocol.",
            f"It wants {'; '.join(str(g.model_dump(exclude_none=True)) for g in protocol.volumes)}.",
            "Give a manifest with such volumes, or change the protocol's [[volumes]].",
        )
    return cells


def checked_sum(volume: Volume) -> str:
    """SHA-256 of a volume's file.

    Raises:
        InputError: if the file is missing, or its checksum is not the manifest's.
    """
    if not volume.path.is_file():
        raise InputError(
            f"The volume '{volume.path}' of the manifest is not a file.", "", "Check the manifest's paths."
        )
    found = files.sha256(volume.path)
    if volume.sha256 and found != volume.sha256.lower():
        raise InputError(
            f"The volume '{volume.path}' is not the one of the manifest.",
            f"Its SHA-256 is {found[:12]}…, the manifest says {volume.sha256[:12]}…",
            "Fetch it again, or correct the manifest.",
        )
    return found


def _with_models(
    protocol: Protocol, degradation: Degradation, volume: Volume
) -> Iterator[tuple[CompetingMethod, tuple[str | None, str | None]]]:
    """Each method with the name and checksum of the model it will use on the degraded volume."""
    for method in protocol.method:
        if not registry.get(method.identifier).info.needs_model:
            yield method, (None, None)
            continue
        name = method.model_for(degradation) or library.default(method.identifier, volume.modality or None)
        if name is None:
            raise ModelError(
                f"The library has no model of method '{method.identifier}'.",
                "",
                "Train or import one, or name one in the protocol.",
            )
        yield method, (name, library.card_of(name, method.identifier).weights_sha256)
