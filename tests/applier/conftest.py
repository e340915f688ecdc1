"""Scenes for the tests of this folder; they are those of the fault tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from scenes import open_scene, scene

__all__ = ["open_scene", "scene"]
