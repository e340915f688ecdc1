"""Writes plain values as YAML, byte for byte as libyaml does, in a tenth of its time.

PyYAML makes a node and an event of every value, and looks at each text anew. Here most texts are recognized as safe by
one pattern. What is not, such as a text that needs escapes, is left to libyaml.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import yaml

from rsspot.utils.text import COMMAND_ANYWHERE, starts_command
from rsspot.utils.yaml_scalars import use_core_schema

UNFOLDED = 2**31 - 1
"""The width of lines. A folded text could begin a line with something that the runner of a workflow obeys."""
LONGEST_KEY = 128
"""Bytes. libyaml writes a longer key, or one with a line break, in another form."""
_BREAK = re.compile("[\\r\\n\\x85\\u2028\\u2029]")
_SAFE = re.compile(r"[A-Za-z0-9_/](?:[A-Za-z0-9_./@+=~-]|[: ](?=[A-Za-z0-9_/]))*")
"""Texts without anything that means something in YAML. Whether one means a number or a date is another question."""
_WORDS = {None: "null", True: "true", False: "false"}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes text so that it is text by YAML 1.1 and by YAML 1.2, in quotes where something may have to be escaped."""


def _text(dumper: Any, text: str) -> Any:
    """Double quotes around every text of which something may have to be escaped: YAML has escapes nowhere else."""
    plain = text.isascii() and text.isprintable() and not starts_command(text) and not COMMAND_ANYWHERE.search(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


use_core_schema(_Dumper)
_Dumper.add_representer(str, _text)


def written(value: Any) -> str:
    """A value of the types that JSON has, as one YAML document. Keys keep their order."""
    if not value or not isinstance(value, dict | list):
        return by_libyaml(value)
    try:
        return _item(value, "\n") + "\n"
    except _OddKey:
        return by_libyaml(value)


def by_libyaml(value: Any) -> str:
    """The same, by libyaml."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=UNFOLDED)
    return text


class _OddKey(Exception):
    """A key that is not written on the line of its value."""


def _item(value: Any, line: str) -> str:
    """A value that begins in the middle of a line. line: what begins a new one, with its indentation"""
    if isinstance(value, str):
        return _scalar(value)
    if isinstance(value, dict) and value:
        return line.join([f"{_key(key)}:{_behind(inner, line)}" for key, inner in value.items()])
    if isinstance(value, list) and value:
        inside = f"{line}  "
        return line.join([f"- {_item(inner, inside)}" for inner in value])
    return _other(value)


def _behind(value: Any, line: str) -> str:
    """The value of a key: on the same line, or on lines of its own. A list is not indented further than its key."""
    if isinstance(value, str):
        return f" {_scalar(value)}"
    if value and isinstance(value, dict):
        inside = f"{line}  "
        return inside + _item(value, inside)
    if value and isinstance(value, list):
        return line + _item(value, line)
    return f" {_other(value)}"


def _other(value: Any) -> str:
    """Anything but a text, an object with members and a list with items."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return by_libyaml([value])[2:-1]


@functools.lru_cache(maxsize=4096)
def _key(text: str) -> str:
    if len(text.encode()) > LONGEST_KEY or _BREAK.search(text):
        raise _OddKey
    return _scalar(text)


@functools.lru_cache(maxsize=4096)
def _scalar(text: str) -> str:
    """A text, in quotes where something else than this text would be read without them."""
    if not _SAFE.fullmatch(text):
        return by_libyaml([text])[2:-1]
    resolvers = _Dumper.yaml_implicit_resolvers.get(text[0], ())
    return f"'{text}'" if any(pattern.match(text) for _, pattern in resolvers) else text
