"""follow(): yields the objects of one kind, then their changes. Recovers from broken streams and expired versions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar

from rsspot.errors import ApiError, ServerError, TransportError
from rsspot.http.call import Call
from rsspot.http.envelopes import page_of
from rsspot.http.paging import items_of, token_of
from rsspot.http.transport import SpotTransport
from rsspot.resources.kind import Kind
from rsspot.resources.query import selector
from rsspot.utils.clock import Clock
from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document, at_path

T = TypeVar("T")
What = Literal["ADDED", "MODIFIED", "DELETED"]
STREAM_SECONDS = 300
"""The length of one watch stream, in seconds."""
POLL = 10.0
"""Seconds between two lists if the service does not support watch."""
PAUSE = 2.0
"""Seconds between the end of a stream and the next request."""
NO_STREAMS = frozenset({400, 403, 404, 405, 415, 501})
"""Statuses with which a service without watch support may refuse a watch."""


class WatchContext(Protocol):
    """The transport that a watch uses, and the clock for its pauses."""

    @property
    def session(self) -> SpotTransport: ...

    @property
    def clock(self) -> Clock: ...


class Watchable(Protocol):
    """The part of Documents that a watch needs."""

    @property
    def kind(self) -> Kind[Any]: ...

    @property
    def context(self) -> WatchContext: ...

    async def path(self) -> str:
        """The path of the collection."""
        ...

    def framed(self, item: Document) -> Document:
        """A list item with the fields that lists leave out."""
        ...


@dataclass(frozen=True)
class WatchEvent(Generic[T]):
    """A change of one object. object: its new state, or for DELETED its last known state."""

    type: What
    object: T


class _TooOld(Exception):
    """The stream cannot be resumed from the known version: it expired, or an event is unreadable. List again."""


@dataclass
class _Known:
    """The state the caller has seen so far: name -> object; version: the resourceVersion to resume from."""

    objects: dict[str, Document] = field(default_factory=dict)
    version: str = ""


async def follow(documents: Watchable, labels: str | None) -> AsyncGenerator[WatchEvent[Document], None]:
    """Yield every object as ADDED, then every change. Ends only when the caller closes it.

    Raises ApiError, AuthError or TransportError if the list fails.
    """
    known, streams = _Known(), True
    while True:
        for change in await _compared(documents, labels, known):
            yield change
        resumable = streams
        while resumable:
            try:
                async with aclosing(_streamed(documents, labels, known)) as changes:
                    async for change in changes:
                        yield change
            except _TooOld:
                resumable = False
            except ApiError as refusal:
                streams = refusal.status not in NO_STREAMS
                resumable = streams and isinstance(refusal, ServerError)
            except TransportError:
                pass
            # Also after a normal end: some streams end at once, and this would loop without a pause.
            await documents.context.clock.sleep(PAUSE)
        if not streams:
            await documents.context.clock.sleep(POLL)


async def _compared(documents: Watchable, labels: str | None, known: _Known) -> list[WatchEvent[Document]]:
    """The changes between the known state and a new list."""
    now, known.version = await _listed(documents, labels)
    changes = [
        WatchEvent[Document]("MODIFIED" if name in known.objects else "ADDED", live)
        for name, live in now.items()
        if _version_of(live) != _version_of(known.objects.get(name, {}))
    ]
    gone = [WatchEvent[Document]("DELETED", last) for name, last in known.objects.items() if name not in now]
    known.objects = now
    return changes + gone


async def _listed(documents: Watchable, labels: str | None) -> tuple[dict[str, Document], str]:
    call = Call("GET", await documents.path(), selector(labels))
    decode = partial(page_of, kind=documents.kind.name)
    pages = await documents.context.session.pages(call, decode, token_of)
    items = [documents.framed(item) for item in items_of(pages)]
    version = str((pages[0].get("metadata") or {}).get("resourceVersion") or "")
    return {item["metadata"]["name"]: item for item in items}, version


async def _streamed(
    documents: Watchable, labels: str | None, known: _Known
) -> AsyncGenerator[WatchEvent[Document], None]:
    """One watch stream, from the known version."""
    params = {"watch": "true", "resourceVersion": known.version, "timeoutSeconds": str(STREAM_SECONDS)}
    call = Call("GET", await documents.path(), {**selector(labels), **params, "allowWatchBookmarks": "true"})
    async with aclosing(documents.context.session.lines(call, patience=STREAM_SECONDS + 30.0)) as lines:
        async for line in lines:
            if not line.strip():
                continue
            event = _event(line)
            document, event_type = event.get("object"), event.get("type")
            if event_type == "ERROR" or not isinstance(document, dict):
                raise _TooOld
            known.version = _version_of(document) or known.version
            if event_type in ("ADDED", "MODIFIED", "DELETED"):
                yield _recorded(documents, known, event_type, document)


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = parse_json(line)
    except ValueError:
        # A truncated line: the stream broke.
        raise _TooOld from None
    return event if isinstance(event, dict) else {}


def _recorded(documents: Watchable, known: _Known, event_type: Any, document: Document) -> WatchEvent[Document]:
    """The event of a document, after updating the known state with it."""
    name, whole = at_path(document, ("metadata", "name")), documents.framed(document)
    if name is None:
        # Not an object: only a new list can show what changed.
        raise _TooOld
    if event_type == "DELETED":
        known.objects.pop(name, None)
    else:
        known.objects[name] = whole
    return WatchEvent(event_type, whole)


def _version_of(document: Document) -> str:
    return str((document.get("metadata") or {}).get("resourceVersion") or "")
