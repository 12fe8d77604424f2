"""HTML with everything inside it: the templates of this folder, and figures as data."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib._optional import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CSS_PER_INCH = 118


def rendered(template: str, **values: Any) -> str:
    """A template of this folder with its values; all text is escaped, and an unknown name is an error.

    Raises:
        MissingPackageError: without Jinja2.
    """
    jinja = require("jinja2", "evaluation")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
    )
    return str(environment.get_template(template).render(**values))


def as_data(fig: Figure, dpi: int) -> dict[str, Any]:
    """A figure as a PNG data URI with its width in CSS pixels."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"uri": f"data:image/png;base64,{code}", "width": round(fig.get_figwidth() * _CSS_PER_INCH)}
