"""What several folders of tests share: scenes, worlds, servers and programs. Imported as `support.…`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(TESTS)}
"""For programs of this package: they import from it too."""


def program(name: str) -> list[str]:
    """The command that runs a module of this package as a program; it needs ENVIRONMENT."""
    return [sys.executable, "-m", f"support.{name}"]
