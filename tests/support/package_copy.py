"""A copy of the package, to change something in it as a contributor would, and to run the result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "rsspot"


class PackageCopy:
    """A copy of the package in a folder, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "lib" / "rsspot"
        # With its bytecode, which stays valid for the files that are not changed.
        shutil.copytree(PACKAGE, self.source)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder / "lib")}

    def write(self, name: str, text: str) -> None:
        """Write a file of the package."""
        file = self.source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, name: str, before: str, after: str) -> None:
        """Change a file of the package in one place."""
        text = (self.source / name).read_text()
        assert text.count(before) == 1, f"{name} has {before!r} {text.count(before)} times"
        (self.source / name).write_text(text.replace(before, after))

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        """Serve the simulator, and have later commands use it; returns once it is ready."""
        ready = self.folder / "ready.json"
        server = subprocess.Popen(
            [sys.executable, "-m", "rsspot", "simulator", "serve", "--ready-file", str(ready), *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(600):
            if ready.exists():
                break
            time.sleep(0.1)
        about = json.loads(ready.read_text())
        self.environment |= {
            "RSSPOT_BASE_URL": about["base_url"],
            "RSSPOT_OAUTH_URL": about["oauth_url"],
            "RSSPOT_REFRESH_TOKEN": about["refresh_token"],
            "RSSPOT_ORG": about["organization"],
        }
        return server

    def python(self, *arguments: str, code: int = 0) -> str:
        """Run Python with the copy; gives its output. code: the exit code that it must end with."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def rsspot(self, *arguments: str, code: int = 0) -> str:
        """Run a command of the copy; gives its output."""
        return self.python("-m", "rsspot", *arguments, code=code)
