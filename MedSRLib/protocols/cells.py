"""The single measurements of a benchmark: what decides each, and how it is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import Volume
from MedSRLib.protocols.protocol import CompetingMethod, Degradation, Volumes
from MedSRLib.protocols.scales import Scale, scale_text

Row = dict[str, Any]


@dataclass(frozen=True)
class Scan:
    """A volume of a group with all that belongs to it in the protocol.

    Attributes:
        volume: of the manifest.
        paths: by part: "volume", and where the protocol uses them "mask", "labels", "lesions", "guide", "target".
        sums: SHA-256 of each.
    """

    volume: Volume
    paths: Mapping[str, Path]
    sums: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """What a method is given and measured by: a volume made coarse in one way, to one scale, in one position.

    Attributes:
        frame: of a 4D volume, from zero; None for a 3D one.
        rotation: degrees in the plane of the slices.
        mask: see `protocol.Header`.
        measures: names of `evaluation.measures`.
        seed: of the protocol.
    """

    group: Volumes
    scan: Scan
    frame: int | None
    degradation: Degradation
    scale: Scale
    rotation: float
    mask: str
    measures: tuple[str, ...]
    seed: int

    @property
    def task(self) -> tuple[Any, ...]:
        """Equal for the cases that are computed together: one volume (or frame), degradation and scale."""
        return self.group.label, self.scan.paths["volume"], self.frame, self.degradation.name, scale_text(self.scale)

    @property
    def noise_seed(self) -> int:
        """Seed of the noise: differs between all cases that differ in their image, not between methods."""
        text = f"{self.seed} {self.scan.sums['volume']} {self.degradation.kind} {scale_text(self.scale)}"
        if self.frame is not None:
            text += f" frame {self.frame}"
        if self.rotation:
            text += f" rotation {self.rotation:g}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def decided_by(self) -> dict[str, Any]:
        """Everything of the case that decides a measurement."""
        return {
            "files_sha256": dict(self.scan.sums),
            "frame": self.frame,
            "axis": self.group.axis,
            "degradation": self.degradation.model_dump(exclude={"name"}),
            "scale": scale_text(self.scale),
            "rotation": self.rotation,
            "mask": self.mask,
            "measures": list(self.measures),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Cell:
    """One measurement: a method on a case.

    Attributes:
        model: name or path of the weights, None for a method without.
        model_sha256: checksum of the weights.
        code: hash of the code that computes it (`sources.digest`).
    """

    case: Case
    method: CompetingMethod
    model: str | None
    model_sha256: str | None
    code: str
    runtime: Runtime

    def decided_by(self) -> dict[str, Any]:
        """Everything that decides the measurement."""
        return self.case.decided_by() | {
            "method": self.method.identifier,
            "options": self.method.options_for(self.case.degradation),
            "ensemble": self.method.ensemble,
            "refine": self.method.refine,
            "guide": self.method.guide,
            "model_sha256": self.model_sha256,
            "code": self.code,
            "device": self.runtime.device,
            "precision": self.runtime.precision,
        }

    @property
    def key(self) -> str:
        """A name made of all that decides the measurement."""
        content = json.dumps(self.decided_by(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def labels(self) -> Row:
        """How the measurement is called in the results."""
        case, volume = self.case, self.case.scan.volume
        return {
            "group": case.group.label,
            "dataset": volume.dataset,
            "subject": volume.subject,
            "volume": volume.path.name,
            "sha256": case.scan.sums["volume"],
            "frame": case.frame,
            "degradation": case.degradation.name,
            "scale": scale_text(case.scale),
            "rotation": case.rotation,
            "method": self.method.label,
            "model": self.model,
        }

    def spoken(self) -> str:
        """The measurement for people."""
        row = self.labels()
        frame = "" if row["frame"] is None else f" frame {row['frame']}"
        turned = f", {row['rotation']:g}°" if row["rotation"] else ""
        return f"{row['subject']}{frame}, {row['degradation']} ×{row['scale']}{turned}: {row['method']}"


@dataclass(frozen=True)
class Measured:
    """What a measurement found.

    Attributes:
        row: numbers (None where undefined), data range, mask, seconds.
        slices: "axis" (i, j or k), "index" and "position_mm" of the measured slices, and a list of numbers for each
            measure that has one a slice; None where a slice is not counted.
    """

    row: Row
    slices: dict[str, Any]
