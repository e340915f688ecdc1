"""Documents: the verbs of one kind on plain JSON objects, as the planner and the applier use them.

No models, no retries of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rsspot.errors import UsageError
from rsspot.http.session import MERGE_PATCH, Call, Session
from rsspot.models.refs import path_segment
from rsspot.services.kind import Kind
from rsspot.utils import Document

if TYPE_CHECKING:
    from rsspot.state.registrations import RegistrationLedger


class Scope(Protocol):
    """Which organisation requests are for."""

    async def namespace(self) -> str:
        """The namespace of the organisation."""
        ...


@dataclass(frozen=True)
class Context:
    """What a service works with."""

    session: Session
    scope: Scope
    registrations: Callable[[], RegistrationLedger]
    """Opens the registration ledger; only kinds that live in it call this."""


class Documents:
    """list, get, create, patch and delete of one kind."""

    def __init__(self, context: Context, kind: Kind[Any]) -> None:
        self.kind = kind
        self.context = context
        self._session = context.session
        self._scope = context.scope

    async def list(self, *, labels: str | None = None) -> list[Document]:
        """Every object of the kind in the organisation, over all pages."""
        items = await self._session.items(await self._path(), {"labelSelector": labels} if labels else {})
        # Lists leave apiVersion and kind out of their items; a document says what it is.
        frame = {"apiVersion": self.kind.api_version, "kind": self.kind.name}
        return [{**frame, **item} for item in items]

    async def get(self, name: str) -> Document:
        """One object. Raises NotFound."""
        return await self._session.send(Call("GET", await self._path(name)))

    async def create(self, body: Document) -> Document:
        """Create an object. Raises AlreadyExists, Invalid, Forbidden, OutcomeUnknown."""
        return await self._session.send(Call("POST", await self._path(), body=body))

    async def patch(self, name: str, patch: Document) -> Document:
        """Send a JSON merge patch; with `metadata.resourceVersion` in it, a moved object is a Conflict."""
        return await self._session.send(Call("PATCH", await self._path(name), body=patch, content_type=MERGE_PATCH))

    async def delete(self, name: str, *, uid: str | None = None) -> None:
        """Ask for an object's deletion; with `uid`, only of that very object (Conflict otherwise). Raises NotFound."""
        body: Document = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            body["preconditions"] = {"uid": uid}
        await self._session.send(Call("DELETE", await self._path(name), body=body))

    async def _path(self, name: str | None = None) -> str:
        try:
            end = "" if name is None else f"/{path_segment(name)}"
        except ValueError as error:
            raise UsageError(str(error), hint="an empty name would address every object at once") from None
        space = f"/namespaces/{path_segment(await self._scope.namespace())}" if self.kind.namespaced else ""
        return f"/apis/{self.kind.api_version}{space}/{self.kind.plural}{end}"
