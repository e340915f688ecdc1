"""The scenes of the fault tests, and a world that many histories share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from scenes import open_scene, scene

__all__ = ["open_scene", "scene"]
