"""Compare what the tests leave uncovered of some rooms with the list of what may stay so, each with its reason.

    coverage json -o coverage.json && check_coverage.py coverage.json

Exit codes: 0 they are the same; 1 something else is uncovered, or something on the list is covered.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

Gap: TypeAlias = tuple[str, str]
"""A file, and what is written where a branch begins that is never taken, or in a line that is never run."""

LIST = Path(__file__).with_name("uncovered.toml")


def gaps(report: dict[str, Any], rooms: Iterable[str], root: Path) -> Counter[Gap]:
    """What is uncovered of the rooms, by a report of coverage.py."""
    found: Counter[Gap] = Counter()
    for name, measured in report["files"].items():
        if name.startswith(tuple(rooms)):
            lines = (root / name).read_text(encoding="utf-8").splitlines()
            found.update((name, lines[number - 1].strip()) for number in set(_numbers(measured)))
    return found


def _numbers(measured: dict[str, Any]) -> Iterator[int]:
    """The lines of the gaps in one file. What only a missing branch leads to is no gap of its own."""
    yield from (begin for begin, _ in measured["missing_branches"])
    yield from {*measured["missing_lines"]} - {end for _, end in measured["missing_branches"]}


def differences(found: Counter[Gap], allowed: Counter[Gap]) -> list[str]:
    """A sentence about each gap that is not on the list, and about each on the list that is none."""
    return [
        *(f"{name}: not covered: {line}" for name, line in sorted((found - allowed).elements())),
        *(f"{name}: covered, so it leaves the list: {line}" for name, line in sorted((allowed - found).elements())),
    ]


def main(file: str) -> int:
    """See above."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    report = json.loads(Path(file).read_text(encoding="utf-8"))
    found = gaps(report, listed["rooms"], LIST.parents[1])
    allowed = Counter((each["file"], each["line"]) for each in listed["allowed"])
    said = differences(found, allowed)
    print(*said, f"{found.total()} uncovered in {' and '.join(listed['rooms'])}, {allowed.total()} allowed", sep="\n")
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
