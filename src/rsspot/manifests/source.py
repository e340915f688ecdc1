"""Texts to documents: composes YAML and JSON, and keeps where each value was written. Knows no kinds.

Values follow the YAML 1.2 core schema, so `no` is a word and 012 is twelve. Size, depth, aliases and
document count are bounded; a key written twice is an error; tags run no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from rsspot.errors import Origin, Problem, nearest
from rsspot.manifests.files import ManifestFile, text_of
from rsspot.manifests.nodes import DEEPEST, TOO_DEEP, Builder, TooMuch
from rsspot.manifests.places import Place, Places, lines_of, origin_of
from rsspot.manifests.rules import ManifestRule
from rsspot.utils.yaml_scalars import Loader
from rsspot.utils.yaml_values import TAB, indenting_tab

MOST_DOCUMENTS = 100_000
SUSPICIOUS = 1000
"""Brackets or columns from which on nesting is counted before it is composed."""
NESTED = "maximum nesting depth"
"""How PyYAML, since 6.0.4, says that it went no deeper."""

_BOUNDARY = re.compile(r"^(?=---|\.\.\.)", re.MULTILINE)
"""Where a document may begin or end; within one there is none."""
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


@dataclass
class Source:
    """One YAML document: its value and where each part of it stands."""

    file: str
    value: Any = None
    marks: Mapping[Place, Origin] = field(default_factory=dict)
    """Path -> where the value starts; for keys of a mapping, where the key starts."""
    named: bool = True
    """Whether the caller named the file, and it was not found in a folder."""
    matrix: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The values of `${matrix:…}`, in a document that is one combination of a matrix."""
    combination: tuple[int, int] | None = None
    """Which one it is, from 1, of how many."""

    def origin(self, path: Iterable[str | int] = ()) -> Origin:
        """Where a path was written, or the closest thing above it that was."""
        return nearest(self.marks, path, None) or Origin(self.file)


def read_sources(files: Iterable[ManifestFile]) -> tuple[list[Source], list[Problem]]:
    """Every document of every file, and every problem on the way."""
    sources: list[Source] = []
    problems: list[Problem] = []
    for file in files:
        try:
            read, wrong = parse_text(text_of(file), str(file.path), named=file.named)
        except ValueError as error:
            read, wrong = [], [Problem(str(error), Origin(str(file.path)), rule=ManifestRule.FILE)]
        sources += [each for source in read for each in _members(source)]
        problems += wrong
        if len(sources) > MOST_DOCUMENTS:
            message = f"more than {MOST_DOCUMENTS} documents"
            problems.append(Problem(message, Origin(str(file.path)), rule=ManifestRule.FILE))
            break
    return sources, problems


def parse_text(text: str, file: str, *, named: bool = True) -> tuple[list[Source], list[Problem]]:
    """The documents of one text, which is YAML or JSON; each item of a list counts as a document."""
    sources: list[Source] = []
    builder = Builder(file)
    written = _as_yaml(text)
    lines = lines_of(written)
    loader = Loader(written)
    try:
        _check_depth(text, file)
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            places = Places.of(file, lines, node)
            sources += _items(Source(file, builder.build(node), places, named))
    except TooMuch as bound:
        builder.problems.append(Problem(str(bound), bound.origin, rule=ManifestRule.YAML))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
        message = f"invalid YAML: {error.problem or error.context}"
        if mark and (column := indenting_tab(text, mark.line)) is not None:
            message = f"invalid YAML: {TAB}"
            origin = Origin(file, mark.line + 1, column + 1)
        if NESTED in message:
            message = TOO_DEEP
        builder.problems.append(Problem(message, origin, rule=ManifestRule.YAML, quotable=False))
    except yaml.YAMLError as error:
        message = f"invalid YAML: {str(error).splitlines()[0]}"
        builder.problems.append(Problem(message, Origin(file), rule=ManifestRule.YAML))
    finally:
        loader.dispose()
    return sources, builder.problems


def _items(source: Source) -> list[Source]:
    """The documents in a source: the items of a list such as kubectl prints, or the source itself."""
    value = source.value
    if value is None:
        return []
    if not (isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and "items" in value):
        return [source]
    return _each(source, value["items"] if isinstance(value["items"], list) else [], ("items",))


def _members(source: Source) -> list[Source]:
    """The documents in a source that is a bare sequence of objects, as `rsspot … list -o yaml` prints it."""
    value = source.value
    is_list = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return _each(source, value, ()) if is_list else [source]


def _each(source: Source, items: list[Any], above: Place) -> list[Source]:
    """A source for each item of a list inside a source. above: the path of the list"""
    written = source.marks.items_at(above) if isinstance(source.marks, Places) else None
    marks: Sequence[Mapping[Place, Origin]] = written or [{(): source.origin(above)}] * len(items)
    return [replace(source, value=item, marks=places) for item, places in zip(items, marks, strict=True)]


def _as_yaml(text: str) -> str:
    """A JSON text with what YAML does not read in it: a character that is written as two surrogates."""
    if text.lstrip()[:1] not in ("{", "[") or not _SURROGATES.search(text):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _SURROGATES.sub(_one_character, text)


def _one_character(pair: re.Match[str]) -> str:
    character: str = json.loads(f'"{pair[0]}"')
    return f"\\U{ord(character):08x}"


def _check_depth(text: str, file: str) -> None:
    """Refuse nesting that would overflow the parser's own stack before the nodes can be checked."""
    if all(_is_shallow(document) for document in _BOUNDARY.split(text)):
        return
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise TooMuch(TOO_DEEP, origin_of(file, event))


def _is_shallow(text: str) -> bool:
    """Whether nesting cannot be deep: there are too few brackets and no long line."""
    longest = max(map(len, text.splitlines()), default=0)
    return text.count("[") + text.count("{") + longest <= SUSPICIOUS
