"""Scenes for the tests of this folder."""

from scenes import open_scene, scene

__all__ = ["open_scene", "scene"]
