"""How thick the slices of a scan are, as its header tells."""

from __future__ import annotations

import math

import SimpleITK as sitk

THICKNESS_KEY = "MedSR_thickness_mm"
"""What `acquisition.degrade` writes, and what stays in files."""

DICOM_THICKNESS = "0018|0050"


def slice_thickness(image: sitk.Image) -> float | None:
    """The slice thickness in mm that the image's metadata tell; None if they tell none."""
    for key in (THICKNESS_KEY, DICOM_THICKNESS):
        if image.HasMetaDataKey(key):
            try:
                thickness = float(image.GetMetaData(key))
            except ValueError:
                continue  # a header that says "unknown" says nothing
            if math.isfinite(thickness) and thickness > 0:
                return thickness
    return None


def keep_thickness(image: sitk.Image, like: sitk.Image) -> None:
    """Let the image tell the thickness that ``like`` tells: filters of ITK drop the metadata."""
    thickness = slice_thickness(like)
    if thickness is not None:
        image.SetMetaData(THICKNESS_KEY, f"{thickness:g}")
