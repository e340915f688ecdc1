"""The lifecycle of objects: identity, versions, generations, managers, finalizers, deletion and garbage collection.

It knows no kinds and validates nothing: the callers have already done that.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.managed_fields import Manager, updated
from rsspot.simulator.apiserver.metadata import SERVERS
from rsspot.simulator.apiserver.store import Object, Store
from rsspot.simulator.clock import rfc3339

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""Finalizers that hold an object until the garbage collector has processed its dependents."""
COLLECT = "collect"
COLLECTED_AFTER = 1.0
"""Seconds until the collector looks at an object that is being deleted or may have lost its owners."""


class Service(Protocol):
    """The service behind the API. It knows the kinds."""

    def fill_in(self, definition: Definition, body: Object) -> None:
        """Set the fields of a new object that the service sets."""

    def admit(self, definition: Definition, body: Object, old: Object | None) -> None:
        """Raise Refusal for a create (`old` is None) or an update that the service does not allow."""

    def created(self, definition: Definition, body: Object) -> None:
        """React to a new object."""

    def written(self, definition: Definition, body: Object) -> None:
        """React to an update by a caller."""

    def doomed(self, definition: Definition, body: Object) -> None:
        """React to an object that is being deleted and still has finalizers."""


class Objects:
    """Every object of a served API. `now`: seconds since 1970, updated by the owner of the clock."""

    def __init__(self, store: Store, definitions: Mapping[str, Definition], service: Service, seed: int) -> None:
        self.store, self.definitions, self.service, self.seed = store, definitions, service, seed
        self.now = 0.0

    def born(self, definition: Definition, body: Object, manager: Manager | None) -> Object:
        """Set the identity of a new object and store it. manager: None if its managedFields are already set."""
        metadata = {key: value for key, value in body["metadata"].items() if key not in SERVERS}
        uid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{self.store.serial()}"))
        metadata |= {"uid": uid, "creationTimestamp": rfc3339(self.now), "generation": 1}
        body = {**body, "metadata": metadata}
        if manager:
            body = updated(definition.schema, None, body, manager, rfc3339(self.now))
        stored = self.store.put(definition.plural, body)
        if metadata.get("ownerReferences"):
            self._look_later(definition, stored)
        return stored

    def changed(self, definition: Definition, body: Object, old: Object, manager: Manager | None) -> Object:
        """Store an update. An update without a change is not stored; a change of the spec increases the generation."""
        theirs = {key: value for key, value in body["metadata"].items() if key not in SERVERS}
        kept = {key: old["metadata"][key] for key in SERVERS if key in old["metadata"]}
        body = {**body, "metadata": {**theirs, **kept}}
        if manager:
            body = updated(definition.schema, old, body, manager, rfc3339(self.now))
        if body == old:
            return old
        if _apart_from_metadata(definition, body) != _apart_from_metadata(definition, old):
            body["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if body["metadata"].get("deletionTimestamp") and not body["metadata"].get("finalizers"):
            self.store.remove(definition.plural, old)
            self._collect_dependents_later(old)
            return {**body, "metadata": {**body["metadata"], "resourceVersion": kept["resourceVersion"]}}
        if body["metadata"].get("ownerReferences") != old["metadata"].get("ownerReferences"):
            self._look_later(definition, body)
        return self.store.put(definition.plural, body)

    def doom(self, definition: Definition, body: Object, propagation: str = "Background") -> Object:
        """Delete an object: at once if it has no finalizers, otherwise when the last one is removed."""
        metadata = body["metadata"]
        if metadata.get("deletionTimestamp"):
            return body
        extra = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(propagation, [])
        finalizers = [
            *metadata.get("finalizers", ()),
            *(name for name in extra if name not in metadata.get("finalizers", ())),
        ]
        if not finalizers:
            self.store.remove(definition.plural, body)
            self._collect_dependents_later(body)
            return body
        marks = {"deletionTimestamp": rfc3339(self.now), "deletionGracePeriodSeconds": 0, "finalizers": finalizers}
        metadata |= marks | {"generation": metadata["generation"] + 1}
        stored = self.store.put(definition.plural, body)
        if extra:
            self._look_later(definition, stored)
        self.service.doomed(definition, stored)
        return stored

    def released(self, definition: Definition, body: Object, finalizer: str) -> Object:
        """Remove a finalizer. This deletes an object that is being deleted and has no other finalizer."""
        metadata = dict(body["metadata"])
        metadata["finalizers"] = [name for name in metadata.get("finalizers", ()) if name != finalizer]
        if not metadata["finalizers"]:
            del metadata["finalizers"]
        return self.changed(definition, {**body, "metadata": metadata}, body, None)

    def collect(self, plural: str, body: Object) -> None:
        """Garbage-collect one object: delete it if all its owners are gone, or process the dependents it waits for."""
        definition, metadata = self.definitions[plural], body["metadata"]
        if not metadata.get("deletionTimestamp"):
            owners = metadata.get("ownerReferences")
            if owners and not any(self.store.lives(owner["uid"]) for owner in owners):
                self.doom(definition, body)
            return
        finalizers = metadata.get("finalizers", ())
        if ORPHAN in finalizers:
            self._orphan_dependents(metadata["uid"])
            self.released(definition, body, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = list(self._blocking(metadata["uid"]))
            for dependent_plural, dependent in blocking:
                self.doom(self.definitions[dependent_plural], dependent, "Foreground")
            if blocking:
                self._look_later(definition, body)
            else:
                self.released(definition, body, FOREGROUND)

    def _blocking(self, uid: str) -> list[tuple[str, Object]]:
        return [
            (plural, body)
            for plural, body in self.store.dependents(uid)
            if any(
                reference["uid"] == uid and reference.get("blockOwnerDeletion")
                for reference in body["metadata"]["ownerReferences"]
            )
        ]

    def _orphan_dependents(self, uid: str) -> None:
        for plural, body in self.store.dependents(uid):
            metadata = dict(body["metadata"])
            metadata["ownerReferences"] = [
                reference for reference in metadata["ownerReferences"] if reference["uid"] != uid
            ]
            if not metadata["ownerReferences"]:
                del metadata["ownerReferences"]
            self.changed(self.definitions[plural], {**body, "metadata": metadata}, body, None)

    def _collect_dependents_later(self, owner: Object) -> None:
        """Schedule the collector for the dependents of a deleted object."""
        for plural, namespace, name, uid in self.store.dependent_places(owner["metadata"]["uid"]):
            payload = {"plural": plural, "namespace": namespace, "name": name, "uid": uid}
            self.store.set_timer(self.now + COLLECTED_AFTER, COLLECT, payload)

    def _look_later(self, definition: Definition, body: Object) -> None:
        self.store.set_timer(self.now + COLLECTED_AFTER, COLLECT, place(definition.plural, body))


def place(plural: str, body: Object) -> dict[str, str]:
    """The address and uid of an object, as the payload of a timer."""
    metadata = body["metadata"]
    address = {"plural": plural, "namespace": metadata.get("namespace", ""), "name": metadata["name"]}
    return {**address, "uid": metadata["uid"]}


def _apart_from_metadata(definition: Definition, body: Object) -> dict[str, Any]:
    excluded = ("metadata", "status") if definition.has_status else ("metadata",)
    return {key: value for key, value in body.items() if key not in excluded}


def controlled_by(store: Store, plural: str, owner: Object) -> list[Object]:
    """The objects of a plural that are controlled by `owner`, including those being deleted."""
    uid = owner["metadata"]["uid"]
    return [
        body
        for body in store.owned(uid, plural)
        if any(
            reference.get("controller") and reference["uid"] == uid for reference in body["metadata"]["ownerReferences"]
        )
    ]
