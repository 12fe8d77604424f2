"""HTML with everything inside it: templates, figures as data, and pages that stay small."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib._optional import require
from MedSRLib.files import write_text_atomic
from MedSRLib.progress import Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_BYTES = 15_000_000
RESOLUTIONS = (130, 100, 70, 45)
"""Pixels per inch of the figures; the first with which the page is small enough is taken."""

_CSS_PER_INCH = 118


def rendered(template: str | Path, **values: Any) -> str:
    """A template with its values; all text is escaped, and an unknown name is an error.

    Args:
        template: name in this folder, or the absolute path of another.

    Raises:
        MissingPackageError: without Jinja2.
    """
    jinja = require("jinja2", "evaluation")
    path = Path(__file__).parent / template
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(path.parent),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
    )
    return str(environment.get_template(path.name).render(**values))


def as_data(fig: Figure, dpi: int, css_per_inch: int = _CSS_PER_INCH) -> dict[str, Any]:
    """A figure as a PNG data URI with its width in CSS pixels."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"uri": f"data:image/png;base64,{code}", "width": round(fig.get_figwidth() * css_per_inch)}


def write_page(folder: Path, page: Callable[[int], str], progress: Progress) -> Path:
    """Write report.html with figures as fine as keep it below `MAX_BYTES`; return its path.

    Args:
        folder: exists.
        page: the page's text for figures of so many pixels per inch.
        progress: told that the report is written.
    """
    progress.stage("Writing the report")
    for dpi in RESOLUTIONS:
        text = page(dpi)
        progress.check()
        if len(text.encode()) < MAX_BYTES:
            break
    write_text_atomic(folder / "report.html", text)
    progress.update(1.0)
    return folder / "report.html"
