"""Problems as lines: where, what, the line itself, and the way out. Renders; decides nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from rsspot.errors import Origin, Problem
from rsspot.utils.reading import read_text
from rsspot.utils.text import columns, printable

LONGEST_LINE = 160
LIKENESS = 0.7
"""How like the name of a secret field a word must be for its line not to be shown."""


def render_problems(problems: Iterable[Problem], *, quote: bool = True, secrets: Collection[str] = ()) -> str:
    """Every problem. A line that names one of the fields in `secrets`, or nearly so, is not quoted."""
    files = _Files(secrets) if quote else None
    return "\n".join(line for problem in problems for line in _lines(problem, files))


def _lines(problem: Problem, files: _Files | None) -> Iterator[str]:
    yield f"error: {printable(str(problem))}"
    if files and problem.origin and (text := files.line(problem.origin, whole=problem.quotable)) is not None:
        number = str(problem.origin.line)
        yield f"  {number} | {text}"
        yield f"  {' ' * len(number)} | {' ' * columns(text[: problem.origin.column - 1])}^"
    if problem.hint:
        yield f"  hint: {printable(problem.hint)}"


class _Files:
    """The files that problems are about, each read once."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = [name.lower() for name in secrets]
        self._read: dict[str, list[str]] = {}

    def line(self, origin: Origin, *, whole: bool) -> str | None:
        """The line of an origin, or the part of it that may be shown; None for none."""
        lines = self._lines(origin.file)
        if not 0 < origin.line <= len(lines):
            return None
        text = lines[origin.line - 1].replace("\t", " ")
        # A long line would bury the message, and its mark would stand nowhere.
        if len(text) > LONGEST_LINE or not text.isprintable() or self._may_hold_a_secret(text):
            return None
        return text if whole else _up_to_word(text, origin.column - 1)

    def _lines(self, name: str) -> list[str]:
        if name not in self._read:
            try:
                self._read[name] = read_text(Path(name)).splitlines()
            except (OSError, ValueError):
                self._read[name] = []
        return self._read[name]

    def _may_hold_a_secret(self, text: str) -> bool:
        words = re.findall(r"\w+", text.lower())
        return any(difflib.get_close_matches(secret, words, n=1, cutoff=LIKENESS) for secret in self._secrets)


def _up_to_word(text: str, start: int) -> str:
    """A line up to the end of the word that stands at a place."""
    word = re.match(r"[\w.-]*", text[start:])
    end = start + (word.end() if word else 0)
    return text[:end] + ("…" if end < len(text) else "")
