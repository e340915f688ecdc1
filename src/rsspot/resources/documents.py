"""Documents: the verbs of one kind on plain JSON objects, as the planner and the applier use them.

No models, no retries of its own, and never an answer that was kept.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, UsageError
from rsspot.http.transport import JSON, MERGE_PATCH, Call, SpotTransport, decoded, token_of, whole_items
from rsspot.models.fields import SECRET
from rsspot.models.refs import path_segment
from rsspot.resources.kind import Kind, Naming, is_uuid
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document, at_path

if TYPE_CHECKING:
    from rsspot.resources.watch import WatchEvent
    from rsspot.state.ledger.registrations import RegistrationLedger


class Scope(Protocol):
    """Which organization requests are for."""

    async def namespace(self) -> str:
        """The namespace of the organization."""
        ...

    async def organization_name(self) -> str:
        """What people call it, where the service asks for that."""
        ...


@dataclass(frozen=True)
class Context:
    """What a service works with."""

    session: SpotTransport
    scope: Scope
    clock: Clock
    registrations: Callable[[], RegistrationLedger]
    """Opens the registration ledger; only kinds that live in it call this."""
    refresh_token: Callable[[], str]
    """Needed where the service wants it in a body. Raises AuthError when there is none."""
    region: str | None = None
    """Where new things go that do not say where."""
    permit: Callable[[], None] | None = None
    """Asked at the moment of sending, before each attempt at each write; raises when no write may start any more."""


class Documents:
    """list, get, create, patch, delete and watch of one kind."""

    def __init__(self, context: Context, kind: Kind[Any]) -> None:
        self.kind = kind
        self.context = context
        self._session = context.session
        self._scope = context.scope

    async def list(self, *, labels: str | None = None) -> list[Document]:
        """Every object of the kind in the organization, over all pages."""
        items = await self._session.items(await self.path(), selector(labels))
        return [self.framed(item) for item in items]

    async def kept_list(self) -> builtins.list[Document]:
        """The same for who can live with an answer that was kept for a while."""
        call = Call("GET", await self.path(), fresh=False, private=self.kind.holds_secrets)
        pages = await self._session.pages(call, decoded, token_of)
        return [self.framed(item) for item in whole_items(call.path, pages)]

    async def get(self, name: str, *, patience: float | None = None) -> Document:
        """One object. patience: seconds to wait for it, if that is less than the policy says. Raises NotFound."""
        return await self._session.send(Call("GET", await self.place(name), patience=patience))

    async def create(self, body: Document) -> Document:
        """Create an object. Raises AlreadyExists, Invalid, Forbidden, OutcomeUnknown."""
        return await self._session.send(self._write("POST", await self.path(), body))

    async def patch(self, name: str, patch: Document) -> Document:
        """Send a JSON merge patch; with `metadata.resourceVersion` in it, a moved object is a Conflict."""
        return await self._session.send(self._write("PATCH", await self.place(name), patch))

    async def delete(self, name: str, *, uid: str | None = None) -> None:
        """Ask for an object's deletion; with `uid`, only of that very object (Conflict otherwise). Raises NotFound."""
        body: Document = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            body["preconditions"] = {"uid": uid}
        await self._session.send(self._write("DELETE", await self.place(name), body))

    def _write(self, method: str, place: str, body: Document) -> Call:
        kind = MERGE_PATCH if method == "PATCH" else JSON
        secrets = self.secrets_in(body)
        return Call(method, place, body=body, content_type=kind, secrets=secrets, permit=self.context.permit)

    def watch(self, *, labels: str | None = None) -> AsyncIterator[WatchEvent[Document]]:
        """Every object as it is, and then every change, for as long as somebody listens."""
        from rsspot.resources.watch import follow

        return follow(self, labels)

    async def wire_name(self, name: str) -> str:
        """An object's name on the wire, from that or from the name its author gave it. Raises NotFound, UsageError."""
        if self.is_wire_name(name):
            return name
        return str((await self.named(name))["metadata"]["name"])

    def is_wire_name(self, name: str) -> bool:
        """Whether a name can only be one of the wire."""
        return self.kind.naming is Naming.LABEL or not isinstance(name, str) or not name or is_uuid(name)

    async def named(self, name: str) -> Document:
        """The object whose author gave it a name, found by listing them all. Raises NotFound, UsageError."""
        # Nobody can have given a name that is none: `create` refuses it as well.
        _segment(name)
        found = [
            document
            for document in await self.list()
            if at_path(document, ("metadata", "annotations", NAME_ANNOTATION)) == name
        ]
        if not found:
            raise NotFound(f"none of the {self.kind.plural} was given the name {name!r}", status=404, reason="NotFound")
        if len(found) > 1:
            names = ", ".join(str(each["metadata"]["name"]) for each in found)
            raise UsageError(f"{len(found)} of the {self.kind.plural} are called {name!r}", hint=f"say which: {names}")
        return found[0]

    def framed(self, item: Document) -> Document:
        """An item of a list with what lists leave out: a document says what it is."""
        return {"apiVersion": self.kind.api_version, "kind": self.kind.name, **item}

    def secrets_in(self, body: Document) -> tuple[str, ...]:
        """The secrets that a body holds, so that no answer can quote them back to us."""
        found = (at_path(body, ("spec", *path)) for path in self.kind.marked(SECRET))
        return tuple(each for each in found if isinstance(each, str) and each)

    async def path(self) -> str:
        """Where the objects of the kind are, all of them."""
        space = f"/namespaces/{path_segment(await self._scope.namespace())}" if self.kind.namespaced else ""
        return f"/apis/{self.kind.api_version}{space}/{self.kind.plural}"

    async def place(self, name: str) -> str:
        """Where one object is. Raises UsageError for what is no name: it would address every object at once."""
        segment = _segment(name)
        return f"{await self.path()}/{segment}"


def _segment(name: object) -> str:
    """A name as the end of a path. Raises UsageError, also where types are not checked and it is None."""
    if not isinstance(name, str):
        raise UsageError(f"{name!r} is not the name of an object", hint="is a variable unset?")
    try:
        return path_segment(name)
    except ValueError as error:
        hint = None if name else "an empty name would address every object at once"
        raise UsageError(str(error), hint=hint) from None


def selector(labels: str | None) -> dict[str, str]:
    """A label selector as query parameters."""
    return {"labelSelector": labels} if labels else {}
