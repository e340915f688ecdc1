"""Environments with chosen distributions and what those require, taken from this one: nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

TIMEOUT = 120


def closure(names: Iterable[str]) -> set[str]:
    """Distributions and everything that they require here, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name not in found:
            found.add(name)
            needs = (Requirement(text) for text in distribution(name).requires or ())
            waiting += [each.name for each in needs if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


class FreshEnvironment:
    """A virtual environment in a folder, in which only these distributions can be imported."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._folder = folder
        self._python = folder / "environment" / "bin" / "python"
        venv.create(self._python.parents[1], symlinks=True)
        (packages,) = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.splitlines()
        for name in closure(names):
            _link(name, Path(packages))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder, with no variable of this process."""
        environment = {"PATH": os.defpath, "HOME": str(self._folder)}
        return subprocess.run(
            [self._python, *arguments],
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )


def _link(name: str, packages: Path) -> None:
    """Link the files and folders of a distribution. Those outside the folder of packages are scripts."""
    found = distribution(name)
    tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        link = packages / top
        if not link.exists():
            link.symlink_to(Path(str(found.locate_file(top))))
