"""The user's language, where Slicer offers it; its scene library alone has none."""

from __future__ import annotations

try:
    from slicer.i18n import tr
except ImportError:  # plain slicer-core

    def tr(text: str) -> str:
        """The text as it is."""
        return text
