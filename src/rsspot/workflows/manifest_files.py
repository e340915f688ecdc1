"""Manifests to files as values: which goes into which file, under what name, with which variables. Writes nothing."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rsspot.constants import LOCAL_API_VERSION
from rsspot.manifests.files import SCHEMA_HEADER
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.manifests.yaml_text import SEPARATOR, yaml_text
from rsspot.planner.change import Path as FieldPath
from rsspot.workflows.export import WrittenObject

STACK_FILE, ONE_FILE = "stack.yaml", "manifests.yaml"
UNOWNED = "_no-stack"
"""The folder of what belongs to no stack. No stack can have this name."""
BY_UUID = "no manifest could find it by another name"


@dataclass(frozen=True)
class ManifestFiles:
    """ManifestFiles by their names in a folder. variables: environment variable -> the secret that it stands for"""

    texts: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)


def files_of(
    written: Sequence[WrittenObject], stack: str | None, *, one_file: bool = False, taken: Collection[str] = ()
) -> ManifestFiles:
    """A file for each object that others live in, with those others; and one for the Stack, unless stack is None.

    taken: names of files that are in the way
    """
    names = {*taken}
    variables: dict[str, str] = {}
    documents = [(each, _text(each, variables)) for each in written]
    header = [yaml_text(stack_document(stack))] if stack not in (None, DEFAULT_STACK) else []
    if one_file:
        groups = {_free([ONE_FILE], names): [*header, *(text for _, text in documents)]}
    else:
        groups = {_free([STACK_FILE], names): header} if header else {}
        for root, members in itertools.groupby(sorted(documents, key=_order), key=lambda each: _root(each[0])):
            kind, name = root
            groups[_free([f"{name}.yaml", f"{kind}-{name}.yaml"], names)] = [text for _, text in members]
    return ManifestFiles(
        {name: SCHEMA_HEADER + SEPARATOR.join(texts) for name, texts in groups.items() if texts}, variables
    )


def stream_of(written: Sequence[WrittenObject], stack: str | None) -> ManifestFiles:
    """All of it as one text, for standard output."""
    files = files_of(written, stack, one_file=True)
    return ManifestFiles(
        {name: text.removeprefix(SCHEMA_HEADER) for name, text in files.texts.items()}, files.variables
    )


def names_in(folder: Path) -> list[str]:
    """The names of what is in a folder, which may not exist yet."""
    return sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208 - the names alone


def stack_document(name: str | None) -> dict[str, object]:
    """A Stack that says no more than its name."""
    return {"apiVersion": LOCAL_API_VERSION, "kind": "Stack", "metadata": {"name": name}}


def _text(each: WrittenObject, taken: dict[str, str]) -> str:
    variables: dict[FieldPath, str] = {}
    for path in each.authored.secrets:
        name = _variable(f"{each.manifest.address}/{'/'.join(path[1:])}", taken)
        taken[name] = f"{'.'.join(path)} of {each.manifest.address}"
        variables[path] = name
    return each.authored.text(variables, BY_UUID if each.by_uuid else None)


def _variable(place: str, taken: Collection[str]) -> str:
    """The variable for a secret: CLOUDSPACE_EDGE_WEBHOOK for the webhook of cloudspace/edge."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", place)
    name = re.sub(r"[^A-Za-z0-9]+", "_", words).upper()
    return next(each for each in _numbered(name, "_") if each not in taken)


def _free(names: Iterable[str], taken: set[str]) -> str:
    """The first name that is free, or else the last with a number. It is taken then."""
    *_, last = names = list(names)
    stem, dot, suffix = last.rpartition(".")
    numbered = (f"{each}{dot}{suffix}" for each in _numbered(stem, "-"))
    free = next(each for each in itertools.chain(names, numbered) if each not in taken)
    taken.add(free)
    return free


def _numbered(name: str, separator: str) -> Iterator[str]:
    yield name
    yield from (f"{name}{separator}{number}" for number in itertools.count(2))


def _root(each: WrittenObject) -> tuple[str, str]:
    """The kind and name of the object that a file is about: the parent, or the object itself."""
    manifest = each.manifest
    parent = manifest.parent or manifest.address
    kind, _, name = parent.partition("/")
    # The name of a parent is the service's word, and may be anything.
    return kind, re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or kind


def _order(each: tuple[WrittenObject, str]) -> tuple[tuple[str, str], bool, str]:
    """What is in one file stands together, and the parent comes first."""
    manifest = each[0].manifest
    return _root(each[0]), manifest.parent is not None, manifest.address
