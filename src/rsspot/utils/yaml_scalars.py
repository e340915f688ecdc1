"""What a scalar of a YAML file means: the rules of YAML 1.2's core schema, so that `no` is a word and 012 is twelve."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as FastLoader
else:
    FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"
TAGS = frozenset(f"{TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge"))
"""The tags of what JSON has too, and of `<<`, which is text where it is not a key. No other makes a value."""


_COLLECTIONS: dict[type[yaml.Node], str] = {yaml.SequenceNode: f"{TAG}seq", yaml.MappingNode: f"{TAG}map"}


class Loader(FastLoader):
    """Composes nodes with the tags of the core schema. What it constructs follows YAML 1.1: use `scalar`."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - a table of the class by PyYAML's design

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        """The tag of a node that is written without one. PyYAML's own looks for path resolvers too; there are none."""
        if kind is not yaml.ScalarNode:
            return _COLLECTIONS[kind]
        if value is not None and implicit[0]:
            for tag, pattern in self.yaml_implicit_resolvers.get(value[:1], ()):
                if pattern.match(value):
                    return str(tag)
        return f"{TAG}str"


class Dumper(yaml.SafeDumper):
    """Writes text so that it is text by YAML 1.1 and by YAML 1.2, and writes no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def scalar(node: yaml.ScalarNode) -> Any:
    """The value of a scalar by its tag. Raises ValueError, quoting nothing, for a number or word that is none."""
    make = _MAKERS.get(node.tag)
    return make(node.value) if make else node.value


def _integer(text: str) -> int:
    try:
        return int(text, 16 if "x" in text else 10)
    except ValueError:
        raise _not_a_number(text) from None


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _not_a_number(text) from None
    if not isfinite(number):
        raise _not_a_number(text)
    return number


def _not_a_number(text: str) -> ValueError:
    return ValueError("the number is too large" if re.fullmatch(r"[-+0-9.eE]+", text) else "this is not a number")


def _boolean(text: str) -> bool:
    if not _BOOLEAN.match(text):
        raise ValueError("this is neither true nor false")
    return text in ("true", "True", "TRUE")


_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_RESOLVERS = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ("", "~", "n", "N")),
    ("bool", _BOOLEAN, "tTfF"),
    ("int", re.compile(r"(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)\Z"), "-+0123456789"),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), "-+.0123456789"),
    ("merge", re.compile(r"<<\Z"), "<"),
)
"""Type, what it looks like and its first characters. The first that fits counts: an integer is no float."""
_MAKERS: dict[str, Callable[[str], Any]] = {
    f"{TAG}int": _integer,
    f"{TAG}float": _float,
    f"{TAG}bool": _boolean,
    f"{TAG}null": lambda text: None,
}


def use_core_schema(loader_or_dumper: Any) -> None:
    """Make a class take a plain scalar for what YAML 1.2 takes it for, such as 1e3 for a number.

    A dumper then puts quotes around a text that is written like that.
    """
    for kind, pattern, first in _RESOLVERS:
        loader_or_dumper.add_implicit_resolver(f"{TAG}{kind}", pattern, list(first))


for _class in (Loader, Dumper):
    use_core_schema(_class)
