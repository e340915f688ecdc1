"""Served simulators for the tests of this folder; they are those of the simulator tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "simulator"))

from processes import environment, serve

__all__ = ["environment", "serve"]
