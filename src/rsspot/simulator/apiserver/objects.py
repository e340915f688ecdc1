"""The lives of objects: identity, versions, generations, managers, deletion, finalizers and what owners leave behind.

Knows no kinds and judges nothing: whoever calls has already checked.
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
"""Finalizers by which an object waits for the collector."""
COLLECT = "collect"
COLLECTED_AFTER = 1.0
"""Seconds after which the collector looks at an object that is going, or whose owners may be gone."""


class Service(Protocol):
    """What stands behind an API and knows its kinds."""

    def fill_in(self, definition: Definition, body: Object) -> None:
        """Add what the service itself adds to a new object."""

    def admit(self, definition: Definition, body: Object, old: Object | None) -> None:
        """Raise Refusal for a create (`old` is None) or an update that the service does not want."""

    def created(self, definition: Definition, body: Object) -> None:
        """Act on a new object."""

    def written(self, definition: Definition, body: Object) -> None:
        """Act on a change that a caller made."""

    def doomed(self, definition: Definition, body: Object) -> None:
        """Act on an object that waits for its finalizers."""


class Bare:
    """No service: kinds are served as their definitions say, and nothing comes of it."""

    def fill_in(self, definition: Definition, body: Object) -> None: ...

    def admit(self, definition: Definition, body: Object, old: Object | None) -> None: ...

    def created(self, definition: Definition, body: Object) -> None: ...

    def written(self, definition: Definition, body: Object) -> None: ...

    def doomed(self, definition: Definition, body: Object) -> None: ...


class Objects:
    """Every object of a served API. `now`: seconds since 1970, kept up by whoever has the clock."""

    def __init__(self, store: Store, definitions: Mapping[str, Definition], service: Service, seed: int) -> None:
        self.store, self.definitions, self.service, self.seed = store, definitions, service, seed
        self.now = 0.0

    def born(self, definition: Definition, body: Object, manager: Manager | None) -> Object:
        """Give a new object its identity and store it. manager: None where its managers are known already."""
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
        """Store an update: nothing at all when nothing differs, a new generation when the spec does."""
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
            self._bereave(old)
            return {**body, "metadata": {**body["metadata"], "resourceVersion": kept["resourceVersion"]}}
        if body["metadata"].get("ownerReferences") != old["metadata"].get("ownerReferences"):
            self._look_later(definition, body)
        return self.store.put(definition.plural, body)

    def doom(self, definition: Definition, body: Object, propagation: str = "Background") -> Object:
        """Ask for deletion: at once without finalizers, otherwise when the last one is gone."""
        metadata = body["metadata"]
        if metadata.get("deletionTimestamp"):
            return body
        extra = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(propagation, [])
        finalizers = [
            *metadata.get("finalizers", ()),
            *(each for each in extra if each not in metadata.get("finalizers", ())),
        ]
        if not finalizers:
            self.store.remove(definition.plural, body)
            self._bereave(body)
            return body
        going = {"deletionTimestamp": rfc3339(self.now), "deletionGracePeriodSeconds": 0, "finalizers": finalizers}
        metadata |= going | {"generation": metadata["generation"] + 1}
        stored = self.store.put(definition.plural, body)
        if extra:
            self._look_later(definition, stored)
        self.service.doomed(definition, stored)
        return stored

    def released(self, definition: Definition, body: Object, finalizer: str) -> Object:
        """Take a finalizer off an object, which ends it when it was the last one and the object is going."""
        metadata = dict(body["metadata"])
        metadata["finalizers"] = [each for each in metadata.get("finalizers", ()) if each != finalizer]
        if not metadata["finalizers"]:
            del metadata["finalizers"]
        return self.changed(definition, {**body, "metadata": metadata}, body, None)

    def collect(self, plural: str, body: Object) -> None:
        """Do for an object what waits on other objects: end it without owners, or settle what depends on it."""
        definition, metadata = self.definitions[plural], body["metadata"]
        if not metadata.get("deletionTimestamp"):
            owners = metadata.get("ownerReferences")
            if owners and not any(self.store.lives(each["uid"]) for each in owners):
                self.doom(definition, body)
            return
        finalizers = metadata.get("finalizers", ())
        if ORPHAN in finalizers:
            self._orphan_dependents(metadata["uid"])
            self.released(definition, body, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = list(self._blocking(metadata["uid"]))
            for inner, dependent in blocking:
                self.doom(self.definitions[inner], dependent, "Foreground")
            if blocking:
                self._look_later(definition, body)
            else:
                self.released(definition, body, FOREGROUND)

    def _blocking(self, uid: str) -> list[tuple[str, Object]]:
        return [
            (plural, body)
            for plural, body in self.store.dependents(uid)
            if any(
                each["uid"] == uid and each.get("blockOwnerDeletion") for each in body["metadata"]["ownerReferences"]
            )
        ]

    def _orphan_dependents(self, uid: str) -> None:
        for plural, body in self.store.dependents(uid):
            metadata = dict(body["metadata"])
            metadata["ownerReferences"] = [each for each in metadata["ownerReferences"] if each["uid"] != uid]
            if not metadata["ownerReferences"]:
                del metadata["ownerReferences"]
            self.changed(self.definitions[plural], {**body, "metadata": metadata}, body, None)

    def _bereave(self, owner: Object) -> None:
        """Have the collector look at what an object that is gone has owned."""
        for plural, body in self.store.dependents(owner["metadata"]["uid"]):
            self._look_later(self.definitions[plural], body)

    def _look_later(self, definition: Definition, body: Object) -> None:
        self.store.set_timer(self.now + COLLECTED_AFTER, COLLECT, place(definition.plural, body))


def place(plural: str, body: Object) -> dict[str, str]:
    """Where a timer finds an object, and the very one it is about."""
    metadata = body["metadata"]
    named = {"plural": plural, "namespace": metadata.get("namespace", ""), "name": metadata["name"]}
    return {**named, "uid": metadata["uid"]}


def _apart_from_metadata(definition: Definition, body: Object) -> dict[str, Any]:
    aside = ("metadata", "status") if definition.has_status else ("metadata",)
    return {key: value for key, value in body.items() if key not in aside}


def controlled_by(store: Store, plural: str, owner: Object) -> list[Object]:
    """The objects of a plural that another object controls, those on their way out included."""
    uid = owner["metadata"]["uid"]
    return [
        body
        for inner, body in store.dependents(uid)
        if inner == plural
        and any(each.get("controller") and each["uid"] == uid for each in body["metadata"]["ownerReferences"])
    ]
