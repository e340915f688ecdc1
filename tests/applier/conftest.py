"""The scenes that fault, applier and chaos tests share."""

from support.scenes import open_scene, scene

__all__ = ["open_scene", "scene"]
