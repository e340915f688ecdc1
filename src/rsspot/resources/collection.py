"""Collection: the SDK's verbs for one kind, as typed models. Kinds with further verbs subclass it."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, NotReady, TransportError, UnexpectedShape
from rsspot.http.call import Call
from rsspot.http.envelopes import Envelope, NotAsDocumented, opened, require_kind, require_whole
from rsspot.models.compact import compact
from rsspot.models.findings import findings
from rsspot.models.refs import is_uuid
from rsspot.models.resource import Page, Resource
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind, Naming, Phase
from rsspot.resources.listing import Listing
from rsspot.resources.names import called, parent_called
from rsspot.resources.query import selector
from rsspot.resources.validation import part_of_spec, whole_spec
from rsspot.resources.waiting import WAIT_SECONDS, looks
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.process import collector_paused
from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document, at_path

T = TypeVar("T", bound=Resource)
SHORTEST_LOOK = 1.0
"""The minimum timeout of a read while waiting, in seconds."""


class Collection(Generic[T]):
    """The objects of one kind in one organization.

    A `name` is the wire name (metadata.name), or the name given to `create` or in a manifest: `workers`, with its
    parent before it (`edge/workers`), or as an address (`spotnodepool/edge/workers`).
    """

    def __init__(self, documents: Documents, kind: Kind[T]) -> None:
        self.documents = documents
        self.kind = kind
        self._context = documents.context

    async def list(self, *, labels: str | None = None, within: str | None = None) -> Listing[T]:
        """List all objects, in the service's order. Source: GET on the collection, all pages.

        labels: a Kubernetes label selector · within: only objects whose spec names this cloudspace or VM cloudspace,
        which may be called by its address too. A response may be cached, as `cache.ttls` says; by default objects are
        not. Raises UsageError, before anything is sent, for what cannot be the name of one. Raises UnexpectedShape if
        an object cannot be read; `readable` on the error has the others. Raises ApiError, AuthError, TransportError.
        """
        parent = parent_called(self.kind, within) if self.kind.parent else within
        call = self._call(await self.documents.path(), selector(labels))
        pages = await self._context.session.pages(call, self._page, lambda page: page.token)
        items = [item for page in pages for item in page.items or ()]
        odd = [problem for page in pages for problem in page.odd]
        if odd:
            raise UnexpectedShape(f"cannot read {len(odd)} of the {self.kind.plural}: {'; '.join(odd[:3])}", items)
        chosen = items if within is None else [item for item in items if self._parent_of(item) == parent]
        return Listing(chosen, self.kind.plural)

    async def get(self, name: str) -> T:
        """Read one object. Source: GET of the object; for a kind named by UUIDs, a name is looked up in the list.

        Raises NotFound; UsageError for a name that cannot be used or that several objects have; UnexpectedShape.
        """
        wanted = called(self.kind, name)
        if wanted.parent is not None or not self.documents.is_wire_name(wanted.name):
            return self._decode(await self.documents.find(name))
        place = await self.documents.place(wanted.name)
        call = Call(
            "GET", place, envelope=Envelope.OBJECT, name=wanted.name, fresh=False, private=self.kind.holds_secrets
        )
        return self._decode(await self._context.session.send(call))

    async def create(
        self,
        name: str,
        spec: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> T:
        """Create an object and return it as the service stored it, before it is ready. Source: POST.

        spec: its fields in camelCase or snake_case. If the kind has a region and the spec names none, the client's
        region is used. For a kind named by UUIDs, the UUID is derived from organization and name: same name, same UUID.
        Raises UsageError, before anything is sent, for a field that cannot be sent; AlreadyExists, Invalid, Forbidden,
        and OutcomeUnknown if it may have been created.
        """
        checked = whole_spec(self.kind, spec, self._context.region)
        # Validate the name before it goes into the body or is replaced by a UUID.
        await self.documents.place(name)
        wire, marks = name, dict(annotations or {})
        if self.kind.naming is Naming.UUID and not is_uuid(name):
            wire = self.kind.wire_name(await self._context.organization.namespace(), name, checked)
            marks[NAME_ANNOTATION] = name
        body: Document = {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {"name": wire, "labels": dict(labels or {}), "annotations": marks},
            "spec": checked,
        }
        return self._decode(await self.documents.create(body))

    async def patch(self, name: str, spec: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        """Change only the given fields of the spec and return the object. Source: PATCH with a JSON merge patch.

        spec: fields in camelCase or snake_case; None removes a field.
        resource_version: apply only if the object still has this metadata.resourceVersion; otherwise raises Conflict.
        Raises UsageError, before anything is sent, for a field that cannot be changed; NotFound, Invalid, Conflict,
        and OutcomeUnknown if it may have been changed.
        """
        patch: Document = {"spec": part_of_spec(self.kind, spec)}
        if resource_version:
            patch["metadata"] = {"resourceVersion": resource_version}
        return self._decode(await self.documents.patch(await self.documents.wire_name(name), patch))

    async def delete(self, name: str, *, missing_ok: bool = False) -> None:
        """Request deletion of an object; returns before it is gone, see `wait_gone`. Source: DELETE.

        missing_ok: return instead of raising NotFound if there is no such object.
        Raises NotFound, Conflict, Forbidden, and OutcomeUnknown if it may have been deleted.
        """
        # Outside the try: a missing organization raises NotFound too, which must not count as a missing object.
        await self.documents.place(called(self.kind, name).name)
        try:
            await self.documents.delete(await self.documents.wire_name(name))
        except NotFound:
            if not missing_ok:
                raise

    async def wait(self, name: str, *, timeout: float = WAIT_SECONDS) -> T:
        """Wait until an object is ready and return it. timeout: seconds. Source: GET every 5 s.

        Raises NotReady, with the last phase, if the timeout passes or the object has failed; NotFound.
        """
        wire, state = await self.documents.wire_name(name), "could not be read in time"
        with self._context.session.hooks.waiting(f"{self.kind.name} {name} to be ready") as wait:
            async for left in looks(self._context.clock, timeout):
                document = await self._look(wire, left)
                if document is not None:
                    readiness = self.kind.readiness(self._decode(document))
                    if readiness.phase is Phase.READY:
                        return self._decode(document)
                    wait.note = readiness.note or readiness.phase.value
                    state = f"is {readiness.phase.value}: {readiness.note or 'no reason given'}"
                    if readiness.phase is Phase.FAILED:
                        break
        raise NotReady(f"{self.kind.name} {name} {state}")

    async def wait_gone(self, name: str, *, timeout: float = WAIT_SECONDS) -> None:
        """Wait until an object no longer exists. timeout: seconds. Source: GET every 5 s.

        Raises NotReady if the timeout passes.
        """
        # Outside the try: a missing organization raises NotFound too, which must not count as a deleted object.
        await self.documents.place(called(self.kind, name).name)
        try:
            wire = await self.documents.wire_name(name)
            with self._context.session.hooks.waiting(f"{self.kind.name} {name} to be gone"):
                async for left in looks(self._context.clock, timeout):
                    await self._look(wire, left)
        except NotFound:
            return
        raise NotReady(f"{self.kind.name} {name} still exists after {timeout:g} s")

    async def _look(self, wire: str, left: float) -> Document | None:
        """The live object; None if the service did not respond within `left` seconds."""
        try:
            return await self.documents.get(wire, patience=max(left, SHORTEST_LOOK))
        except TransportError:
            return None

    async def watch(self, *, labels: str | None = None) -> AsyncIterator[WatchEvent[T]]:
        """Yield every object as an ADDED event, then an event for every change, until the caller stops iterating.

        Source: a list, then watch streams, resumed when they break; without watch support, a list every 10 s.
        labels: a Kubernetes label selector. Raises ApiError, AuthError, UnexpectedShape.
        """
        async with aclosing(follow(self.documents, labels)) as changes:
            async for change in changes:
                yield WatchEvent(change.type, self._decode(change.object))

    def _call(self, path: str, params: Mapping[str, str] | None = None) -> Call:
        return Call("GET", path, params or {}, fresh=False, private=self.kind.holds_secrets)

    @cached_property
    def _pages(self) -> TypeAdapter[Page[T]]:
        return cast("TypeAdapter[Page[T]]", self.kind.pages)

    def _page(self, body: bytes) -> Page[T]:
        try:
            with collector_paused():
                page = self._pages.validate_json(body, by_name=False, by_alias=True)
                if page.items is None and "items" not in parse_json(body):
                    # Null is how Go writes an empty list. A plan asks for more: see `http.envelopes.is_definite`.
                    raise NotAsDocumented(f"is not {Envelope.LIST.value}")
                require_whole(page.metadata and page.metadata.model_dump(by_alias=True))
                require_kind(self.kind.name, page.kind, (item.kind for item in page.items or ()))
                for item in page.items or ():
                    compact(item)
                return page
        except ValidationError:
            return self._page_with_odd_items(body)

    def _page_with_odd_items(self, body: bytes) -> Page[T]:
        """A page with some malformed items: reads the others, and records what is wrong with the malformed ones."""
        document = opened(body, Envelope.LIST)
        try:
            empty = self._pages.validate_python({**document, "items": []})
        except ValidationError:
            raise NotAsDocumented(f"is not {Envelope.LIST.value}") from None
        raw_items = document["items"] or []
        require_whole(document.get("metadata"))
        require_kind(self.kind.name, document.get("kind"), (at_path(item, ("kind",)) for item in raw_items))
        items: builtins.list[T] = []
        odd: builtins.list[str] = []
        for item in raw_items:
            try:
                items.append(self._decode(item))
            except UnexpectedShape as problem:
                odd.append(problem.message)
        return empty.model_copy(update={"items": items, "odd": odd})

    def _parent_of(self, item: T) -> str | None:
        """The name of the object that this one lives in, from its spec: a label may be missing."""
        spec = getattr(item, "spec", None)
        return self.kind.parent_name(spec.model_dump(by_alias=True)) if spec is not None and self.kind.parent else None

    def _decode(self, document: Document) -> T:
        try:
            return self.kind.read(document)
        except ValidationError as error:
            name = at_path(document, ("metadata", "name"), "?")
            fields = ", ".join(finding.field for finding in findings(error))
            message = f"the service's {self.kind.name} {name} does not have the expected shape: {fields}"
            raise UnexpectedShape(message) from None
