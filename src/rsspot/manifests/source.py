"""Texts to documents: composes YAML and JSON, and keeps where each value was written. Knows no kinds.

Values follow the YAML 1.2 core schema, so `no` is a word and 012 is twelve. Size, depth, aliases and
document count are bounded; a key written twice is an error; tags run no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from rsspot.errors import Origin, Problem, nearest
from rsspot.manifests.files import ManifestFile, text_of
from rsspot.manifests.rules import ManifestRule
from rsspot.utils.yaml_scalars import MERGE, TAGS, Loader, scalar
from rsspot.utils.yaml_values import TAB, indenting_tab

MOST_DOCUMENTS = 100_000
MOST_UNFOLDED = 100_000
"""Values that aliases may add to what is written."""
DEEPEST = 64
SUSPICIOUS = 1000
"""Brackets or columns from which on nesting is counted before it is composed."""
NESTED = "maximum nesting depth"
"""How PyYAML, since 6.0.4, says that it went no deeper."""

Place = tuple[str | int, ...]
"""A path of keys and indexes inside a document."""

_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


@dataclass
class Source:
    """One YAML document: its value and where each part of it stands."""

    file: str
    value: Any = None
    marks: dict[Place, Origin] = field(default_factory=dict)
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
    builder = _Builder(file)
    loader = Loader(_as_yaml(text))
    try:
        _check_depth(text, file)
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            source = Source(file, marks={(): _origin(file, node)}, named=named)
            source.value = builder.build(node, (), source.marks, depth=0)
            sources += _items(source)
    except _TooMuch as bound:
        builder.problems.append(Problem(str(bound), bound.origin, rule=ManifestRule.YAML))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
        message = f"invalid YAML: {error.problem or error.context}"
        if mark and (column := indenting_tab(text, mark.line)) is not None:
            message = f"invalid YAML: {TAB}"
            origin = Origin(file, mark.line + 1, column + 1)
        if NESTED in message:
            message = f"nested deeper than {DEEPEST} levels"
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
    marks: list[dict[Place, Origin]] = [{} for _ in items]
    depth = len(above)
    for path, origin in source.marks.items():
        if len(path) > depth and path[:depth] == above and isinstance(index := path[depth], int):
            marks[index][path[depth + 1 :]] = origin
    return [replace(source, value=item, marks=marks[index]) for index, item in enumerate(items)]


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
    most = text.count("[") + text.count("{") + max((len(line) for line in text.splitlines()), default=0)
    if most <= SUSPICIOUS:
        return
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _TooMuch(f"nested deeper than {DEEPEST} levels", _origin(file, event))


class _TooMuch(Exception):
    def __init__(self, message: str, origin: Origin) -> None:
        super().__init__(message)
        self.origin = origin


class _Builder:
    """Turns nodes into plain values and records where each was written."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[int] = set()
        self._unfolded = 0
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, path: Place, marks: dict[Place, Origin], depth: int) -> Any:
        self._unfolded += id(node) in self._seen
        self._seen.add(id(node))
        if depth > DEEPEST:
            raise _TooMuch(f"nested deeper than {DEEPEST} levels", _origin(self._file, node))
        if self._unfolded > MOST_UNFOLDED:
            raise _TooMuch(f"aliases unfold to more than {MOST_UNFOLDED} values", _origin(self._file, node))
        marks.setdefault(path, _origin(self._file, node))
        if node.tag not in TAGS:
            self._wrong(f"the tag {node.tag!r} is not allowed", node)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, marks, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i), marks, depth + 1) for i, item in enumerate(node.value)]
        if not isinstance(node, yaml.ScalarNode):
            return None
        try:
            return scalar(node)
        except ValueError as error:
            self._wrong(str(error), node)
            return None

    def _mapping(self, node: yaml.MappingNode, path: Place, marks: dict[Place, Origin], depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: list[tuple[str, Any]] = []
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                merged += self._merged(value_node, path, depth)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self._wrong("a key must be a scalar", key_node)
                continue
            key = key_node.value
            if key in built:
                self._wrong(f"the key {key!r} is written twice", key_node)
                continue
            marks[(*path, key)] = _origin(self._file, key_node)
            built[key] = self.build(value_node, (*path, key), marks, depth + 1)
        for key, value in merged:
            if key not in built:
                built[key] = value
                marks.setdefault((*path, key), _origin(self._file, node))
        return built

    def _merged(self, node: yaml.Node, path: Place, depth: int) -> list[tuple[str, Any]]:
        """What a `<<` key brings in; of two mappings with one key, the first counts."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(each, yaml.MappingNode) for each in nodes):
            self._wrong("`<<` takes a mapping or a list of mappings", node)
            return []
        return [pair for each in nodes for pair in self.build(each, path, {}, depth + 1).items()]

    def _wrong(self, message: str, node: yaml.Node) -> None:
        self.problems.append(Problem(message, _origin(self._file, node), rule=ManifestRule.YAML, quotable=False))


def _origin(file: str, node: yaml.Node | yaml.Event) -> Origin:
    mark = node.start_mark
    return Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
