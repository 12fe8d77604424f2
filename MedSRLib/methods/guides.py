"""Guides as users give them, and as methods get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import SimpleITK as sitk

    Given = sitk.Image | Mapping[str, sitk.Image] | Sequence["sitk.Image | Guide"] | None
    """One image; several by what they show, {"T1w": image}; or several images or guides."""

    Guides = Sequence["Guide"]


@dataclass(frozen=True)
class Guide:
    """A fine image of another modality of the same patient.

    Attributes:
        image: 3D.
        modality: what it shows ("T1w", "FLAIR"); empty if not known.
        told: what was done to it, in words; empty for nothing.
    """

    image: sitk.Image
    modality: str = ""
    told: str = ""

    @property
    def called(self) -> str:
        """ "T1w guide", in messages."""
        return f"{self.modality} guide".strip()


def guides_of(given: Given) -> tuple[Guide, ...]:
    """What a user gave, one by one."""
    import SimpleITK as sitk

    if given is None:
        return ()
    if isinstance(given, sitk.Image):
        return (Guide(given),)
    if isinstance(given, Mapping):
        return tuple(Guide(image, modality) for modality, image in given.items())
    return tuple(each if isinstance(each, Guide) else Guide(each) for each in given)


def told_of(guides: Sequence[Guide]) -> str:
    """What was done to some guides: of one in its own words, of several by their modalities."""
    done = [guide for guide in guides if guide.told]
    if len(guides) == 1:
        return "".join(guide.told for guide in done)
    return " | ".join(f"{guide.called} {guide.told}" for guide in done)
