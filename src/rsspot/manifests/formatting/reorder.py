"""Puts the keys of a laid-out document in order by moving whole lines, with the comments and blank lines above them."""

from __future__ import annotations

from typing import TypeGuard

import yaml

from rsspot.manifests.formatting.comments import TextLines, depth
from rsspot.manifests.key_order import UNORDERED, KeyOrder, order_of
from rsspot.utils.yaml_scalars import Loader

Entry = tuple[yaml.Node, yaml.Node]


def reordered(text: str) -> str:
    """A document with its keys in the usual order."""
    node = yaml.compose(text, Loader)
    if node is None:
        return text
    moving = _Moving(TextLines.of(text))
    moving.document(node)
    return "".join(f"{line}\n" for line in moving.lines)


class _Moving:
    """The lines of a document while they are moved. Their number stays, and so do the places of what encloses them."""

    def __init__(self, layout: TextLines) -> None:
        self._layout = layout
        self.lines = list(layout.lines)

    def document(self, node: yaml.Node) -> None:
        """Order a document, or each document of a list."""
        if isinstance(node, yaml.MappingNode):
            self._collection(node, order_of(node), 0, len(self.lines), is_document=True)
        elif isinstance(node, yaml.SequenceNode):
            for item, first, end in self._items(node, len(self.lines)):
                if isinstance(item, yaml.MappingNode):
                    self._collection(item, order_of(item), first, end)

    def _collection(self, node: yaml.Node, order: KeyOrder, first: int, end: int, *, is_document: bool = False) -> None:
        """Order what stands between two lines."""
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            self._flow(node, order)
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, order, first, end, is_document=is_document)
        elif isinstance(node, yaml.SequenceNode):
            for item, begin, after in self._items(node, end):
                own = order_of(item) if order is UNORDERED and _is_document(item) else order
                self._collection(item, own, begin, after)

    def _items(self, node: yaml.SequenceNode, end: int) -> list[tuple[yaml.Node, int, int]]:
        """Each item of a block list, with its first line and the line after its last."""
        starts = [item.start_mark.line for item in node.value]
        if starts != sorted(set(starts)):
            # An alias stands where its anchor is.
            return []
        return list(zip(node.value, starts, [*starts[1:], end], strict=True))

    def _mapping(self, node: yaml.MappingNode, order: KeyOrder, first: int, end: int, *, is_document: bool) -> None:
        keys = [key.start_mark.line for key, _ in node.value]
        if not keys or keys != sorted(set(keys)) or not first <= keys[0] <= keys[-1] < end:
            return
        column = node.value[0][0].start_mark.column
        starts = [self._above(key, column, low) for key, low in zip(keys, [first - 1, *keys], strict=False)]
        # What stands above the first key of a document is about the document.
        starts[0] = keys[0] if is_document else max(starts[0], first)
        end = self._below(end, keys[-1], column)
        ends = [*starts[1:], end]
        for (key, value), start, after in zip(node.value, keys, ends, strict=True):
            if start <= value.start_mark.line < after:
                self._collection(value, order.at(key.value), start + 1, after)
        places = [order.place(key.value, index) for index, (key, _) in enumerate(node.value)]
        sequence = sorted(range(len(keys)), key=places.__getitem__)
        chunks = [self.lines[start:after] for start, after in zip(starts, ends, strict=True)]
        self._move(chunks, sequence, starts[0], keys[0] - starts[0], column)

    def _move(self, chunks: list[list[str]], sequence: list[int], first: int, above: int, column: int) -> None:
        """Write chunks in another sequence. above: the lines of comments in the first one · column: that of the keys"""
        head, new = chunks[0], chunks[sequence[0]]
        if head is new:
            moved = [line for index in sequence for line in chunks[index]]
            self.lines[first : first + len(moved)] = moved
            return
        dash = head[above][:column]
        blanks = [line for line in _leading(new) if not line.strip()]
        new[: len(blanks)] = []
        if dash.strip():
            if above or depth(new[0]) != column or new[0].lstrip().startswith("#"):
                new[:0] = blanks
                return
            head[0], new[0] = " " * column + head[0][column:], dash + new[0][column:]
        # The blank lines that set the new first key apart set the old one apart from now on.
        head[:0] = blanks
        moved = [line for index in sequence for line in chunks[index]]
        self.lines[first : first + len(moved)] = moved

    def _above(self, key: int, column: int, low: int) -> int:
        """The first of the comments and blank lines that stand above a key and belong to it."""
        start = key
        while start - 1 > low and self._belongs(start - 1, column):
            start -= 1
        return start

    def _below(self, end: int, last: int, column: int) -> int:
        """Where a mapping ends, without the comments and blank lines below it that belong to no key."""
        while end - 1 > last and self._belongs(end - 1, column):
            end -= 1
        return end

    def _belongs(self, number: int, column: int) -> bool:
        is_comment = self._layout.is_comment(number) and depth(self._layout.lines[number]) <= column
        return is_comment or self._layout.is_blank(number)

    def _flow(self, node: yaml.CollectionNode, order: KeyOrder) -> None:
        """Order a flow collection that stands on one line."""
        line, after = node.start_mark.line, node.end_mark
        if line == after.line and isinstance(node, yaml.MappingNode):
            text = self.lines[line]
            # Of a document the braces may be marked, of a value the anchor.
            start = text.find("{", node.start_mark.column)
            self.lines[line] = text[:start] + _flow_text(node, order, text) + text[after.column :]


def _flow_text(node: yaml.MappingNode, order: KeyOrder, text: str) -> str:
    """A flow mapping with its keys in order. text: the line that it stands on"""
    starts = [key.start_mark.column for key, _ in node.value]
    end = node.end_mark.column - 1
    if not starts or starts != sorted(set(starts)):
        return text[text.find("{", node.start_mark.column) : end + 1]
    ends = [*starts[1:], end]
    parts = [
        _flow_entry(entry, order.at(entry[0].value), text, start, after).strip().rstrip(",").rstrip()
        for entry, start, after in zip(node.value, starts, ends, strict=True)
    ]
    places = [order.place(key.value, index) for index, (key, _) in enumerate(node.value)]
    sequence = sorted(range(len(parts)), key=places.__getitem__)
    return "{" + ", ".join(parts[index] for index in sequence) + "}"


def _flow_entry(entry: Entry, order: KeyOrder, text: str, start: int, after: int) -> str:
    """One key of a flow mapping with its value, whose own keys are put in order too."""
    _, value = entry
    begin = text.find("{", value.start_mark.column)
    if isinstance(value, yaml.MappingNode) and value.flow_style and start < begin < value.end_mark.column <= after:
        inner = _flow_text(value, order, text)
        return text[start:begin] + inner + text[value.end_mark.column : after]
    return text[start:after]


def _leading(lines: list[str]) -> list[str]:
    """The blank lines at the beginning."""
    count = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    return lines[:count]


def _is_document(node: yaml.Node) -> TypeGuard[yaml.MappingNode]:
    """Whether a mapping is an object of its own, as in a list."""
    if not isinstance(node, yaml.MappingNode):
        return False
    return {"apiVersion", "kind"} <= {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
