"""Reads the lifecycle of an object from its annotations and from the defaults of the Stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from rsspot.constants import (
    DEPENDS_ON_ANNOTATION,
    IGNORE_ANNOTATION,
    NAME_ANNOTATION,
    ON_REMOVE_ANNOTATION,
    PREVIOUS_NAME_ANNOTATION,
    REPLACE_ANNOTATION,
)
from rsspot.errors import Problem
from rsspot.manifests.lifecycle import Lifecycle, OnRemove, Replace
from rsspot.manifests.source import Source
from rsspot.manifests.stack import Defaults
from rsspot.models.authoring import among
from rsspot.models.refs import DNS_LABEL
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind, Naming
from rsspot.utils.text import choices, did_you_mean

PREFIX = "rsspot.dev/"
METADATA_MAPS = ("labels", "annotations")

ABOUT = {
    "on-remove": "What becomes of the object once nothing declares it.",
    "replace": "How the object may be replaced when a field that cannot be changed is declared otherwise.",
    "ignore": "Fields that others may change after the object is made.",
    "previous-name": "What the object was called before.",
    "depends-on": "Objects whose changes in the same run have to be ready before this one is made or changed.",
}
"""What each annotation says."""

W = TypeVar("W", bound=StrEnum)


def take_lifecycle(kind: Kind[Any], annotations: dict[str, Any], source: Source, problems: list[Problem]) -> Lifecycle:
    """Read the lifecycle annotations of a manifest, and take those away that are not sent. Tells every mistake."""
    given = {name: value for name, value in annotations.items() if name.startswith(PREFIX) and name != NAME_ANNOTATION}
    values: dict[str, Any] = {}
    for name, value in given.items():
        key, origin = name.removeprefix(PREFIX), source.origin(("metadata", "annotations", name))
        reader = READERS.get(key)
        if reader is None:
            hint = choices(f"annotations that begin with {PREFIX}", key, READERS)
            problems.append(Problem(f"unknown annotation {name!r}", origin, hint))
            continue
        if name != ON_REMOVE_ANNOTATION:
            del annotations[name]
        if value is None:
            continue
        try:
            if kind.expand:
                raise ValueError(f"is not for a {kind.name}: it stands for other objects")
            values[key.replace("-", "_")] = reader(kind, value)
        except ValueError as error:
            annotations.pop(name, None)
            problems += [Problem(f"{name} {clause}", origin) for clause in error.args]
    return Lifecycle(**values)


def written(lifecycle: Lifecycle) -> dict[str, Any]:
    """The annotations that are not sent, as an author would write them."""
    values = {
        REPLACE_ANNOTATION: lifecycle.replace.value if lifecycle.replace else None,
        IGNORE_ANNOTATION: [_pointer(path) for path in lifecycle.ignore],
        PREVIOUS_NAME_ANNOTATION: lifecycle.previous_name,
        DEPENDS_ON_ANNOTATION: list(lifecycle.depends_on),
    }
    return {name: value for name, value in values.items() if value}


def _pointer(pattern: Path) -> str:
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in pattern)


def with_defaults(lifecycle: Lifecycle, kind: Kind[Any], defaults: Defaults) -> Lifecycle:
    """The lifecycle of an object, with what the Stack says where its manifest says nothing."""
    patterns = (_pattern(kind, text) for text in defaults.ignore)
    return replace(
        lifecycle,
        on_remove=lifecycle.on_remove or (OnRemove(defaults.on_remove) if defaults.on_remove else None),
        replace=lifecycle.replace or (Replace(defaults.replace) if defaults.replace else None),
        # Other kinds may have the fields that this one has not.
        ignore=(*lifecycle.ignore, *(pattern for pattern in patterns if _is_known(kind, pattern))),
    )


def unknown_defaults(defaults: Defaults, kinds: Iterable[Kind[Any]], source: Source) -> Iterator[Problem]:
    """Each path that no kind has, and that could therefore ignore nothing."""
    known = tuple(kinds)
    for index, text in enumerate(defaults.ignore):
        if not any(_is_known(kind, _pattern(kind, text)) for kind in known):
            fields = {".".join(path) for kind in known for path in kind.fields}
            origin = source.origin(("spec", "defaults", "ignore", index))
            yield Problem(
                f"spec.defaults.ignore names {text!r}, which is no field of any kind",
                origin,
                did_you_mean(text, fields),
            )


def _word(choice: type[W]) -> Callable[[Kind[Any], Any], W]:
    check = among(tuple(choice))

    def read(kind: Kind[Any], value: Any) -> W:
        check(value)
        return choice(value)

    return read


def _ignore(kind: Kind[Any], value: Any) -> tuple[Path, ...]:
    """Raises ValueError, with a clause for each path that is none."""
    texts = _texts(value)
    patterns = [_pattern(kind, text) for text in texts]
    unknown = [text for text, pattern in zip(texts, patterns, strict=True) if not _is_known(kind, pattern)]
    if unknown:
        known = sorted({".".join(path) for path in kind.fields})
        raise ValueError(
            *(
                f"names {text!r}, which is no field of a {kind.name}; {choices('fields', text, known)}"
                for text in unknown
            )
        )
    return tuple(patterns)


def _previous_name(kind: Kind[Any], value: Any) -> str:
    if not isinstance(value, str) or not DNS_LABEL.fullmatch(value):
        raise ValueError("is the name that the object had before")
    if kind.naming is not Naming.UUID:
        raise ValueError(f"is not for a {kind.name}: its name cannot be changed")
    return value


def _depends_on(kind: Kind[Any], value: Any) -> tuple[str, ...]:
    return tuple(_texts(value))


def _texts(value: Any) -> list[str]:
    """A list of texts, or a text with commas between them: kubectl takes only texts as annotations."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(each, str) and each.strip() for each in items):
        raise ValueError("is a list of texts, or one text with commas")
    return [each.strip() for each in items]


def _pattern(kind: Kind[Any], text: str) -> Path:
    """The keys of `spec.autoscaling.maxNodes`, `desired`, `metadata.labels.team` or `/metadata/labels/a.b~1c`."""
    if text.startswith("/"):
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))
    first, _, rest = text.partition(".")
    if first == "metadata":
        # Below this, the keys may have dots of their own.
        return tuple(part for part in (first, *rest.split(".", 1)) if part)
    path = tuple((rest if first == "spec" else text).split("."))
    whole = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in kind.fields), path)
    below = ".".join(path[len(whole) :])
    return ("spec", *whole, *([below] if below else []))


def _is_known(kind: Kind[Any], pattern: Path) -> bool:
    room, *path = pattern
    if room == "metadata":
        return bool(path) and path[0] in METADATA_MAPS
    if room != "spec" or not path:
        return False
    return any(all(map(fnmatchcase, field, path)) for field in kind.fields)


READERS: Mapping[str, Callable[[Kind[Any], Any], Any]] = {
    "on-remove": _word(OnRemove),
    "replace": _word(Replace),
    "ignore": _ignore,
    "previous-name": _previous_name,
    "depends-on": _depends_on,
}
