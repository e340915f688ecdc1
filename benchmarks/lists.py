"""Lists of pools by the command line, in every format, beside a loop that only fetches and parses the pages.

The server runs in its own process and has its responses ready. Rounds of all formats alternate. Asserts nothing.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from measuring import RSSPOT, alternating, at, cost, listening, tell

SIZES = (500, 10_000)
ROUNDS = 3
FORMATS = ("json", "yaml", "table", "csv", "wide", "name")
NAMESPACE = "org-bench"
POOL_LIST = f"/apis/ngpc.rxt.io/v1/namespaces/{NAMESPACE}/spotnodepools"
BENCHMARKS = Path(__file__).parent


def measured(size: int, folder: str) -> None:
    """Print the results of one size."""
    with listening([str(BENCHMARKS / "server.py"), str(size)]) as (url, server):
        commands = {
            "bare": [sys.executable, str(BENCHMARKS / "bare.py"), url, POOL_LIST],
            "start": [*RSSPOT, "spotnodepools", "list", "--help"],
            **{name: [*RSSPOT, "spotnodepools", "list", "-o", name] for name in FORMATS},
        }
        environ = at(url, folder, NAMESPACE)
        run = {what: partial(cost, command, environ, server=server) for what, command in commands.items()}
        for what, spent in alternating(run, ROUNDS).items():
            tell(what, spent, objects=size)


def main() -> None:
    """Print the results of each size once they are measured."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            measured(size, folder)


if __name__ == "__main__":
    main()
