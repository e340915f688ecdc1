"""Shows the fields of a kind as text and as JSON, in the manner of `kubectl explain`. Finds nothing by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rsspot.manifests.described_kinds import KindDescription
from rsspot.resources.description import NOTES, FieldDescription

WIDTH = 80
INDENT = "  "
LIMITS = {"minimum": "at least", "maximum": "at most"}


def as_text(found: KindDescription, *, recursive: bool = False) -> str:
    """A kind or a field: what it is, and the fields in it. recursive: with the fields of those, by name and type."""
    field = found.field
    blocks = [_head(found), "DESCRIPTION:\n" + "\n".join(_wrapped(_sentences(field), INDENT))]
    if field.fields:
        lines = _tree(field.fields, INDENT) if recursive else _list(field.fields)
        blocks.append("\n".join(["FIELDS:", *lines]).rstrip())
    return "\n\n".join(blocks)


def as_document(found: KindDescription, *, recursive: bool = False) -> dict[str, Any]:
    """The same as plain values."""
    head = {"kind": found.kind, "apiVersion": found.api_version, "path": ".".join(found.path)}
    return head | _plain(found.field, depth=-1 if recursive else 1)


def _head(found: KindDescription) -> str:
    lines = [f"KIND:     {found.kind}", f"VERSION:  {found.api_version}"]
    if found.path:
        lines.append(f"FIELD:    {'.'.join(found.path)} {_type(found.field)}")
    return "\n".join(lines)


def _type(field: FieldDescription) -> str:
    required = " -required-" if field.required else ""
    return f"<{field.type_name}>{required}"


def _sentences(field: FieldDescription) -> str:
    return " ".join([field.description, *field.notes, *_rules(field)]).strip()


def _rules(field: FieldDescription) -> Iterator[str]:
    """The default and the rules of a value, each as a sentence."""
    if field.default is not None:
        yield f"Default: {_word(field.default)}."
    if "enum" in field.keywords:
        yield f"One of: {', '.join(map(_word, field.keywords['enum']))}."
    limits = [f"{phrase} {field.keywords[key]}" for key, phrase in LIMITS.items() if key in field.keywords]
    if limits:
        yield f"{' and '.join(limits).capitalize()}."


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(fields: tuple[FieldDescription, ...]) -> Iterator[str]:
    for field in fields:
        yield f"{INDENT}{field.name} {_type(field)}"
        yield from _wrapped(_sentences(field), INDENT * 2)
        yield ""


def _tree(fields: tuple[FieldDescription, ...], indent: str) -> Iterator[str]:
    for field in fields:
        yield f"{indent}{field.name} {_type(field)}"
        yield from _tree(field.fields, indent + INDENT)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _plain(field: FieldDescription, depth: int) -> dict[str, Any]:
    """A field as plain values. depth: how many levels of fields inside it to show; negative for all of them"""
    plain: dict[str, Any] = {
        "name": field.name,
        "type": field.type_name,
        "required": field.required,
        "description": field.description,
        "marks": [fact.name for fact in NOTES if field.has(fact)],
        "default": field.default,
        "allowed": field.keywords.get("enum"),
    }
    if field.fields and depth:
        plain["fields"] = [_plain(each, depth - 1) for each in field.fields]
    return plain
