"""The packages that MedSR computes with: which are missing, and their installation when the user asks for it.

PyTorch is installed by the PyTorch extension, which chooses the build for the graphics card; the others by
Slicer's pip, without touching a package that Slicer brings.
"""

from __future__ import annotations

import importlib
import subprocess
from importlib import metadata
from pathlib import Path

from slicer.i18n import tr as _

TORCH_REQUIREMENT = ">=2.4"
_INSTALLATION_ERRORS = (RuntimeError, ValueError, OSError, ImportError, subprocess.CalledProcessError)


class SetupError(RuntimeError):
    """Why the packages could not be installed, and what to do next."""


def requirements(path: Path) -> dict[str, str]:
    """The lines of a requirements file by the name of their package."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line.split(">=")[0].strip(): line for line in lines if line}


def missing(path: Path, *, torch: bool = True) -> list[str]:
    """Names of the packages that are not there or too old, PyTorch (if asked for) first; none of them is imported."""
    importlib.invalidate_caches()
    wanted = {**({"torch": "torch" + TORCH_REQUIREMENT} if torch else {}), **requirements(path)}
    return [name for name, line in wanted.items() if not _installed(line)]


def explanation(names: list[str]) -> str:
    """What would be installed, why, and how large it is, as HTML."""
    reasons = {
        "torch": _("PyTorch runs the methods, on the graphics card where there is one (up to 3 GB)"),
        "scikit-image": _("scikit-image finds the patient in the image (15 MB)"),
        "safetensors": _("safetensors reads trained models safely (1 MB)"),
        "pydantic": _("pydantic checks settings and model cards (5 MB)"),
        "matplotlib": _("matplotlib draws the pictures of a report (30 MB)"),
        "lightning": _("lightning runs the training (20 MB)"),
        "jinja2": _("jinja2 writes the page of a report (1 MB)"),
    }
    lines = "".join(f"<li>{reasons.get(name, name)}</li>" for name in names)
    return _("MedSR needs packages that Slicer does not bring:") + f"<ul>{lines}</ul>"


def install(names: list[str], path: Path, *, torch: bool = True) -> None:
    """Install the packages; Slicer shows its own progress.

    Raises:
        SetupError: if the PyTorch extension is missing, the user declined, or an installation failed.
    """
    if "torch" in names:
        _install_torch()
    lines = [line for name, line in requirements(path).items() if name in names]
    if lines:
        _install_others(lines)
    left = missing(path, torch=torch)
    if left:
        raise SetupError(
            _("Still missing: {names}. See the log of Slicer's Python console, then press Set up again.").format(
                names=", ".join(left)
            )
        )


def _installed(line: str) -> bool:
    from packaging.requirements import Requirement

    requirement = Requirement(line)
    try:
        return requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


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
    try:
        torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH_REQUIREMENT)
    except _INSTALLATION_ERRORS as error:
        raise SetupError(
            _("PyTorch could not be installed: {error}. Restart Slicer, and press Set up again.").format(error=error)
        ) from error
    if torch is None:
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
    except _INSTALLATION_ERRORS as error:
        raise SetupError(
            _("The packages could not be installed: {error}. Check the network, and press Set up again.").format(
                error=error
            )
        ) from error
