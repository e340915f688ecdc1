"""formatted(): the text of a file of manifests in the usual layout. What would not read the same is left as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.formatting.comments import comments_of, realigned
from rsspot.manifests.formatting.reorder import reordered
from rsspot.manifests.formatting.round_trip import NotFormattable, indented
from rsspot.manifests.source import parse_text
from rsspot.resources.registry import kinds

SEPARATOR = re.compile(r"^---(?:[ \t]+#.*|[ \t]*)$", re.MULTILINE)
OTHER_MARKS = re.compile(r"^(?:%|\.\.\.(?:\s|$)|--- *[^\s#])", re.MULTILINE)
"""Directives, ends of documents, and documents that begin beside their mark: rare, and left as they are."""


@dataclass(frozen=True)
class Formatted:
    """text: of the whole file · left: the lines on which documents begin that could not be laid out anew"""

    text: str
    left: tuple[int, ...] = ()


def formatted(text: str, file: str) -> Formatted | list[Problem]:
    """A text in the usual layout, or its problems if it is no YAML. JSON is left as it is."""
    _, problems = parse_text(text, file)
    if problems:
        return problems
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        return Formatted(text)
    crlf = "\r\n" in text
    plain = text.replace("\r\n", "\n") if crlf else text
    if "\r" in plain or OTHER_MARKS.search(plain):
        return Formatted(text, (1,))
    laid_out, left = _documents(plain)
    return Formatted(laid_out.replace("\n", "\r\n") if crlf else laid_out, left)


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _documents(text: str) -> tuple[str, tuple[int, ...]]:
    """Every document laid out, with the lines between them as written."""
    parts: list[str] = []
    left: list[int] = []
    line = 1
    for document, mark in _split(text):
        try:
            parts.append(_document(document))
        except NotFormattable:
            left.append(line)
            parts.append(document)
        if mark and parts[-1] and not parts[-1].endswith("\n"):
            parts.append("\n")
        parts.append(mark)
        line += document.count("\n") + bool(mark)
    return "".join(parts), tuple(left)


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Each document, and the line that separates it from the next one."""
    position = 0
    for match in SEPARATOR.finditer(text):
        yield text[position : match.start()], f"{match[0].rstrip()}\n"
        position = min(match.end() + 1, len(text))
    yield text[position:], ""


def _document(text: str) -> str:
    """One document laid out. Raises NotFormattable."""
    value = _value(text)
    if not _is_ours(value):
        return text
    laid_out = realigned(text, indented(text))
    if not _reads_the_same(text, laid_out):
        raise NotFormattable("it would read differently")
    ordered = reordered(laid_out)
    # An anchor has to stay above its aliases.
    return ordered if _reads_the_same(text, ordered) else laid_out


def _reads_the_same(before: str, after: str) -> bool:
    return _value(before) == _value(after) and comments_of(before) == comments_of(after)


def _value(text: str) -> Any:
    """The value of a document, or nothing that equals another value if it has problems."""
    sources, problems = parse_text(text, "")
    return object() if problems else [source.value for source in sources]


def _is_ours(value: Any) -> bool:
    """Whether a document, or all of a list, is for us; what other tools read is laid out as they like."""
    groups = {kind.api_version.rpartition("/")[0] for kind in kinds().values()}
    is_one: Callable[[Any], bool] = lambda each: (  # noqa: E731
        isinstance(each, dict) and str(each.get("apiVersion")).rpartition("/")[0] in groups
    )
    return isinstance(value, list) and bool(value) and all(map(is_one, _flat(value)))


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list) else [value]
