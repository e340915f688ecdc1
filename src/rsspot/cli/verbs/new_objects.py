"""The objects that one `create` command makes: the object itself, pools given with it, and those of a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.cli.inputs import read_json_argument
from rsspot.cli.spec_options import pair, spec_from_words, with_defaults
from rsspot.errors import UsageError
from rsspot.resources.kind import Kind, Naming
from rsspot.utils.serialization import Document
from rsspot.utils.text import squashed


@dataclass(frozen=True)
class NewObject:
    """An object to create. name: as its author gave it"""

    kind: Kind[Any]
    name: str
    spec: Document
    labels: dict[str, str] = field(default_factory=dict)


def name_of(kind: Kind[Any], name: str | None) -> str:
    """The name of a new object. One of a kind that the API names by UUID may have none, and gets a random UUID."""
    if name is not None:
        return name
    if kind.naming is Naming.UUID:
        return str(uuid.uuid4())
    raise UsageError(f"the {kind.name} needs a name", hint="give it as the first argument or with --name")


def children_from(parent: NewObject, children: list[Kind[Any]], given: Mapping[str, Any]) -> Iterator[NewObject]:
    """The objects inside a new one that the options of the command describe, as JSON or as `field=value,…`."""
    for kind in children:
        for text in given.get(f"child_{kind.name.lower()}") or ():
            words = read_json_argument(text) if text.lstrip().startswith("{") else _words(text, kind)
            yield _child(parent, kind, words, arguments=True)


def objects_in_file(kind: Kind[Any], children: list[Kind[Any]], file: Path) -> list[NewObject]:
    """What a file of the official CLI describes: an object under the kind's name, and lists of objects in it."""
    document = read_json_argument(f"@{file}")
    by_key = {squashed(key): value for key, value in document.items()}
    known = {squashed(kind.name), *(squashed(child.plural) for child in children)}
    unknown = [key for key in document if squashed(key) not in known]
    if unknown or squashed(kind.name) not in by_key:
        what = f"has an unknown key {unknown[0]!r}" if unknown else f"has no key {kind.name.lower()!r}"
        raise UsageError(f"{file} {what}", hint=f"its keys are {', '.join(sorted(known))}; for manifests, use apply")
    parent = _described(kind, _mapping(by_key[squashed(kind.name)], file), arguments=False)
    objects = [parent]
    for child in children:
        entries = by_key.get(squashed(child.plural)) or []
        if not isinstance(entries, list):
            raise UsageError(f"{file}: {child.plural} must be a list")
        objects += [_child(parent, child, _mapping(entry, file), arguments=False) for entry in entries]
    return objects


def _described(kind: Kind[Any], words: Mapping[str, Any], *, arguments: bool) -> NewObject:
    # The organization is chosen by --org and the profile.
    fields = {key: value for key, value in words.items() if squashed(key) != "org"}
    name, spec = spec_from_words(kind, fields, arguments=arguments)
    return NewObject(kind, name_of(kind, name), with_defaults(kind, spec))


def _child(parent: NewObject, kind: Kind[Any], words: Mapping[str, Any], *, arguments: bool) -> NewObject:
    assert kind.parent is not None
    child = _described(kind, words, arguments=arguments)
    return NewObject(kind, child.name, {kind.parent.path[0]: parent.name, **child.spec})


def _words(text: str, kind: Kind[Any]) -> dict[str, str]:
    return dict(pair(part, f"--{kind.name.lower()}") for part in text.split(","))


def _mapping(value: Any, file: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{file} must contain a mapping")
    return value
