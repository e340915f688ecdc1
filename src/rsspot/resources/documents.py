"""Documents: the verbs of one kind on plain JSON objects, as the planner and the applier use them.

Uses no models and does not retry. Reads are never served from the cache, except by `kept_list`.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from rsspot.errors import ApiError, AuthError, NotFound, TransportError
from rsspot.http.call import JSON, MERGE_PATCH, Call
from rsspot.http.envelopes import Envelope, is_definite, page_of
from rsspot.http.paging import items_of, token_of
from rsspot.http.transport import SpotTransport
from rsspot.models.fields import SECRET
from rsspot.models.refs import is_uuid, path_segment
from rsspot.resources.kind import Kind, Naming
from rsspot.resources.names import called, chosen, segment
from rsspot.resources.query import selector
from rsspot.resources.secrecy import refuse_masks
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import did_you_mean

if TYPE_CHECKING:
    from rsspot.state.ledger.registration_history import RegistrationHistory


class TargetOrganization(Protocol):
    """The organization that requests are for."""

    async def namespace(self) -> str:
        """The namespace of the organization."""
        ...

    async def name(self) -> str:
        """The organization's display name, for the endpoints that require it."""
        ...

    def other(self, organization: str) -> TargetOrganization:
        """Another organization, by name, id or namespace."""
        ...


@dataclass(frozen=True)
class Context:
    """What a service needs to send requests."""

    session: SpotTransport
    organization: TargetOrganization
    clock: Clock
    registrations: Callable[[], RegistrationHistory]
    """Opens the registration ledger; called only for kinds stored there."""
    refresh_token: Callable[[], str]
    """Returns the refresh token, for endpoints that require it in the body. Raises AuthError if there is none."""
    region: str | None = None
    """The region of new objects whose spec names none."""
    permit: Callable[[], None] | None = None
    """Called just before each attempt of each write; raises if no write may start any more."""
    listed: Callable[[Kind[Any], list[Document]], None] | None = None
    """Told of every whole list of a kind."""


class ListedDocuments(list[Document]):
    """The objects of a list. metadata: that of the list itself, such as its resourceVersion

    definite: whether it says for certain what there is, as `http.envelopes.is_definite` tells
    """

    def __init__(self, items: Iterable[Document], metadata: Document, *, definite: bool = True) -> None:
        super().__init__(items)
        self.metadata, self.definite = metadata, definite


class Documents:
    """list, get, create, patch, delete and watch for one kind. All raise ApiError, AuthError and TransportError."""

    def __init__(self, context: Context, kind: Kind[Any]) -> None:
        self.kind = kind
        self.context = context
        self._session = context.session
        self._organization = context.organization

    async def list(self, *, labels: str | None = None) -> ListedDocuments:
        """All objects of the kind in the organization, across all pages. labels: a Kubernetes label selector."""
        return await self._listed(Call("GET", await self.path(), selector(labels)), whole=labels is None)

    async def kept_list(self) -> ListedDocuments:
        """All objects of the kind, possibly from the cache."""
        call = Call("GET", await self.path(), fresh=False, private=self.kind.holds_secrets)
        return await self._listed(call, whole=True)

    async def _listed(self, call: Call, *, whole: bool) -> ListedDocuments:
        pages = await self._session.pages(call, partial(page_of, kind=self.kind.name), token_of)
        metadata = at_path(pages[-1], ("metadata",))
        listed = ListedDocuments(
            [self.framed(item) for item in items_of(pages)],
            metadata if isinstance(metadata, dict) else {},
            definite=all(map(is_definite, pages)),
        )
        if whole and self.context.listed:
            self.context.listed(self.kind, listed)
        return listed

    async def get(self, name: str, *, patience: float | None = None) -> Document:
        """One object. patience: a deadline in seconds, if shorter than the retry policy's. Raises NotFound."""
        call = Call("GET", await self.place(name), envelope=Envelope.OBJECT, name=name, patience=patience)
        return await self._session.send(call)

    async def create(self, body: Document) -> Document:
        """Create an object. Raises AlreadyExists, Invalid, Forbidden, OutcomeUnknown."""
        name = at_path(body, ("metadata", "name"))
        return await self._session.send(self._write("POST", await self.path(), body, name))

    async def patch(self, name: str, patch: Document) -> Document:
        """Send a JSON merge patch. With `metadata.resourceVersion` in it, raises Conflict if the object has changed."""
        return await self._session.send(self._write("PATCH", await self.place(name), patch, name))

    async def delete(self, name: str, *, uid: str | None = None, version: str | None = None) -> None:
        """Request deletion. Raises NotFound, and Conflict unless the object has this metadata.uid and resourceVersion.

        uid, version: None for any
        """
        body: Document = {"apiVersion": "v1", "kind": "DeleteOptions"}
        conditions = {"uid": uid, "resourceVersion": version}
        if known := {name: value for name, value in conditions.items() if value}:
            body["preconditions"] = known
        await self._session.send(self._write("DELETE", await self.place(name), body))

    def _write(self, method: str, place: str, body: Document, name: str | None = None) -> Call:
        refuse_masks(body, f"the {self.kind.name}")
        return Call(
            method,
            place,
            body=body,
            content_type=MERGE_PATCH if method == "PATCH" else JSON,
            envelope=Envelope.DELETED if method == "DELETE" else Envelope.OBJECT,
            name=name,
            secrets=self.secrets_in(body),
            permit=self.context.permit,
        )

    def watch(self, *, labels: str | None = None) -> AsyncIterator[WatchEvent[Document]]:
        """Yield every object as ADDED, then every change, until the caller stops iterating."""
        return follow(self, labels)

    async def wire_name(self, name: str, *, within: str | None = None) -> str:
        """The wire name of an object called by any of its names: `workers`, `edge/workers`, its address or a UUID.

        within: the name of its parent. Sends nothing for what can only be a wire name. Raises NotFound, UsageError.
        """
        wanted = called(self.kind, name, within)
        if wanted.parent is None and self.is_wire_name(wanted.name):
            return wanted.name
        return str((await self.find(name, within=within))["metadata"]["name"])

    async def find(self, name: str, *, within: str | None = None) -> Document:
        """The object called by any of its names: read by its wire name, or found by listing all.

        Raises NotFound; UsageError for a name that cannot be used or that several objects have.
        """
        wanted = called(self.kind, name, within)
        if not self.is_wire_name(wanted.name):
            return chosen(self.kind, await self.list(), wanted)
        try:
            document = await self.get(wanted.name)
        except NotFound as error:
            # Only now is the list worth a request: it may have the name that was meant.
            error.hint = did_you_mean(wanted.name, await self._known_names()) or error.hint
            raise
        # Its wire name alone would find it, wherever it is.
        return document if wanted.parent is None else chosen(self.kind, [document], wanted)

    async def _known_names(self) -> builtins.list[str]:
        """The names of all objects, as far as they can be listed: only for a suggestion."""
        with suppress(ApiError, TransportError, AuthError):
            return [str(each["metadata"]["name"]) for each in await self.kept_list()]
        return []

    def is_wire_name(self, name: str) -> bool:
        """Whether a name can only be a wire name, not a name given by the author."""
        return self.kind.naming is Naming.LABEL or is_uuid(name)

    def framed(self, item: Document) -> Document:
        """A list item with apiVersion and kind added, which lists leave out."""
        return {"apiVersion": self.kind.api_version, "kind": self.kind.name, **item}

    def secrets_in(self, body: Document) -> tuple[str, ...]:
        """The secret values in a body, so that errors can mask them if the service quotes them."""
        values = (at_path(body, ("spec", *path)) for path in self.kind.marked(SECRET))
        return tuple(value for value in values if isinstance(value, str) and value)

    async def path(self) -> str:
        """The URL path of the collection."""
        space = f"/namespaces/{path_segment(await self._organization.namespace())}" if self.kind.namespaced else ""
        return f"/apis/{self.kind.api_version}{space}/{self.kind.plural}"

    async def place(self, name: str) -> str:
        """The URL path of one object. Raises UsageError for an invalid name: it could address the whole collection."""
        last = segment(name)
        return f"{await self.path()}/{last}"
