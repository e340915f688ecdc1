"""Places: where each part of a document was written. Most are never asked for, so they are found when they are.

Kept are the lines of a document, not its nodes, which take ten times the memory; whoever asks has them composed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import yaml

from rsspot.errors import Origin
from rsspot.utils.yaml_scalars import MERGE, Loader

Place = tuple[str | int, ...]
"""A path of keys and indexes inside a document."""
NAME = ("metadata", "name")
"""The one place that is known of every document: plans and problems begin with it."""


@dataclass(frozen=True, eq=False, slots=True)
class Written:
    """A document as it stands in the lines of its file: from a line and a column to another one, counted from 0."""

    lines: Sequence[str]
    begin: int
    column: int
    end: int
    end_column: int

    @classmethod
    def of(cls, lines: Sequence[str], node: yaml.Node) -> Written:
        """Where the root of a document is written."""
        start, end = node.start_mark, node.end_mark
        return cls(lines, start.line, start.column, end.line, end.column)

    @property
    def text(self) -> str:
        """The text of the document alone, in the columns that it has in its file."""
        lines = [*self.lines[self.begin : self.end], *(line[: self.end_column] for line in self.lines[self.end :][:1])]
        first = lines[0][self.column :] if lines else ""
        return "".join([" " * self.column + first, *lines[1:]])


class Places(Mapping[Place, Origin]):
    """Path -> where the value starts; for keys of a mapping, where the key starts.

    What a `<<` key brings in was written where the mapping is that has the key.
    """

    def __init__(
        self, file: str, document: Written | yaml.Node, node: yaml.Node, above: Place = (), lines: int = 0
    ) -> None:
        """document: what it is in · node: its own, which is not kept · above: its path in the document

        lines: how many lines of the file are before those that the marks of the node count
        """
        self._file, self._document, self._above = file, document, above
        self._name = self._found(node, NAME, lines)

    @classmethod
    def of(cls, file: str, lines: Sequence[str] | None, node: yaml.Node) -> Places:
        """Those of a document. lines: those of its file; None if its nodes have to be kept."""
        if lines is None or not isinstance(node, yaml.CollectionNode):
            return cls(file, node, node)
        return cls(file, Written.of(lines, node), node)

    def __getitem__(self, path: Place) -> Origin:
        origin = self._name if path == NAME else self._found(self._node, path, self._lines)
        if origin is None:
            raise KeyError(path)
        return origin

    def __iter__(self) -> Iterator[Place]:
        return _paths(self._node, ())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items_at(self, path: Place) -> list[Places] | None:
        """The places of each item of a list that is written at a path; None if none is."""
        node = _value_at(self._node, path)
        if not isinstance(node, yaml.SequenceNode):
            return None
        above = (*self._above, *path)
        return [
            Places(self._file, self._document, item, (*above, index), self._lines)
            for index, item in enumerate(node.value)
        ]

    @property
    def _lines(self) -> int:
        return self._document.begin if isinstance(self._document, Written) else 0

    @property
    def _node(self) -> yaml.Node:
        document = self._document
        node = _value_at(_composed(document) if isinstance(document, Written) else document, self._above)
        assert node is not None
        return node

    def _found(self, node: yaml.Node, path: Place, lines: int) -> Origin | None:
        at = node
        for part in path:
            found = _entry(node, part)
            if found is None:
                return None
            at, node = found
        return origin_of(self._file, at, lines)


def lines_of(text: str) -> Sequence[str] | None:
    """The lines of a file; None if it has directives, without which a document of it cannot be read alone."""
    lines = text.splitlines(keepends=True)
    return None if any(line.startswith("%") for line in lines) else lines


def origin_of(file: str, node: yaml.Node | yaml.Event, lines: int = 0) -> Origin:
    """Where a node begins. lines: how many lines of the file its mark does not count"""
    mark = node.start_mark
    return Origin(file, mark.line + lines + 1, mark.column + 1) if mark else Origin(file)


@lru_cache(maxsize=8)
def _composed(document: Written) -> yaml.Node:
    """The root of a document, with marks that count its own lines."""
    loader = Loader(document.text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    assert node is not None
    return node


def _value_at(node: yaml.Node, path: Place) -> yaml.Node | None:
    for part in path:
        found = _entry(node, part)
        if found is None:
            return None
        node = found[1]
    return node


def _entry(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """What stands at a key or an index of a node: the node that says where, and that of the value."""
    if isinstance(node, yaml.SequenceNode):
        inside = isinstance(part, int) and part < len(node.value)
        return (node.value[part], node.value[part]) if inside else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == part and key.tag != MERGE:
            return key, value
    return (node, yaml.ScalarNode("", "")) if part in _merged(node) else None


def _merged(node: yaml.MappingNode) -> dict[str, None]:
    """The keys that `<<` brings into a mapping."""
    merged: dict[str, None] = {}
    for key, value in node.value:
        if key.tag == MERGE:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged |= _keys(each)
    return merged


def _keys(node: yaml.MappingNode) -> dict[str, None]:
    """All keys of a mapping, in the order of its value."""
    written = (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE)
    return dict.fromkeys(written) | _merged(node)


def _paths(node: yaml.Node, path: Place) -> Iterator[Place]:
    yield path
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _paths(item, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        for key in _keys(node):
            found = _entry(node, key)
            if found is not None:
                yield from _paths(found[1], (*path, key))
