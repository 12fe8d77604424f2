"""The packages that MedSR computes with: which are missing, and their installation when the user asks for it.

PyTorch is installed by the PyTorch extension, which chooses the build for the graphics card; the others by
Slicer's pip, without touching a package that Slicer brings.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
from pathlib import Path

from slicer.i18n import tr as _

TORCH_REQUIREMENT = ">=2.4"
IMPORTED_AS = {"scikit-image": "skimage"}
"""Packages whose import name is not their own."""


class SetupError(RuntimeError):
    """Why the packages could not be installed, and what to do next."""


def requirements(path: Path) -> dict[str, str]:
    """The lines of a requirements file by the name of their package."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line.split(">=")[0].strip(): line for line in lines if line}


def missing(path: Path) -> list[str]:
    """Names of the packages that cannot be found, PyTorch first; nothing is imported."""
    importlib.invalidate_caches()
    names = ["torch", *requirements(path)]
    return [name for name in names if importlib.util.find_spec(IMPORTED_AS.get(name, name)) is None]


def explanation(names: list[str]) -> str:
    """What would be installed, why, and how large it is, as HTML."""
    reasons = {
        "torch": _("PyTorch runs the methods, on the graphics card where there is one (up to 3 GB)"),
        "scikit-image": _("scikit-image finds the patient in the image (15 MB)"),
        "safetensors": _("safetensors reads trained models safely (1 MB)"),
        "pydantic": _("pydantic checks settings and model cards (5 MB)"),
    }
    lines = "".join(f"<li>{reasons.get(name, name)}</li>" for name in names)
    return _("MedSR needs packages that Slicer does not bring:") + f"<ul>{lines}</ul>"


def install(names: list[str], path: Path) -> None:
    """Install the packages; Slicer shows its own progress.

    Raises:
        SetupError: if the PyTorch extension is missing, the user declined, or an installation failed.
    """
    if "torch" in names:
        _install_torch()
    lines = [line for name, line in requirements(path).items() if name in names]
    if lines:
        _install_others(lines)
    left = missing(path)
    if left:
        raise SetupError(
            _("Still missing: {names}. See the log of Slicer's Python console, then press Set up again.").format(
                names=", ".join(left)
            )
        )


def _install_torch() -> None:
    try:
        import PyTorchUtils
    except ImportError as error:
        raise SetupError(
            _(
                "The PyTorch extension is missing: it installs PyTorch for your graphics card. Install it in the "
                "Extensions Manager (View menu), restart Slicer, and press Set up again."
            )
        ) from error
    logic = PyTorchUtils.PyTorchUtilsLogic()
    if logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH_REQUIREMENT) is None:
        raise SetupError(_("PyTorch was not installed. Press Set up to try again."))


def _install_others(lines: list[str]) -> None:
    try:
        packaging = importlib.import_module("slicer.packaging")
    except ImportError:  # before Slicer 5.12
        packaging = None
    try:
        if packaging is not None:
            requirements = importlib.import_module("packaging.requirements")
            packaging.pip_ensure([requirements.Requirement(line) for line in lines], requester="MedSR")
        else:
            import slicer

            for line in lines:
                slicer.util.pip_install(line)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            _("The packages could not be installed: {error}. Check the network, and press Set up again.").format(
                error=error
            )
        ) from error
