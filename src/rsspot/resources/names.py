"""What people call an object: `workers`, `edge/workers`, `spotnodepool/edge/workers` or a UUID. Sends nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, UsageError
from rsspot.models.refs import is_uuid, path_segment
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import closest

FORM = "names have at most 63 lowercase letters, digits and hyphens"
MOST_NAMED = 8
"""How many candidates an error lists."""


class Called(NamedTuple):
    """An object as somebody called it. parent: the name of its parent, if they said it."""

    parent: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.parent}/{self.name}" if self.parent else self.name


def called(kind: Kind[Any], text: object, within: str | None = None) -> Called:
    """What a name as written or printed anywhere says. within: the parent, said apart from it.

    Raises UsageError for a text that cannot be the name of an object of this kind.
    """
    parts = text.split("/") if isinstance(text, str) else [text]
    named = list(parts)
    if len(parts) > 1 and _means(kind, str(parts[0])) and not _may_be_parent(kind, parts):
        parts = parts[1:]
    if len(parts) > (2 if kind.parent else 1):
        raise UsageError(f"{text!r} is not the name of an object of kind {kind.name}", hint=_form(kind, str(named[0])))
    name, parent = segment(parts[-1]), segment(parts[0]) if len(parts) == 2 else None
    return Called(_parent(kind, parent, within), name)


def parent_called(kind: Kind[Any], within: str | None) -> str | None:
    """The name of a parent, called by any of its names; None if none is said. Raises UsageError."""
    if not within:
        return None
    if kind.parent is None:
        raise UsageError(f"{kind.plural} are not within anything else", hint="leave --within out")
    return called(kinds()[kind.parent.kind], within).name


def _parent(kind: Kind[Any], parent: str | None, within: str | None) -> str | None:
    said = parent_called(kind, within)
    if said and parent not in (None, said):
        raise UsageError(f"the name says that it is within {parent!r}, and --within says {said!r}")
    return said or parent


def _means(kind: Kind[Any], word: str) -> bool:
    """Whether a word stands for a kind, as in `spotnodepools/…`, or `spotnodepool.ngpc.rxt.io/…` by kubectl."""
    plain, _, group = word.lower().partition(".")
    return plain in kind.aliases and group in ("", kind.api_version.partition("/")[0])


def _may_be_parent(kind: Kind[Any], parts: list[Any]) -> bool:
    """Whether the first of two words is a parent, though it is also a word for the kind: a cloudspace called `pools`.

    To take it for the kind would find an object of the same name in another parent. A wire name has no such danger.
    """
    return kind.parent is not None and len(parts) == 2 and not is_uuid(str(parts[1]))


def _form(kind: Kind[Any], word: str) -> str:
    """How the objects of a kind are called; word: what somebody began with."""
    form = f"call it {kind.name.lower()}/{f'{kind.parent.kind.upper()}/' if kind.parent else ''}NAME"
    other = next((each for each in kinds().values() if each is not kind and _means(each, word)), None)
    return f"{word} is another kind, {other.name}" if other else form


def given_name(document: Document) -> str:
    """The name that an object's author gave it, or else its wire name."""
    given = at_path(document, ("metadata", "annotations", NAME_ANNOTATION))
    try:
        return path_segment(given)
    except (ValueError, TypeError):
        # Anybody can write anything into an annotation.
        return str(at_path(document, ("metadata", "name")))


def full_name(kind: Kind[Any], document: Document) -> str:
    """The name of an object with that of its parent: `edge/workers`."""
    return str(Called(_parent_of(kind, document), given_name(document)))


def distinct_names(kind: Kind[Any], documents: list[Document]) -> list[str]:
    """The full names of some objects. Where several have one name, as during a surge, the wire name stands for it."""
    names = [full_name(kind, document) for document in documents]
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [
        name if seen[name] == 1 else str(Called(_parent_of(kind, document), document["metadata"]["name"]))
        for name, document in zip(names, documents, strict=True)
    ]


def is_called(kind: Kind[Any], document: Document, wanted: Called) -> bool:
    """Whether an object is one that somebody called like this. Without a name, every object of the parent is."""
    names = ("", at_path(document, ("metadata", "name")), given_name(document))
    return wanted.name in names and wanted.parent in (None, _parent_of(kind, document))


def chosen(kind: Kind[Any], documents: list[Document], wanted: Called) -> Document:
    """The one object that is called like this. Raises NotFound; UsageError if there are several."""
    matches = [document for document in documents if is_called(kind, document, wanted)]
    if not matches:
        known = distinct_names(kind, documents)
        message = f"none of the {kind.plural} has the name {str(wanted)!r}"
        raise NotFound(message, status=404, reason="NotFound", hint=_close(str(wanted), known))
    if len(matches) > 1:
        candidates = distinct_names(kind, matches)
        left_out = f", and {len(candidates) - MOST_NAMED} more" if len(candidates) > MOST_NAMED else ""
        message = f"{len(matches)} of the {kind.plural} have the name {str(wanted)!r}"
        raise UsageError(message, hint=f"use one of: {', '.join(candidates[:MOST_NAMED])}{left_out}")
    return matches[0]


def _close(wanted: str, known: list[str]) -> str | None:
    """A suggestion. Where the parent was not said, names are compared without it."""
    by_name = {(name if "/" in wanted else name.rpartition("/")[2]): name for name in known}
    close = closest(wanted, by_name)
    return f"did you mean {by_name[close]!r}?" if close else None


def _parent_of(kind: Kind[Any], document: Document) -> str | None:
    return kind.parent_name(document.get("spec") or {})


def segment(name: object) -> str:
    """A name as the last segment of a path. Raises UsageError, also for None from untyped callers."""
    if not isinstance(name, str):
        raise UsageError(f"{name!r} is not the name of an object", hint="pass a string; the variable may be unset")
    try:
        return path_segment(name)
    except ValueError as error:
        hint = FORM if name else "an empty name would address the whole collection"
        raise UsageError(str(error), hint=hint) from None
