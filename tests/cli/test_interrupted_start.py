"""Ctrl-C at any moment of the start ends in one line, with exit code 8 and no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import support.interrupted_imports
from support.shell import STACK, write


def runs_of(stride: int, *arguments: str) -> list[tuple[int, int, str]]:
    """How the command line ends, interrupted at every so-many-th import; the last run is not interrupted."""
    program = [sys.executable, str(Path(support.interrupted_imports.__file__)), str(stride), *arguments]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=300, check=True)
    return [tuple(json.loads(line)) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("stride", "arguments"),
    [
        (1, ["--help"]),
        (29, ["cloudspaces", "--help"]),
        (97, ["--sandbox", "plan", "stack.yaml"]),
        (131, ["--sandbox", "regions", "list", "-o", "yaml"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_interrupt_at_any_import_is_one_line(stride: int, arguments: list[str]) -> None:
    """Whichever module is being imported, whatever is being done."""
    write(STACK)
    *interrupted, last = runs_of(stride, *arguments)
    assert (last[1], last[2]) == (0, "")
    assert len(interrupted) > 3
    assert {(code, text) for _, code, text in interrupted} == {(8, "error: interrupted\n")}
