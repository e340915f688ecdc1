"""Problems as lines: where, what, the line itself, and the way out. Renders; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from rsspot.errors import Origin, Problem

LONGEST_LINE = 160


def render_problems(problems: Iterable[Problem], *, quote: bool = True) -> str:
    """Every problem. `quote=False` leaves the written line out, for when it may hold a secret."""
    return "\n".join(line for problem in problems for line in _lines(problem, quote))


def _lines(problem: Problem, quote: bool) -> Iterator[str]:
    yield f"error: {problem}"
    if quote and problem.origin and (text := _line(problem.origin)) is not None:
        number = str(problem.origin.line)
        yield f"  {number} | {text}"
        yield f"  {' ' * len(number)} | {' ' * (problem.origin.column - 1)}^"
    if problem.hint:
        yield f"  hint: {problem.hint}"


def _line(origin: Origin) -> str | None:
    lines = _file(origin.file)
    if not 0 < origin.line <= len(lines):
        return None
    text = lines[origin.line - 1].replace("\t", " ")
    # A long line would bury the message, and its mark would stand nowhere.
    return text if len(text) <= LONGEST_LINE and text.isprintable() else None


@cache
def _file(name: str) -> list[str]:
    try:
        return Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
