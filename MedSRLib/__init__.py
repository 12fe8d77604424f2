"""MedSRLib: super-resolution and cross-modality synthesis of 3D medical images.

The library behind the ``medsr`` command and the MedSR extension of 3D Slicer. It imports neither Slicer
nor Qt nor VTK. Public borders speak ``SimpleITK.Image``; see CONTRIBUTING.md for the rooms of the house.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Loaded on first use, so that importing the package costs nothing.
_PUBLIC = {
    "upscale": "MedSRLib.upscaling",
    "read": "MedSRLib.images",
    "write": "MedSRLib.images",
}

__all__ = ["__version__", "read", "upscale", "write"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'MedSRLib' has no attribute {name!r}")
