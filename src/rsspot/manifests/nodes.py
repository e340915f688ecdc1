"""Nodes of YAML to plain values, within bounds. Keeps no positions: `places` reads them off the nodes."""

from __future__ import annotations

from typing import Any

import yaml

from rsspot.errors import Origin, Problem
from rsspot.manifests.places import origin_of
from rsspot.manifests.rules import ManifestRule
from rsspot.utils.yaml_scalars import MERGE, TAGS, scalar

MOST_UNFOLDED = 100_000
"""Values that aliases may add to what is written."""
DEEPEST = 64
TOO_DEEP = f"nested deeper than {DEEPEST} levels"


class TooMuch(Exception):
    """A text that has more in it than its bounds allow, from here on."""

    def __init__(self, message: str, origin: Origin) -> None:
        super().__init__(message)
        self.origin = origin


class Builder:
    """Makes the values of one file. Raises TooMuch where a bound is passed."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[int] = set()
        self._unfolded = 0
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        """The value that a node stands for. What is wrong in it is added to `problems`."""
        if id(node) in self._seen or depth > DEEPEST:
            self._bound(node, depth)
        self._seen.add(id(node))
        if node.tag not in TAGS:
            self._wrong(f"the tag {node.tag!r} is not allowed", node)
        elif isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        elif isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return None

    def _bound(self, node: yaml.Node, depth: int) -> None:
        if depth > DEEPEST:
            raise TooMuch(TOO_DEEP, origin_of(self._file, node))
        self._unfolded += 1
        if self._unfolded > MOST_UNFOLDED:
            message = f"aliases unfold to more than {MOST_UNFOLDED} values"
            raise TooMuch(message, origin_of(self._file, node))

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return scalar(node)
        except ValueError as error:
            self._wrong(str(error), node)
            return None

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: list[tuple[str, Any]] = []
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag == MERGE:
                merged += self._merged(value_node, depth)
            elif not isinstance(key_node, yaml.ScalarNode):
                self._wrong("a key must be a scalar", key_node)
            elif key in built:
                self._wrong(f"the key {key!r} is written twice", key_node)
            else:
                built[key] = self.build(value_node, depth + 1)
        for key, value in merged:
            built.setdefault(key, value)
        return built

    def _merged(self, node: yaml.Node, depth: int) -> list[tuple[str, Any]]:
        """What a `<<` key brings in; of two mappings with one key, the first counts."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(each, yaml.MappingNode) for each in nodes):
            self._wrong("`<<` takes a mapping or a list of mappings", node)
            return []
        return [pair for each in nodes for pair in self.build(each, depth + 1).items()]

    def _wrong(self, message: str, node: yaml.Node) -> None:
        self.problems.append(Problem(message, origin_of(self._file, node), rule=ManifestRule.YAML, quotable=False))
