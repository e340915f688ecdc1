"""A registrar for the tests of scripts that register machines, and the scenes that other rooms have too."""

from support.registering import registrar
from support.scenes import open_scene, scene

__all__ = ["open_scene", "registrar", "scene"]
