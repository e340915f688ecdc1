"""The usual order of the keys of a manifest: apiVersion, kind, metadata, matrix, spec, then as its kind has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from rsspot.manifests.described_kinds import whole
from rsspot.manifests.matrix import KEY
from rsspot.resources.description import FieldDescription, Many, Type

MERGE = "<<"
METADATA = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True)
class KeyOrder:
    """The keys of a mapping in order, and the orders of the mappings below them. Others follow as they are."""

    names: tuple[str, ...] = ()
    below: Mapping[str, KeyOrder] = field(default_factory=dict)

    def place(self, key: str, index: int) -> tuple[int, int]:
        """What to sort a key by. index: where it stands now"""
        if key == MERGE:
            return -1, index
        return (self.names.index(key), 0) if key in self.names else (len(self.names), index)

    def at(self, key: str) -> KeyOrder:
        """The order of a mapping, or of the mappings in a list, below a key."""
        return self.below.get(key, UNORDERED)

    def arranged(self, value: Any) -> Any:
        """A value with its keys in order, and those of each object in it."""
        if isinstance(value, list):
            return [self.arranged(item) for item in value]
        if not isinstance(value, dict):
            return value
        places = {key: self.place(key, index) for index, key in enumerate(value)}
        return {key: self.at(key).arranged(value[key]) for key in sorted(value, key=places.__getitem__)}


UNORDERED = KeyOrder()
ANY = KeyOrder(("apiVersion", "kind", "metadata", KEY, "spec", "status"), {"metadata": KeyOrder(METADATA)})
"""The order of any object."""


def order_of(node: yaml.MappingNode) -> KeyOrder:
    """The order of a document, by the kind that it names."""
    named = (value.value for key, value in node.value if key.value == "kind" and isinstance(value, yaml.ScalarNode))
    return order_of_kind(next(named, ""))


@cache
def order_of_kind(name: str) -> KeyOrder:
    """The order of an object of a kind; of any object, if there is no such kind."""
    if name.endswith("List"):
        return KeyOrder((*ANY.names[:3], "items"), ANY.below)
    try:
        spec = whole(name).field.at(("spec",))
    except KeyError:
        return ANY
    return KeyOrder(ANY.names, {**ANY.below, "spec": _of(spec)}) if spec else ANY


def _of(description: FieldDescription) -> KeyOrder:
    """The order of the fields of an object. The keys of a map are its author's own."""
    ordered = [each for each in description.fields if each.type is Type.OBJECT and each.many is not Many.MAP]
    return KeyOrder(tuple(each.name for each in description.fields), {each.name: _of(each) for each in ordered})
