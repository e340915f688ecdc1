"""The scripts that install a browser and a database say what they do before they do it, and never fail."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
TOOLS = {"apt-get": "exit 1", "sudo": 'echo "sudo $*"; exit 1', "id": "echo 1000"}


def run(folder: Path, script: str = "install_browser.sh", **environ: str) -> str:
    """What a script prints on a machine with apt-get and sudo, and without a browser."""
    for name, body in TOOLS.items():
        tool = folder / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    for name in ("sh", "mktemp", "rm", "tail", "env"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists()))
    environment = {"PATH": str(folder), "HOME": os.environ["HOME"], **environ}
    ended = subprocess.run(
        ["/bin/sh", str(SCRIPTS / script)], env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout


def test_it_says_that_it_would_use_sudo_before_it_does(tmp_path: Path) -> None:
    """And goes on without a browser when sudo wants a password."""
    printed = run(tmp_path)
    assert printed.index("sudo -n apt-get") < printed.index("sudo asks for a password")
    assert "tests that need Chromium will be skipped" in printed


def test_a_variable_prevents_it(tmp_path: Path) -> None:
    """Nothing is tried."""
    assert "sudo" not in run(tmp_path, RSSPOT_NO_BROWSER="1")
    printed = run(tmp_path, "install_postgres.sh", RSSPOT_NO_POSTGRES="1")
    assert printed == "no PostgreSQL: RSSPOT_NO_POSTGRES is set; the tests that need a server will be skipped\n"
