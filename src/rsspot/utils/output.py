"""Formats values as a table, JSON or YAML. Tables are plain text, so that ten thousand rows take milliseconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rsspot.utils.text import printable

GAP = "  "


def render(value: object, output: str) -> str:
    """Format a value of plain types. output: a key of FORMATS. Raises KeyError for any other."""
    return FORMATS[output](value)


def as_json(value: object) -> str:
    """Format a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def as_yaml(value: object) -> str:
    """Format a value as one YAML document. Keys keep their order."""
    import yaml

    plain = json.loads(json.dumps(value, default=str))
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True).rstrip()


def as_table(value: object) -> str:
    """Format a list of mappings as rows, a mapping as one field per line, and anything else with `str`."""
    if isinstance(value, Mapping):
        return _fields(value)
    if isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        return _rows(value) if value else "Nothing found."
    return str(value)


FORMATS: dict[str, Callable[[object], str]] = {"table": as_table, "json": as_json, "yaml": as_yaml}
"""The output formats for lists and objects. Plans and runs have their own: see `reports`."""


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[name.upper() for name in columns], *([_cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return "\n".join(
        GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _fields(fields: Mapping[str, Any]) -> str:
    width = max((len(str(name)) for name in fields), default=0)
    return "\n".join(f"{name!s:<{width}}{GAP}{_cell(value)}" for name, value in fields.items())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = str(value) if isinstance(value, str | Decimal) else json.dumps(value, ensure_ascii=False, default=str)
    return printable(text)
