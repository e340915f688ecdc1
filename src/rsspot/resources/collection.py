"""Collection: the verbs of one kind as typed models. Kinds with more to offer subclass it."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, NotReady, TransportError, UnexpectedShape
from rsspot.http.transport import Call
from rsspot.models.resource import Page, Resource, compact
from rsspot.resources.documents import Documents, selector
from rsspot.resources.kind import Kind, Naming, Phase, is_uuid
from rsspot.resources.validation import part_of_spec, whole_spec
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.process import collector_paused
from rsspot.utils.serialization import Document, at_path

T = TypeVar("T", bound=Resource)
POLL = 5.0
"""Seconds between two looks of a wait."""
SHORTEST_LOOK = 1.0
"""Seconds that a look may take however little time is left."""


class Collection(Generic[T]):
    """Objects of one kind in one organization. Names are those of the wire, or those their authors gave."""

    def __init__(self, documents: Documents, kind: Kind[T]) -> None:
        self.documents = documents
        self.kind = kind
        self._context = documents.context

    async def list(self, *, labels: str | None = None, within: str | None = None) -> builtins.list[T]:
        """Every object. Source: GET of the plural, all pages.

        labels: a Kubernetes label selector · within: only what lives in the cloudspace, or VM cloudspace, of this name.
        Raises UnexpectedShape, which holds what could be read, when one of them could not.
        """
        call = self._call(await self.documents.path(), selector(labels))
        pages = await self._context.session.pages(call, self._page, lambda page: page.token)
        found = [item for page in pages for item in page.items or ()]
        odd = [problem for page in pages for problem in page.odd]
        if odd:
            raise UnexpectedShape(f"{len(odd)} of the {self.kind.plural} cannot be read: {'; '.join(odd[:3])}", found)
        return found if within is None else [each for each in found if self._parent_of(each) == within]

    async def get(self, name: str) -> T:
        """One object. Raises NotFound."""
        if not self.documents.is_wire_name(name):
            return self._decode(await self.documents.named(name))
        return self._decode(await self._context.session.send(self._call(await self.documents.place(name))))

    async def create(
        self,
        name: str,
        spec: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> T:
        """Create an object from its name and spec, in camelCase or snake_case.

        A kind whose wire names are UUIDs gets one made from the name, the same every time.
        Raises UsageError before anything is sent; AlreadyExists, Invalid, Forbidden, OutcomeUnknown.
        """
        checked = whole_spec(self.kind, spec, self._context.region)
        # Refuses what is no name before it gets into a body, or a UUID hides it.
        await self.documents.place(name)
        wire, marks = name, dict(annotations or {})
        if self.kind.naming is Naming.UUID and not is_uuid(name):
            wire = self.kind.wire_name(await self._context.scope.namespace(), name, checked)
            marks[NAME_ANNOTATION] = name
        body: Document = {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {"name": wire, "labels": dict(labels or {}), "annotations": marks},
            "spec": checked,
        }
        return self._decode(await self.documents.create(body))

    async def patch(self, name: str, spec: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        """WatchEvent only the given fields of the spec; None removes one.

        resource_version: change only this version of the object; another one is a Conflict.
        Raises UsageError before anything is sent; NotFound, Invalid, Conflict, OutcomeUnknown.
        """
        patch: Document = {"spec": part_of_spec(self.kind, spec)}
        if resource_version:
            patch["metadata"] = {"resourceVersion": resource_version}
        return self._decode(await self.documents.patch(await self.documents.wire_name(name), patch))

    async def delete(self, name: str, *, missing_ok: bool = False) -> None:
        """Ask for an object's deletion; returns before it is gone. Raises NotFound, unless `missing_ok`."""
        # Outside of the try: that there is no such organization is never good enough.
        await self.documents.place(name)
        try:
            await self.documents.delete(await self.documents.wire_name(name))
        except NotFound:
            if not missing_ok:
                raise

    async def wait(self, name: str, *, timeout: float = 1200.0) -> T:
        """An object as soon as it is ready. timeout: seconds. Raises NotReady, saying how far it got; NotFound."""
        wire, left = await self.documents.wire_name(name), self._countdown(timeout)
        said = "was not heard of"
        while True:
            found = await self._look(wire, left())
            if found is not None:
                readiness = self.kind.readiness(self._decode(found))
                if readiness.phase is Phase.READY:
                    return self._decode(found)
                said = f"is {readiness.phase.value}: {readiness.note or 'no reason given'}"
                if readiness.phase is Phase.FAILED:
                    break
            if left() <= 0:
                break
            await self._context.clock.sleep(min(POLL, left()))
        raise NotReady(f"{self.kind.name} {name} {said}")

    async def wait_gone(self, name: str, *, timeout: float = 1200.0) -> None:
        """Return when there is no such object any more. timeout: seconds. Raises NotReady."""
        left = self._countdown(timeout)
        # Outside of the try: an organization that is not there makes nothing gone.
        await self.documents.place(name)
        try:
            wire = await self.documents.wire_name(name)
            while True:
                await self._look(wire, left())
                if left() <= 0:
                    break
                await self._context.clock.sleep(min(POLL, left()))
        except NotFound:
            return
        raise NotReady(f"{self.kind.name} {name} is still there after {timeout:g} s")

    def _countdown(self, timeout: float) -> Callable[[], float]:
        """Seconds that are left, each time it is asked."""
        clock = self._context.clock
        end = clock.now().timestamp() + timeout
        return lambda: end - clock.now().timestamp()

    async def _look(self, wire: str, left: float) -> Document | None:
        """The object as it is; None when the service did not answer in the time that is left."""
        try:
            return await self.documents.get(wire, patience=max(left, SHORTEST_LOOK))
        except TransportError:
            return None

    async def watch(self, *, labels: str | None = None) -> AsyncIterator[WatchEvent[T]]:
        """Every object as ADDED, and then every change, for as long as somebody listens.

        Where the service gives no streams it is asked again and again instead. Raises ApiError, AuthError.
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
                page = self._pages.validate_json(body or b"{}", by_name=False, by_alias=True)
                for item in page.items or ():
                    compact(item)
                return page
        except ValidationError:
            return self._page_with_odd_items(body)

    def _page_with_odd_items(self, body: bytes) -> Page[T]:
        """A page of which some items are not as they should be: one of them must not hide the others."""
        import json

        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise UnexpectedShape(f"the list of {self.kind.plural} is not a JSON object") from None
        try:
            empty = self._pages.validate_python({**document, "items": []})
        except ValidationError:
            empty = None
        found = document.get("items") or []
        if empty is None or not isinstance(found, builtins.list):
            raise UnexpectedShape(f"the list of {self.kind.plural} is not a list of objects") from None
        items: builtins.list[T] = []
        odd: builtins.list[str] = []
        for item in found:
            try:
                items.append(self._decode(item))
            except UnexpectedShape as problem:
                odd.append(problem.message)
        return empty.model_copy(update={"items": items, "odd": odd})

    def _parent_of(self, item: T) -> str | None:
        """The name of what an object lives in, by its spec: a label may be missing."""
        spec = getattr(item, "spec", None)
        return self.kind.parent_name(spec.model_dump(by_alias=True)) if spec is not None and self.kind.parent else None

    def _decode(self, document: Document) -> T:
        try:
            return self.kind.model.model_validate(document)
        except ValidationError as error:
            name = at_path(document, ("metadata", "name"), "?")
            fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
            said = f"the service's {self.kind.name} {name} does not have the expected shape: {fields}"
            raise UnexpectedShape(said) from None
