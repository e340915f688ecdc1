"""The tables of every field in docs/manifests.md, generated from the models. Writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rsspot.manifests.described_kinds import whole
from rsspot.manifests.document import authored_kinds
from rsspot.manifests.schema import spec_fields
from rsspot.manifests.stack import Stack
from rsspot.models.fields import DEFAULTED, SERVER_OWNED, FilledIn
from rsspot.models.money import MOST
from rsspot.resources.description import FieldDescription, Many, Type
from rsspot.resources.field import Path
from rsspot.utils.serialization import Document, at_path

HEAD = ("Field", "Type", "Default", "Limits", "Example", "Meaning")
LONGEST = 40
"""Characters of an example; the whole of a longer one is in the file."""


def reference_kinds() -> list[str]:
    """The kinds that people write, in the order of their names, and the Stack."""
    return [*sorted(authored_kinds()), Stack.__name__]


def markdown(examples: Mapping[str, Document]) -> str:
    """A section for each kind. examples: kind -> a manifest with every field that may be written"""
    return "\n".join(_section(name, examples.get(name, {})) for name in reference_kinds())


def one_example(documents: Iterable[Document]) -> Document:
    """The documents of an example as one: fields that exclude each other are in several, or in several items."""
    merged: Document = {}
    for document in documents:
        for key, written in document.items():
            value = _one_value(written)
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = one_example([merged[key], value]) if both else merged.get(key, value)
    return merged


def _one_value(written: Any) -> Any:
    if isinstance(written, dict):
        return one_example([written])
    are_objects = isinstance(written, list) and written and all(isinstance(item, dict) for item in written)
    return [one_example(written)] if are_objects else written


def written_fields(name: str) -> Iterator[tuple[Path, FieldDescription]]:
    """The fields of a spec that people may write, with those inside them."""
    return _below(_spec_fields(name), ())


def _spec_fields(name: str) -> tuple[FieldDescription, ...]:
    if name in authored_kinds():
        return spec_fields(authored_kinds()[name])
    spec = whole(name).field.at(("spec",))
    return spec.fields if spec else ()


def _below(fields: tuple[FieldDescription, ...], above: Path) -> Iterator[tuple[Path, FieldDescription]]:
    for each in fields:
        if each.has(SERVER_OWNED):
            continue
        # As JSONPath has it: what stands in each item of a list.
        name = f"{each.name}[]" if each.many is Many.LIST and each.fields else each.name
        yield (*above, each.name), replace(each, name=".".join((*above, name)))
        if each.many is not Many.MAP:
            # What stands under names of the author's own has a page of its own.
            yield from _below(each.fields, (*above, name))


def _section(name: str, example: Document) -> str:
    found = whole(name)
    lines = [
        f"### {name}",
        "",
        f"{found.field.description} `apiVersion: {found.api_version}`;"
        f" [a manifest with every field](../examples/kinds/{name}.yaml).",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
    ]
    lines += [_row(path, each, name, example) for path, each in written_fields(name)]
    return "\n".join([*lines, ""])


def _row(path: Path, each: FieldDescription, kind: str, example: Document) -> str:
    cells = (
        f"`{each.name}`",
        each.type_name,
        _default(each, path, kind),
        ", ".join(_limits(each)),
        _example(at_path(example, ("spec", *_indexes(path)))),
        " ".join([each.description, *each.notes]),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _indexes(path: Path) -> Iterator[str | int]:
    """The path in a document, where a list is represented by its first item."""
    for part in path:
        yield part.removesuffix("[]")
        if part.endswith("[]"):
            yield 0


def _default(each: FieldDescription, path: Path, kind: str) -> str:
    """What stands there if nobody writes it."""
    if each.required:
        return "required"
    if kind in authored_kinds() and path in authored_kinds()[kind].regions:
        return "the region of the settings"
    if any(isinstance(fact, FilledIn) for fact in each.facts):
        return "filled in when the object is made"
    if each.has(DEFAULTED):
        return "the service's"
    return "" if each.default is None else f"`{json.dumps(each.default)}`"


def _limits(each: FieldDescription) -> Iterator[str]:
    if each.type is Type.PRICE:
        most = each.keywords.get("exclusiveMaximum", MOST)
        yield f"from 0 to below {most}" + (", at most three decimal places" if most == MOST else "")
    if "enum" in each.keywords:
        yield " or ".join(f"`{word}`" for word in each.keywords["enum"])
    bounds = [each.keywords.get(key) for key in ("minimum", "maximum")]
    if bounds != [None, None]:
        least, most = bounds
        yield f"{least} to {most}" if most is not None else f"at least {least}"
    if "pattern" in each.keywords:
        yield f"`{each.keywords['pattern']}`"
    if "minItems" in each.keywords:
        yield f"at least {each.keywords['minItems']} item"


def _example(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}`"
