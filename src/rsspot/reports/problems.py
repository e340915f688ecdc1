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
LONGEST_WORD = 24
"""Characters of a word that may be shown in a line that was not understood. Generated secrets are longer."""
LIKENESS = 0.7
"""How like the name of a secret field a word must be for its line not to be shown."""

_NAMED_LIKE_A_SECRET = re.compile(r"pass|pwd|secret|token|key|cred|auth|cert|private|hook|://|\$\{|userdata", re.I)


def render_problems(problems: Iterable[Problem], *, quote: bool = True, secrets: Collection[str] = ()) -> str:
    """Every problem. A line that names one of the fields in `secrets`, or nearly so, is not quoted."""
    files = _Files(secrets) if quote else None
    return "\n".join(line for problem in problems for line in _lines(problem, files))


def in_saved_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems as a saved plan has them: in an order that does not depend on which file is read first."""
    return sorted(problems, key=lambda each: (each.rule, each.message))


def _lines(problem: Problem, files: _Files | None) -> Iterator[str]:
    yield f"error: {printable(str(problem))}"
    if files and problem.origin and (excerpt := files.excerpt(problem.origin, whole=problem.quotable)) is not None:
        number, (text, mark) = str(problem.origin.line), excerpt
        yield f"  {number} | {text}"
        yield f"  {' ' * len(number)} | {' ' * columns(text[:mark])}^"
    if problem.hint:
        yield f"  hint: {printable(problem.hint)}"


class _Files:
    """The files that problems are about, each read once."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = [name.lower() for name in secrets]
        self._read: dict[str, list[str]] = {}

    def excerpt(self, origin: Origin, *, whole: bool) -> tuple[str, int] | None:
        """The line of an origin, or the part of it that may be shown, and where in it the origin is; None for none.

        whole: whether all of the line may be shown, and not only what cannot be a secret
        """
        lines = self._lines(origin.file)
        if not 0 < origin.line <= len(lines):
            return None
        text = lines[origin.line - 1].replace("\t", " ")
        if not text.isprintable() or self._may_hold_a_secret(text):
            return None
        start = min(origin.column - 1, len(text))
        whole = whole or all(map(_is_plain, _with_parents(lines, origin.line - 1)))
        return _around(text if whole else _up_to_word(text, start), start)

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


def _is_plain(text: str) -> bool:
    """Whether a line can hold no secret although it could not be understood: all its values are short words."""
    return not _NAMED_LIKE_A_SECRET.search(text) and not any(len(word) > LONGEST_WORD for word in text.split())


def _with_parents(lines: list[str], index: int) -> Iterator[str]:
    """A line, and the lines above it that it stands in by its indentation."""
    depth = _depth(lines[index]) + 1
    for line in reversed(lines[: index + 1]):
        if line.strip() and _depth(line) < depth:
            depth = _depth(line)
            yield line


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _around(text: str, start: int) -> tuple[str, int]:
    """A line shortened around a place, so that it does not bury the message; and where in it the place is then."""
    if len(text) <= LONGEST_LINE:
        return text, start
    first = max(0, min(start - LONGEST_LINE // 2, len(text) - LONGEST_LINE))
    before, after = "…" if first else "", "…" if first + LONGEST_LINE < len(text) else ""
    return f"{before}{text[first : first + LONGEST_LINE]}{after}", start - first + len(before)


def _up_to_word(text: str, start: int) -> str:
    """A line up to the end of the word that stands at a place."""
    word = re.match(r"[\w.-]*", text[start:])
    end = start + (word.end() if word else 0)
    return text[:end] + ("…" if end < len(text) else "")
