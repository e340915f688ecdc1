"""Puts entries into the text of a kubeconfig, which is YAML or JSON. Every byte that is not about them stays.

A YAML library that writes the whole file again keeps values, but not their spelling: timestamps, null, folded lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from rsspot.utils.yaml_scalars import Dumper
from rsspot.utils.yaml_values import compose

Entry = Mapping[str, Any]


class LayoutError(ValueError):
    """A layout that the change cannot be written into, such as a list that is an alias."""


def with_changes(text: str, entries: Mapping[str, Iterable[Entry]], scalars: Mapping[str, str]) -> str:
    """The text with entries replaced or added by name, and with top-level scalars set.

    entries: by top-level key, such as `users`. Raises LayoutError, or what `compose` raises. Does not check the result.
    """
    root = compose(text)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        whole = {**scalars, **{key: [*added] for key, added in entries.items()}}
        return text + ("" if text.endswith("\n") or not text else "\n") + _block(whole, 0, "\n")
    if not isinstance(root, yaml.MappingNode):
        raise LayoutError("not a mapping")
    changes = _Changes(text, root)
    for key, value in scalars.items():
        changes.set_scalar(key, value)
    for key, added in entries.items():
        changes.put(key, [*added])
    return changes.applied()


class _Changes:
    """Collects replacements of parts of a text, each by the offsets of the part."""

    def __init__(self, text: str, root: yaml.MappingNode) -> None:
        self._text = text
        self._root = root
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._nodes = {key.value: value for key, value in root.value}
        self._parts: list[tuple[int, int, str]] = []
        self._new_keys: dict[str, Any] = {}

    def set_scalar(self, key: str, value: str) -> None:
        node = self._nodes.get(key)
        if node is None:
            self._new_keys[key] = value
        else:
            self._fill(node, json.dumps(value, ensure_ascii=False))

    def put(self, key: str, entries: list[Entry]) -> None:
        node = self._nodes.get(key)
        if node is None:
            self._new_keys[key] = entries
        elif not node.value or not isinstance(node, yaml.SequenceNode):
            self._fill_list(node, entries)
        else:
            self._put_items(node, entries)

    def applied(self) -> str:
        """The text with all changes. Their parts do not overlap, unless an alias stands for one of them."""
        if self._new_keys:
            self._add_keys()
        result, done = [], 0
        for start, end, replacement in sorted(self._parts, key=lambda part: part[0]):
            if start < done:
                raise LayoutError("parts that overlap")
            result += [self._text[done:start], replacement]
            done = end
        return "".join([*result, self._text[done:]])

    def _add_keys(self) -> None:
        root, keys = self._root, self._new_keys
        if not root.flow_style:
            self._insert_lines(_end(root), _block(keys, root.start_mark.column, self._newline))
            return
        pairs = ", ".join(f"{json.dumps(key)}: {_flow(value)}" for key, value in keys.items())
        at = _end(root.value[-1][1]) if root.value else root.end_mark.index - 1
        self._parts.append((at, at, f", {pairs}" if root.value else pairs))

    def _fill(self, node: yaml.Node, text: str) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        # An empty value starts at the colon of its key.
        self._parts.append((start, end, text if start < end else f" {text}"))

    def _fill_list(self, node: yaml.Node, entries: list[Entry]) -> None:
        """Fill a list that is empty or null."""
        if self._root.flow_style:
            self._fill(node, _flow(entries))
            return
        end = node.end_mark.index
        after_colon = len(self._text[: node.start_mark.index].rstrip(" "))
        self._parts.append((after_colon, end, ""))
        self._insert_lines(end, _block(entries, self._root.start_mark.column, self._newline))

    def _put_items(self, node: yaml.SequenceNode, entries: list[Entry]) -> None:
        items = {_name(item): item for item in node.value}
        new = [entry for entry in entries if entry["name"] not in items]
        for entry in entries:
            item = items.get(entry["name"])
            if item is not None:
                self._replace_item(node, item, entry)
        if not new:
            return
        end = _end(node.value[-1])
        if node.flow_style:
            self._parts.append((end, end, "".join(f", {_flow(entry)}" for entry in new)))
        else:
            self._insert_lines(end, _block(new, node.start_mark.column, self._newline))

    def _replace_item(self, node: yaml.SequenceNode, item: yaml.Node, entry: Entry) -> None:
        if node.flow_style:
            self._parts.append((item.start_mark.index, item.end_mark.index, _flow(entry)))
            return
        start, end = self._dash_line(node, item), self._next_line(_end(item))
        self._parts.append((start, end, _block([entry], node.start_mark.column, self._newline)))

    def _dash_line(self, node: yaml.SequenceNode, item: yaml.Node) -> int:
        """Where the line with the dash of an item starts. Between the two there may be comments."""
        column, start = node.start_mark.column, item.start_mark.index
        while start > 0:
            start = self._text.rfind("\n", 0, start) + 1
            if self._text[start : start + column + 1].strip(" ") == "-":
                return start
            start -= 1
        raise LayoutError("an item without a dash")

    def _next_line(self, offset: int) -> int:
        """Where the next line starts. The end of a block scalar already is the start of a line."""
        if self._text[:offset].endswith("\n"):
            return offset
        found = self._text.find("\n", offset)
        return len(self._text) if found < 0 else found + 1

    def _insert_lines(self, after: int, lines: str) -> None:
        at = self._next_line(after)
        complete = at < len(self._text) or self._text.endswith("\n")
        self._parts.append((at, at, lines if complete else self._newline + lines))


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends. PyYAML counts the comments and blank lines after a block to it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _name(item: yaml.Node) -> str | None:
    pairs = item.value if isinstance(item, yaml.MappingNode) else []
    return next((value.value for key, value in pairs if key.value == "name"), None)


def _block(value: Any, column: int, newline: str) -> str:
    """A value as lines of block style, indented."""
    text = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return "".join(f"{' ' * column}{line}{newline}" for line in text.splitlines())


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
