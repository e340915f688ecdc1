"""Formats files of manifests: each is read, laid out, and replaced only if that changes it. Prints nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rsspot.errors import Origin, Problem
from rsspot.manifests.files import STANDARD_INPUT, find_files, text_of
from rsspot.manifests.formatting.layout import Formatted, formatted
from rsspot.manifests.places import Place
from rsspot.manifests.source import parse_text
from rsspot.models.fields import SECRET
from rsspot.resources.registry import kinds
from rsspot.utils.files import replace_text
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import at_path

BYTE_ORDER_MARK = "\ufeff"
_WORD = re.compile(r"[^\s\"']{4,}")


FILLED_IN = ("patch", "variables", "matrix")
"""Keys below which values stand that other documents use."""


@dataclass(frozen=True)
class FormattedFile:
    """A file before and after. left: the lines of documents that could not be laid out anew, and stay as they are"""

    path: Path
    before: str
    after: str
    left: tuple[int, ...] = ()

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def piped(self) -> bool:
        """Whether it is standard input."""
        return self.path == STANDARD_INPUT

    @property
    def notes(self) -> list[str]:
        """What was left as it is, each in a sentence."""
        return [f"{Origin(str(self.path), line)}: this document is left as it is" for line in self.left]

    def diff(self) -> Iterator[str]:
        """What would change, as a unified diff with secrets masked."""
        hidden = Secrets(_secret_words(self.before, str(self.path)))
        before, after, name = self.before.splitlines(), self.after.splitlines(), str(self.path)
        for line in difflib.unified_diff(before, after, name, f"{name} (formatted)", lineterm=""):
            yield hidden.mask(line)

    def write(self) -> None:
        """Replace the file. Raises OSError."""
        mark = BYTE_ORDER_MARK if self.path.read_bytes()[:3] == BYTE_ORDER_MARK.encode() else ""
        replace_text(self.path, mark + self.after, old=mark + self.before)


def format_files(paths: Sequence[Path]) -> tuple[list[FormattedFile], list[Problem]]:
    """Every file that the paths stand for, as it would be, and what is wrong with those that are no YAML."""
    files, problems = find_files(paths)
    done: list[FormattedFile] = []
    for file in files:
        try:
            text = text_of(file)
        except ValueError as error:
            problems.append(Problem(str(error), Origin(str(file.path))))
            continue
        result = formatted(text, str(file.path))
        if isinstance(result, Formatted):
            done.append(FormattedFile(file.path, text, result.text, result.left))
        else:
            problems += result
    return done, problems


def _secret_words(text: str, file: str) -> Iterator[str]:
    """What stands in secret fields, in the words that the file has for it."""
    lines = text.splitlines()
    for source in parse_text(text, file)[0]:
        for value, above in _objects(source.value):
            for place in _secret_places(value):
                whole: Place = (*above, *place)
                if isinstance(secret := at_path(source.value, whole), str) and whole in source.marks:
                    yield secret
                    yield from _words(lines, source.marks[whole].line - 1)


def _secret_places(document: dict[str, object]) -> Iterator[Place]:
    """Where a document may hold secrets. What is filled in elsewhere may be one, whatever it is called."""
    own = kinds().get(str(document.get("kind")))
    marked = {path for kind in ((own,) if own else kinds().values()) for path in kind.marked(SECRET)}
    for place, _ in _texts(document, ()):
        inside = place[place.index("merge") + 1 :] if "merge" in place else place
        of_field = inside[:1] == ("spec",) and any(inside[1 : 1 + len(path)] == path for path in marked)
        if of_field or any(part in FILLED_IN for part in place):
            yield place


def _texts(value: object, path: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path, value


def _objects(value: object) -> Iterator[tuple[dict[str, object], tuple[int, ...]]]:
    """The objects in a document, with their places in it: more than one only in a list."""
    if isinstance(value, dict):
        yield value, ()
    elif isinstance(value, list):
        yield from ((item, (index,)) for index, item in enumerate(value) if isinstance(item, dict))


def _words(lines: list[str], first: int) -> Iterator[str]:
    """The words of a value that begins on a line, and of the deeper lines below it."""
    column = len(lines[first]) - len(lines[first].lstrip())
    yield from _WORD.findall(lines[first].partition(":")[2])
    for line in lines[first + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= column:
            return
        yield from _WORD.findall(line)
