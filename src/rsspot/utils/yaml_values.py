"""One YAML document as plain values, within bounds. Follows YAML 1.2; never quotes the text, which may hold a token."""

from __future__ import annotations

from typing import Any, Protocol

import yaml

from rsspot.utils.reading import TooDeep
from rsspot.utils.yaml_scalars import MERGE, TAGS, Loader, scalar

DEEPEST = 64
MOST_UNFOLDED = 100_000
"""Values that aliases may add to what is written."""
TAB = "a tab is used as indentation, and only spaces may be"
_NESTED = "maximum nesting depth"
"""Part of the message with which PyYAML (6.0.4 and later) refuses deep nesting."""


class Mark(Protocol):
    """A place in a text; line and column start at 0. PyYAML has two types of it."""

    line: int
    column: int


class InvalidYaml(ValueError):
    """Text that is not one YAML document of plain values.

    clause: what is wrong, in our words, or "" for a syntax error · line, column: start at 1; 0 if unknown
    """

    def __init__(self, clause: str, mark: Mark | None) -> None:
        self.clause = clause
        self.line, self.column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        place = f"line {self.line}, column {self.column}: " if mark else ""
        super().__init__(place + (clause or "not valid YAML"))


def indenting_tab(text: str, line: int) -> int | None:
    """The column of a tab among the blanks that a line begins with, or None."""
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    column = written.find("\t", 0, len(written) - len(written.lstrip()))
    return None if column < 0 else column


def parse_yaml(text: str, *, deepest: int = DEEPEST) -> Any:
    """The value of a text that is one YAML document, or None for an empty one. Raises InvalidYaml or TooDeep.

    Keys are text as written. Tags that make other types than JSON has, and a key written twice, are errors.
    """
    node = compose(text, deepest=deepest)
    return None if node is None else value_of(node, deepest=deepest)


def compose(text: str, *, deepest: int = DEEPEST) -> yaml.Node | None:
    """The nodes of a text that is one YAML document, or None for an empty one. Raises InvalidYaml or TooDeep."""
    try:
        _check_depth(text, deepest)
        return yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        if _NESTED in str(error):
            raise TooDeep(deepest) from None
        mark = error.problem_mark or error.context_mark
        tab = indenting_tab(text, mark.line) if mark else None
        raise InvalidYaml("" if tab is None else TAB, mark) from None
    except yaml.YAMLError:
        raise InvalidYaml("", None) from None


def value_of(node: yaml.Node, *, deepest: int = DEEPEST) -> Any:
    """The value of a node. Raises InvalidYaml or TooDeep."""
    return _Values(deepest).of(node, 0)


def _check_depth(text: str, deepest: int) -> None:
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > deepest:
            raise TooDeep(deepest)


class _Values:
    """Builds values, and counts what aliases unfold to."""

    def __init__(self, deepest: int) -> None:
        self._deepest = deepest
        self._seen: set[int] = set()
        self._unfolded = 0

    def of(self, node: yaml.Node, depth: int) -> Any:
        self._unfolded += id(node) in self._seen
        self._seen.add(id(node))
        if depth > self._deepest:
            raise TooDeep(self._deepest)
        if self._unfolded > MOST_UNFOLDED:
            raise InvalidYaml(f"aliases unfold to more than {MOST_UNFOLDED} values", node.start_mark)
        if node.tag not in TAGS:
            raise InvalidYaml("this tag is not allowed", node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.ScalarNode)
        try:
            return scalar(node)
        except ValueError as error:
            raise InvalidYaml(str(error), node.start_mark) from None

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: list[tuple[str, Any]] = []
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                merged += self._merged(value_node, depth)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise InvalidYaml("a key must be a scalar", key_node.start_mark)
            if key_node.value in built:
                raise InvalidYaml("a key is written twice", key_node.start_mark)
            built[key_node.value] = self.of(value_node, depth + 1)
        for key, value in merged:
            built.setdefault(key, value)
        return built

    def _merged(self, node: yaml.Node, depth: int) -> list[tuple[str, Any]]:
        """What a `<<` key brings in; of two mappings with one key, the first counts."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(each, yaml.MappingNode) for each in nodes):
            raise InvalidYaml("`<<` takes a mapping or a list of mappings", node.start_mark)
        return [pair for each in nodes for pair in self.of(each, depth + 1).items()]
