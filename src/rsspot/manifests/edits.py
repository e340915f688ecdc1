"""Edits of manifests in place: another price where one stands, and not a byte besides. Texts to texts; writes no file.

Only a value that stands where the manifest itself is written is changed. A price that comes from a variable, an anchor,
a merge or another document serves others as well, so its author has to change it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import yaml

from rsspot.errors import Origin
from rsspot.manifests.manifest import Manifest
from rsspot.models.money import parse_price, price_text

ELSEWHERE = "it is not written in this manifest, but in an overlay, a matrix or what `<<` merges"


@dataclass(frozen=True)
class PriceEdit:
    """Another price for a field of a manifest. path: of the field in the document"""

    manifest: Manifest
    path: tuple[str, ...]
    price: Decimal

    @property
    def where(self) -> Origin:
        """Where the name of the field is written, or the nearest thing that holds it."""
        return self.manifest.where(*self.path) or Origin("-")


def with_price(text: str, edit: PriceEdit) -> str:
    """The text of a file with the price in it. Raises ValueError, with a clause, where its author has to change it."""
    scalar = _value_of(text, edit)
    start, end = scalar.start_mark.index, scalar.end_mark.index
    written = text[start:end]
    if written[:1] in "&*!":
        raise ValueError("it has an anchor or a tag")
    if "${" in written:
        raise ValueError("it comes from a variable")
    quote = written[:1] if written[:1] in "\"'" else ""
    if written != f"{quote}{scalar.value}{quote}" or not _is_price(scalar.value):
        raise ValueError("it is not written as a plain number")
    return f"{text[:start]}{quote}{price_text(edit.price)}{quote}{text[end:]}"


def _is_price(text: str) -> bool:
    try:
        return isinstance(parse_price(text), Decimal)
    except ValueError:
        return False


def _value_of(text: str, edit: PriceEdit) -> yaml.ScalarNode:
    """The scalar that is the value of the field."""
    for document in _documents(text):
        if not _is_of(document, edit.manifest):
            continue
        holder: yaml.Node | None = document
        for key in edit.path[:-1]:
            holder = _entry(holder, key)[1]
        name, value = _entry(holder, edit.path[-1])
        if name is None or not _is_at(name, edit.where):
            continue
        if not isinstance(value, yaml.ScalarNode) or value.start_mark.index < name.end_mark.index:
            raise ValueError("it comes from an anchor")
        return value
    raise ValueError(ELSEWHERE)


def _documents(text: str) -> Iterator[yaml.Node]:
    """The documents of a text; the items of a list are documents too."""
    try:
        # Its marks count characters; those of the parser in C are not as reliable.
        documents = [node for node in yaml.compose_all(text, yaml.SafeLoader) if node]
    except (yaml.YAMLError, RecursionError):
        raise ValueError("its file cannot be edited") from None
    for document in documents:
        items = _entry(document, "items")[1]
        yield from items.value if isinstance(items, yaml.SequenceNode) else [document]


def _is_of(document: yaml.Node, manifest: Manifest) -> bool:
    """Whether a document is the one of a manifest, and not one that stands for it."""
    kind, name = _entry(document, "kind")[1], _entry(_entry(document, "metadata")[1], "name")[1]
    written = [each.value if isinstance(each, yaml.ScalarNode) else None for each in (kind, name)]
    return written == [manifest.kind.name, manifest.name]


def _entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """A key of a mapping and its value, if it is written there."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                return name, value
    return None, None


def _is_at(node: yaml.Node, origin: Origin) -> bool:
    mark = node.start_mark
    return mark is not None and (mark.line + 1, mark.column + 1) == (origin.line, origin.column)
