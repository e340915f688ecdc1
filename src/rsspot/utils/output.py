"""Formats values as a table, JSON or YAML. Tables are plain text, so that ten thousand rows take milliseconds."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rsspot.utils.serialization import without_surrogates
from rsspot.utils.text import COMMAND_ANYWHERE, columns, padded, printable, starts_command

GAP = "  "
_NOT_PLAIN = re.compile(r"[^\n -~]")
_UNFOLDED = 2**31 - 1
"""The width of lines of YAML. A folded text could begin a line with something that the runner of a workflow obeys."""


def render(value: object, output: str) -> str:
    """Format a value of plain types. output: a key of FORMATS. Raises KeyError for any other."""
    return FORMATS[output](value)


def as_json(value: object) -> str:
    """Format a value as indented JSON."""
    return _document(json.dumps(value, indent=2, ensure_ascii=False, default=str), _json_escape)


def as_json_line(value: object) -> str:
    """Format a value as JSON on one line."""
    return _document(json.dumps(value, ensure_ascii=False, default=str), _json_escape)


def as_yaml(value: object) -> str:
    """Format a value as one YAML document. Keys keep their order."""
    import yaml

    plain = json.loads(without_surrogates(json.dumps(value, default=str, ensure_ascii=False)))
    text = yaml.dump(plain, Dumper=_yaml_dumper(), sort_keys=False, allow_unicode=True, width=_UNFOLDED)
    return _document(text, _yaml_escape).rstrip()


def as_table(value: object) -> str:
    """Format a list of mappings as rows, a mapping as one field per line, and anything else with `str`."""
    if isinstance(value, Mapping):
        return _fields(value)
    if isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        return _rows(value) if value else "Nothing found."
    return str(value)


FORMATS: dict[str, Callable[[object], str]] = {"table": as_table, "json": as_json, "yaml": as_yaml}
"""The output formats for lists and objects. Plans and runs have their own: see `reports`."""


def cell(value: Any) -> str:
    """One value of a table, on one line."""
    if value is None:
        return "-"
    text = str(value) if isinstance(value, str | Decimal) else json.dumps(value, ensure_ascii=False, default=str)
    return printable(text)


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[printable(name.upper()) for name in names], *([cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(columns(line[index]) for line in cells) for index in range(len(names))]
    return "\n".join(
        GAP.join(padded(text, width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _fields(fields: Mapping[str, Any]) -> str:
    named = {printable(str(name)): value for name, value in fields.items()}
    width = max(map(columns, named), default=0)
    return "\n".join(f"{padded(name, width)}{GAP}{cell(value)}" for name, value in named.items())


def _document(text: str, escape: Callable[[int], str]) -> str:
    r"""JSON or YAML in which nothing is left that a terminal obeys, or that can be seen to be nothing.

    Characters beyond the basic plane are escaped as well. What is left can be escaped as `\uXXXX`, which JSON and YAML
    have in common, by a stream that cannot encode it.
    """
    if text.isascii() and "\x7f" not in text:
        return text

    def safe(found: re.Match[str]) -> str:
        character = found[0]
        return character if character.isprintable() and character <= "\uffff" else escape(ord(character))

    return _NOT_PLAIN.sub(safe, without_surrogates(text))


def _json_escape(code: int) -> str:
    return json.dumps(chr(code))[1:-1] if code > 0x7F else f"\\u{code:04x}"


def _yaml_escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@functools.cache
def _yaml_dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("Dumper", (base,), {})
    dumper.add_representer(str, _yaml_text)
    return dumper


def _yaml_text(dumper: Any, text: str) -> Any:
    """Double quotes around every text of which something may have to be escaped: YAML has escapes nowhere else."""
    plain = text.isascii() and text.isprintable() and not starts_command(text) and not COMMAND_ANYWHERE.search(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')
