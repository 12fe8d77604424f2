"""Makes MedSRLib importable: it is installed beside the module, or lies at the root of a source tree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

OWN_PACKAGES = ("MedSRLib", "MedSRScene", "MedSRPanel")


def findable() -> bool:
    """Whether MedSRLib can be found; a source tree around this module is added to the import path once."""
    if importlib.util.find_spec("MedSRLib") is not None:
        return True
    for folder in Path(__file__).resolve().parents:
        if (folder / "MedSRLib" / "__init__.py").is_file():
            sys.path.append(str(folder))
            importlib.invalidate_caches()
            return True
    return False


def forget() -> None:
    """Let the next import read every package of MedSR again, for a reload of the module."""
    for name in [name for name in sys.modules if name.split(".")[0] in OWN_PACKAGES]:
        del sys.modules[name]
