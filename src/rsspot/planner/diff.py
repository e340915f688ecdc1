"""What differs between desired and live: only fields that the author wrote, and only where they mean something else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from rsspot.manifests.manifest import Manifest
from rsspot.models.fields import IMMUTABLE, SECRET, SERVER_OWNED, WRITE_ONLY
from rsspot.planner.attribution import author_of
from rsspot.planner.change import Edit, Path
from rsspot.planner.wire_form import wire_form
from rsspot.resources.field import Field, equal
from rsspot.resources.kind import Kind
from rsspot.resources.secrecy import secret_paths, secrets_of
from rsspot.utils.sealing import fits, seal
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import Document, at_path, digest

SPEC = "spec"


def managed(kind: Kind[Any], desired: Document, live: Document | None = None) -> dict[Path, Any]:
    """Every field that a manifest has a say in, by its path, in its canonical spelling. None: to be absent.

    A field that yields to a switch is left out if the switch will be on after an apply. Null has no say in a field
    that is immutable, or that the service would fill in again: its author left the choice open.
    """
    fields: dict[Path, Any] = {}
    for path, value in sorted(leaves(desired), key=itemgetter(0)):
        field = kind.field_at(path)
        if field is None:
            fields[path] = value
        elif passed_over(field, desired, live, value) is None:
            fields[path] = field.canonical(value)
    return fields


def passed_over(field: Field, desired: Document, live: Document | None, value: Any) -> str | None:
    """Why a field that a manifest mentions is not compared; None when it is."""
    if field.has(WRITE_ONLY):
        return "never returned by the service, so not compared"
    if field.has(SERVER_OWNED):
        return "set by the service"
    if field.yields_to and after_apply(desired, live, (SPEC, *field.yields_to)):
        return f"left to the service while {'.'.join(field.yields_to)} is on"
    if value is None and field.keeps_its_value:
        return "left to the service: null cannot remove it"
    return None


def declared(manifest: Manifest, live: Document | None = None) -> dict[Path, Any]:
    """The fields that a manifest has a say in, without those that its author leaves to others."""
    fields = managed(manifest.kind, manifest.body, live)
    lifecycle = manifest.lifecycle
    if not lifecycle.ignore:
        return fields
    return {path: value for path, value in fields.items() if not lifecycle.ignores(path)}


def ignored_differences(manifest: Manifest, live: Document) -> list[Path]:
    """The fields that are not as declared, and that their author leaves to others."""
    kind, compared = manifest.kind, declared(manifest, live)
    return [
        path
        for path, after in managed(kind, manifest.body, live).items()
        if path not in compared and not same(kind, path, live_value(kind, live, path), after)
    ]


def after_apply(desired: Document, live: Document | None, path: Path) -> Any:
    """What stands at a path once `desired` was applied to a live object, or was made where there is none."""
    value: Any = desired
    for key in path:
        if not isinstance(value, dict):
            # Null, or another value, higher up takes away all that was below.
            return None
        if key not in value:
            return at_path(live, path)
        value = value[key]
    return value


def leaves(desired: Document) -> list[tuple[Path, Any]]:
    """Every field of an object that a manifest may speak of, with its value."""
    found: list[tuple[Path, Any]] = []
    for room in (SPEC, "metadata"):
        if room in desired:
            _add_leaves(desired[room], (room,), found)
    return found


def _add_leaves(value: Any, path: Path, found: list[tuple[Path, Any]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _add_leaves(inner, (*path, key), found)
    else:
        found.append((path, value))


def live_value(kind: Kind[Any], live: Document, path: Path) -> Any:
    """A live object's value at a path, in its canonical spelling."""
    value = at_path(live, path)
    field = kind.field_at(path)
    return field.canonical(value) if field else value


def managed_digest(kind: Kind[Any], live: Document, paths: tuple[Path, ...]) -> str:
    """One digest of a live object's fields at some paths, without those that hold secrets.

    Plans are shown and stored, and a short secret can be found by trying digests.
    """
    hidden = set(secret_paths(kind, live)) if kind.holds_secrets else set()
    shown = (path for path in paths if path not in hidden)
    return digest(wire_form({"/".join(path): live_value(kind, live, path) for path in shown}))


def edits(
    kind: Kind[Any], desired: Mapping[Path, Any], live: Document, applied: Mapping[str, Any] | None
) -> tuple[Edit, ...]:
    """The fields of a live object that are not as desired. applied: its fields as last applied, by the ledger."""
    differing = [(path, *pair) for path, value in desired.items() if (pair := _difference(kind, live, path, value))]
    if not differing:
        return ()
    hidden = secrets_of(kind, live, _document(desired))
    return tuple(_edit(kind, live, each, hidden, applied or {}) for each in differing)


def _difference(kind: Kind[Any], live: Document, path: Path, desired: Any) -> tuple[Any, Any] | None:
    """The value of a field before and after, in its canonical spelling; None if the two mean the same."""
    field, before = kind.field_at(path), at_path(live, path)
    if type(before) is type(desired) and before == desired:
        # Spelled alike, as most are.
        return None
    # A saved plan holds prices as text.
    before, after = (field.canonical(before), field.canonical(desired)) if field else (before, desired)
    return None if same(kind, path, before, after) else (before, after)


def _edit(
    kind: Kind[Any], live: Document, difference: tuple[Path, Any, Any], hidden: Secrets, applied: Mapping[str, Any]
) -> Edit:
    path, before, after = difference
    field, last = kind.field_at(path), applied.get(path_key(path))
    secret = (
        bool(field and field.has(SECRET))
        or hidden.mask(str(after)) != str(after)
        or hidden.mask(str(before)) != str(before)
    )
    # Whoever wrote what was applied last was ourselves.
    author = author_of(live, path) if last is not None and not was_applied(last, before, secret) else None
    return Edit(
        path,
        before,
        after,
        drift=last is not None and was_applied(last, after, secret),
        secret=secret,
        forces_replacement=bool(field and field.has(IMMUTABLE)),
        applied=None if secret else last,
        by=author.manager if author else None,
        since=author.time if author else None,
    )


def same(kind: Kind[Any], path: Path, before: Any, after: Any) -> bool:
    """Whether two canonical values of a field mean the same. In a map of strings a key with "" is not an absent key."""
    declared = kind.field_at(path)
    declared = declared if declared and len(declared.path) + 1 == len(path) else None
    return declared.same(before, after) if declared else equal(before, after)


@cache
def path_key(path: Path) -> str:
    """A path as one string, for JSON keys."""
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)


def key_path(key: str) -> Path:
    """The path that `path_key` made a string of."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in key.split("/"))


def was_applied(last: Any, value: Any, secret: bool) -> bool:
    """Whether what the ledger remembers of a field is this value."""
    return fits(last, str(value)) if secret and value is not None else bool(last == wire_form(value))


def applied_fields(kind: Kind[Any], desired: Mapping[Path, Any]) -> dict[str, Any]:
    """What the ledger remembers of an object once it is as desired. Of secrets it keeps only seals."""
    hidden = set(secret_paths(kind, _document(desired))) if kind.holds_secrets else set()
    return {
        path_key(path): seal(str(value)) if path in hidden and value is not None else wire_form(value)
        for path, value in desired.items()
    }


def _document(fields: Mapping[Path, Any]) -> Document:
    """The object that has these fields."""
    document: Document = {}
    for path, value in fields.items():
        holder = document
        for key in path[:-1]:
            holder = holder.setdefault(key, {})
        holder[path[-1]] = value
    return document
