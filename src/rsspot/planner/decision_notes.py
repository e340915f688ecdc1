"""Notes on what a decision about one object leaves aside. Pure; changes nothing about the decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rsspot.manifests.lifecycle import ON_REMOVE_PATH, OnRemove
from rsspot.manifests.manifest import Manifest
from rsspot.planner.change import Path
from rsspot.planner.diff import SPEC, after_apply, key_path, path_key
from rsspot.planner.draft import PlanContext
from rsspot.planner.ownership import LABEL_KEY
from rsspot.utils.serialization import Document, at_path


def on_no_predecessor(manifest: Manifest) -> list[str]:
    """That nothing has the name which an object is said to have had: perhaps it is mistyped."""
    previous = manifest.lifecycle.previous_name
    if previous is None:
        return []
    return [f"{manifest.address} is made anew: there is no {manifest.kind.address(previous, manifest.spec)} to rename"]


def on_dropped_fields(
    manifest: Manifest, live: Document, fields: Mapping[Path, Any], context: PlanContext
) -> list[str]:
    """Which fields were applied once, still have a value, and are no longer declared: they stay as they are.

    fields: what is declared of the object
    """
    kind = manifest.kind
    owned = context.owners.knows(kind, live)
    if owned is None or live["metadata"].get("deletionTimestamp"):
        return []
    others = {LABEL_KEY, *map(path_key, fields)}
    if others.issuperset(owned.applied):
        return []
    others |= {path_key((SPEC, *path)) for path, _ in kind.yielding}
    if context.owners.on_remove(kind, live) is OnRemove.DELETE:
        # As if nothing was said.
        others.add(path_key(ON_REMOVE_PATH))
    ignores = manifest.lifecycle.ignores
    dropped = sorted(
        key for key in owned.applied if key not in others and _has_value(live, key) and not ignores(key_path(key))
    )
    if not dropped:
        return []
    names = ", ".join(".".join(key_path(key)).removeprefix("spec.") for key in dropped)
    return [f"{manifest.address}: no longer declared and left as they are: {names} (null removes)"]


def on_switches(manifest: Manifest, live: Document) -> Iterator[str]:
    """Which declared fields are left to the service, because of a switch that is on and that is not declared."""
    for path, yields_to in manifest.kind.yielding:
        switch = (SPEC, *yields_to)
        declares = at_path(manifest.spec, path) is not None
        if declares and after_apply(manifest.body, live, switch) and not after_apply(manifest.body, None, switch):
            name, on = ".".join(path), ".".join(switch[1:])
            yield f"{manifest.address}: {name} is left to the service: {on} is on and not declared (false turns it off)"


def _has_value(live: Mapping[str, Any], key: str) -> bool:
    return at_path(live, key_path(key)) not in (None, [], {})
