"""`rsspot plan` by the size of a stack, beside a loop that only fetches and parses the same pages. Asserts nothing.

Each is a process of its own, start-up included, against one server with responses made ahead.
plan.py [SIZE…]
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from measuring import RSSPOT, alternating, at, cost, listening, tell
from stack import manifests

SIZES = (10, 100, 1_000, 2_000, 10_000)
ROUNDS = {10: 5, 100: 5, 1_000: 5, 2_000: 5, 10_000: 3}
"""Of a larger one, there is one."""
RECORDED = str(Path(__file__).with_name("recorded.py"))
BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]


def about(url: str) -> dict[str, Any]:
    """What the server has, and how many requests it has answered."""
    found: dict[str, Any] = json.load(urllib.request.urlopen(f"{url}/about"))
    return found


def requests(url: str, command: Sequence[str], environ: dict[str, str]) -> int:
    """How many requests a command sends."""
    before = about(url)["requests"]
    cost(command, environ)
    return int(about(url)["requests"]) - before - 1


def measured(size: int) -> None:
    """Print the results of one size."""
    with tempfile.TemporaryDirectory() as name, listening([RECORDED, str(size)]) as (url, _):
        lists = [path for path in about(url)["paths"] if path.startswith("/apis")]
        environ = at(url, name, next(path for path in lists if "/namespaces/" in path).split("/")[5])
        files = {"one": manifests(1), "same": manifests(size), "other": manifests(size, bid="0.07")}
        paths = {key: str(Path(name) / f"{key}.yaml") for key in files}
        for key, text in files.items():
            Path(paths[key]).write_text(text)
        bare, plan = [*BARE, url, *lists], [*RSSPOT, "plan", "-o", "json"]
        sent = {"bare": requests(url, bare, environ), "plan": requests(url, [*plan, paths["same"]], environ)}
        found = alternating(
            {
                "bare": partial(cost, bare, environ),
                "plan": partial(cost, [*plan, paths["same"]], environ),
                "changed": partial(cost, [*plan, paths["other"]], environ, codes=(0, 5)),
                "start": partial(cost, [*RSSPOT, "validate", paths["one"]], environ),
            },
            ROUNDS.get(size, 1),
        )
    for what, spent in found.items():
        tell(what, spent, objects=size, requests=sent.get(what))


def main(sizes: Sequence[int]) -> None:
    """Print the results of each size once they are measured."""
    for size in sizes:
        measured(size)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or SIZES)
