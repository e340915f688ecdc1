"""What happens to an object's metadata: identity, versions, generations, deletion and finalizers. Knows no kinds."""

from __future__ import annotations

import uuid
from typing import Any

from rsspot.simulator.clock import rfc3339
from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.store import Object, Store

OURS = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")
"""Metadata that a caller cannot choose."""


def born(store: Store, definition: Definition, body: Object, namespace: str, seed: int, now: float) -> Object:
    """Give a new object its identity and store it."""
    serial = int(store.fact("serial", "0")) + 1
    store.set_fact("serial", str(serial))
    metadata = {key: value for key, value in body["metadata"].items() if key not in OURS}
    metadata |= {"uid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{serial}"))}
    metadata |= {"creationTimestamp": rfc3339(now), "generation": 1}
    if definition.namespaced:
        metadata["namespace"] = namespace
    body["metadata"] = metadata
    return store.put(definition.plural, body)


def changed(store: Store, definition: Definition, body: Object, old: Object) -> Object:
    """Store an update: nothing at all when nothing differs, a new generation when the spec does."""
    theirs = {key: value for key, value in body["metadata"].items() if key not in OURS}
    body["metadata"] = theirs | {key: old["metadata"][key] for key in OURS if key in old["metadata"]}
    if body == old:
        return old
    if body.get("spec") != old.get("spec"):
        body["metadata"]["generation"] = old["metadata"]["generation"] + 1
    stored = store.put(definition.plural, body)
    return finalized(store, definition, stored)


def doomed(store: Store, definition: Definition, body: Object, now: float) -> Object:
    """Ask for deletion: at once without finalizers, otherwise when the last one is gone."""
    metadata = body["metadata"]
    if metadata.get("deletionTimestamp"):
        return body
    metadata["deletionTimestamp"] = rfc3339(now)
    metadata["deletionGracePeriodSeconds"] = 0
    return finalized(store, definition, store.put(definition.plural, body))


def finalized(store: Store, definition: Definition, body: Object) -> Object:
    """Remove an object that waits for nothing any more."""
    if body["metadata"].get("deletionTimestamp") and not body["metadata"].get("finalizers"):
        store.remove(definition.plural, body)
    return body


def controlled_by(store: Store, plural: str, owner: Object) -> list[Object]:
    """The objects of a plural that another object controls, those on their way out included."""
    uid = owner["metadata"]["uid"]
    return [
        body
        for body in store.objects(plural, owner["metadata"].get("namespace", ""))
        if any(each.get("controller") and each["uid"] == uid for each in body["metadata"].get("ownerReferences") or ())
    ]


def at(body: Any, path: str) -> Any:
    """The value at a dotted path such as `.spec.region`, or None."""
    for key in path.strip(".").split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(key)
    return body
