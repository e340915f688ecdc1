"""The script that installs a browser says what it does before it does it, and never fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "install_browser.sh"
TOOLS = {"apt-get": "exit 1", "sudo": 'echo "sudo $*"; exit 1', "id": "echo 1000"}


def run(folder: Path, **environ: str) -> str:
    """What the script prints on a machine with apt-get and sudo, and without a browser."""
    for name, body in TOOLS.items():
        tool = folder / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    for name in ("sh", "mktemp", "rm", "tail", "env"):
        (folder / name).symlink_to(next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists()))
    environment = {"PATH": str(folder), "HOME": os.environ["HOME"], **environ}
    ended = subprocess.run(["/bin/sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=True)
    return ended.stdout


def test_it_says_that_it_would_use_sudo_before_it_does(tmp_path: Path) -> None:
    """And goes on without a browser when sudo wants a password."""
    printed = run(tmp_path)
    assert printed.index("sudo -n apt-get") < printed.index("sudo asks for a password")
    assert "tests that need Chromium will be skipped" in printed


def test_a_variable_prevents_it(tmp_path: Path) -> None:
    """Nothing is tried."""
    assert "sudo" not in run(tmp_path, RSSPOT_NO_BROWSER="1")
