"""What the scene cannot give or take, said in the user's words."""

from __future__ import annotations


class SceneError(Exception):
    """A problem with a node that the user can understand and mend."""
