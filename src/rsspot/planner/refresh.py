"""Refresh: how the live objects of a stack differ from what was applied last. Looks at no manifest, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rsspot.models.refs import Ref
from rsspot.planner.attribution import author_of
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.diff import key_path, live_value, same, was_applied
from rsspot.planner.live import LiveState, Owned
from rsspot.resources.kind import Kind
from rsspot.resources.secrecy import secret_paths
from rsspot.utils.sealing import is_seal
from rsspot.utils.serialization import Document, at_path


def drifted(state: LiveState, kinds: Mapping[str, Kind[Any]]) -> tuple[Change, ...]:
    """Every object on record that is gone, or has a field that is not as it was applied, sorted by address.

    In each edit, `before` is what was applied, and `after` what is there now.
    """
    changes = (
        _drift(kinds[ref.kind], ref, owned, state.of(ref.kind).get(ref.name))
        for ref, owned in state.owned.items()
        if ref.kind not in state.incomplete and not kinds[ref.kind].local
    )
    return tuple(sorted((each for each in changes if each is not None), key=lambda each: each.address))


def _drift(kind: Kind[Any], ref: Ref, owned: Owned, live: Document | None) -> Change | None:
    if live is None:
        return Change(owned.address, Action.DELETE, ref, "deleted by somebody else")
    if owned.uid not in (None, at_path(live, ("metadata", "uid"))):
        return Change(owned.address, Action.REPLACE, ref, "deleted, and made again by somebody else")
    if at_path(live, ("metadata", "deletionTimestamp")):
        return Change(owned.address, Action.DELETE, ref, "being deleted by somebody else")
    edits = tuple(_edits(kind, owned, live))
    return Change(owned.address, Action.UPDATE, ref, "changed by somebody else", edits=edits) if edits else None


def _edits(kind: Kind[Any], owned: Owned, live: Document) -> Iterator[Edit]:
    hidden = set(secret_paths(kind, live)) if kind.holds_secrets else set()
    for key, last in sorted(owned.applied.items()):
        path = key_path(key)
        now, field = live_value(kind, live, path), kind.field_at(path)
        secret = path in hidden or is_seal(last)
        before = last if secret or field is None else field.canonical(last)
        if was_applied(before, now, secret) if secret else same(kind, path, before, now):
            continue
        author = author_of(live, path)
        yield Edit(
            path,
            before,
            now,
            drift=True,
            secret=secret,
            by=author.manager if author else None,
            since=author.time if author else None,
        )
