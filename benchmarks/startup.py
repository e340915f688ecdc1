"""Counts the instructions of starting rsspot, beside Python and kubectl. Asserts nothing.

Instructions are counted by valgrind, so that they do not depend on what else the
machine does; without valgrind there are only milliseconds. `plan` ends at its first request, to a port where nobody
listens.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import RSSPOT, SUBJECT, environment, tell

NOBODY = "http://127.0.0.1:9"
POOLS = 9
"""With their cloudspace, ten objects."""
STACK = """apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1}
""" + "".join(
    f"""---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {{name: pool-{number}}}
spec: {{cloudSpace: edge, serverClass: gp.vs1.large-dfw, desired: 1, bidPrice: 0.03}}
"""
    for number in range(POOLS)
)
COMMANDS = {
    "python -c pass": [SUBJECT, "-c", "pass"],
    "rsspot --version": [*RSSPOT, "--version"],
    "rsspot --help": [*RSSPOT, "--help"],
    "complete a command": [*RSSPOT, "__complete", "nodepools", "spot", "cre"],
    "rsspot plan --help": [*RSSPOT, "plan", "--help"],
    "rsspot validate, 10 objects": [*RSSPOT, "validate", "stack.yaml"],
    "rsspot plan, 10 objects": [*RSSPOT, "plan", "stack.yaml"],
    "kubectl --help": ["kubectl", "--help"],
    "kubectl diff, to its first request": ["kubectl", "--server", NOBODY, "diff", "-f", "stack.yaml"],
}


def instructions(command: list[str], environment: dict[str, str], folder: str) -> int | None:
    """How many instructions a command executes, in its own process. None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    ended = subprocess.run(
        [*valgrind, *command], check=False, env=environment, cwd=folder, capture_output=True, text=True, timeout=600
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", ended.stderr)
    return int(found[1].replace(",", "")) if found else None


def milliseconds(command: list[str], environment: dict[str, str], folder: str) -> float:
    """The fastest of five runs. The first one also makes the bytecode."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, timeout=600)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def main() -> None:
    """Print the results of each command."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stack.yaml").write_text(STACK)
        urls = {"BASE_URL": NOBODY, "OAUTH_URL": NOBODY, "FEEDS_URL": NOBODY}
        settings = {**urls, "ORG": "acme", "MAX_RETRIES": "0", "REFRESH_TOKEN": "a-token-of-nobody"}
        environ = environment(folder, **settings)
        for name, command in COMMANDS.items():
            if shutil.which(command[0]) is not None:
                took = milliseconds(command, environ, folder)
                tell(name, milliseconds=took, instructions=instructions(command, environ, folder))


if __name__ == "__main__":
    main()
