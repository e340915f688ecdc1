"""Parses YAML in request bodies. Bounds what aliases multiply, and finds duplicate fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.apiserver.decoding import parsed

MOST_ALIASED = 1024 * 1024
"""By how many characters and values aliases may make a document longer than it was sent."""


@dataclass(frozen=True)
class YamlBody:
    """A parsed body. repeated: the paths of duplicate fields · error: why it could not be parsed, else None"""

    value: Any = None
    repeated: tuple[str, ...] = ()
    error: str | None = None

    def checked(self) -> Any:
        """The value. Raises ValueError if there is none."""
        if self.error is not None:
            raise ValueError(self.error)
        return self.value


def parse_yaml(content: bytes) -> YamlBody:
    """Parse a body to JSON data. Never raises."""
    import yaml

    loader = None
    try:
        # Its constructor already refuses some characters.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(content.decode(errors="replace"))
        node = loader.get_single_node()
        if node is None:
            return YamlBody()
        sizes: dict[int, int] = {}
        if _size(node, sizes) > len(content) + len(sizes) + MOST_ALIASED:
            raise ValueError("document contains excessive aliasing")
        value = parsed(json.dumps(loader.construct_document(node), allow_nan=False))
        return YamlBody(value, tuple(_repeated_keys(node, "")))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        return YamlBody(error=f"error converting YAML to JSON: yaml: {error}")
    finally:
        if loader is not None:
            loader.dispose()


def _size(node: Any, sizes: dict[int, int]) -> int:
    """The characters and values of a node with every alias replaced by what it stands for.

    sizes: of the nodes that were measured, by id, so that each takes one step however often it is referred to
    """
    key = id(node)
    if key not in sizes:
        # A node within itself. It is infinitely large, which json.dumps reports.
        sizes[key] = 1
        sizes[key] += len(node.value) if node.id == "scalar" else sum(_size(each, sizes) for each in _inner(node))
    return sizes[key]


def _inner(node: Any) -> Iterator[Any]:
    if node.id == "sequence":
        yield from node.value
    else:
        for pair in node.value:
            yield from pair


def _repeated_keys(node: Any, path: str) -> Iterator[str]:
    if node.id == "mapping":
        seen = set()
        for key, inner in node.value:
            here = f"{path}.{key.value}" if path else str(key.value)
            if key.value in seen:
                yield here
            seen.add(key.value)
            yield from _repeated_keys(inner, here)
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, f"{path}[{index}]")
