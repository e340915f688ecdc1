"""follow(): the objects of one kind as they are, and then as they change. Survives lost streams and old versions."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from rsspot.errors import ApiError, ServerError, TransportError
from rsspot.http.transport import Call, decoded, token_of, whole_items
from rsspot.resources.documents import Documents, selector
from rsspot.utils.serialization import Document, at_path

T = TypeVar("T")
What = Literal["ADDED", "MODIFIED", "DELETED"]
STREAM_SECONDS = 300
"""How long one stream lasts before it is asked for again."""
POLL = 10.0
"""Seconds between two lists, where the service gives no streams."""
PAUSE = 2.0
"""Seconds after the end of a stream before anything is asked for again."""
NO_STREAMS = frozenset({400, 403, 404, 405, 415, 501})


@dataclass(frozen=True)
class WatchEvent(Generic[T]):
    """What happened to an object, and the object: as it is now, or as it was last."""

    type: What
    object: T


class _TooOld(Exception):
    """What happened since the version we know cannot be told by a stream: it is too long ago, or not readable."""


@dataclass
class _Known:
    """What the listener has been told so far: name -> object; version: of the whole list."""

    objects: dict[str, Document] = field(default_factory=dict)
    version: str = ""


async def follow(documents: Documents, labels: str | None) -> AsyncGenerator[WatchEvent[Document], None]:
    """First every object as ADDED, then every change. Ends only when the listener goes.

    Raises ApiError and AuthError when even the list is refused.
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
            # Also after a stream that simply ended: some end at once, and would be asked for without a break.
            await documents.context.clock.sleep(PAUSE)
        if not streams:
            await documents.context.clock.sleep(POLL)


async def _compared(documents: Documents, labels: str | None, known: _Known) -> list[WatchEvent[Document]]:
    """A new list, told as the changes since the last one."""
    now, known.version = await _listed(documents, labels)
    changes = [
        WatchEvent[Document]("MODIFIED" if name in known.objects else "ADDED", found)
        for name, found in now.items()
        if _version_of(found) != _version_of(known.objects.get(name, {}))
    ]
    gone = [WatchEvent[Document]("DELETED", last) for name, last in known.objects.items() if name not in now]
    known.objects = now
    return changes + gone


async def _listed(documents: Documents, labels: str | None) -> tuple[dict[str, Document], str]:
    call = Call("GET", await documents.path(), selector(labels))
    pages = await documents.context.session.pages(call, decoded, token_of)
    items = [documents.framed(item) for item in whole_items(call.path, pages)]
    version = str((pages[0].get("metadata") or {}).get("resourceVersion") or "")
    return {item["metadata"]["name"]: item for item in items}, version


async def _streamed(
    documents: Documents, labels: str | None, known: _Known
) -> AsyncGenerator[WatchEvent[Document], None]:
    """One stream, from the version we know."""
    params = {"watch": "true", "resourceVersion": known.version, "timeoutSeconds": str(STREAM_SECONDS)}
    call = Call("GET", await documents.path(), {**selector(labels), **params, "allowWatchBookmarks": "true"})
    async with aclosing(documents.context.session.lines(call, patience=STREAM_SECONDS + 30.0)) as lines:
        async for line in lines:
            if not line:
                continue
            event = _event(line)
            found, what = event.get("object"), event.get("type")
            if what == "ERROR" or not isinstance(found, dict):
                raise _TooOld
            known.version = _version_of(found) or known.version
            if what in ("ADDED", "MODIFIED", "DELETED"):
                yield _noted(documents, known, what, found)


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        # A line that broke off: the stream did too.
        raise _TooOld from None
    return event if isinstance(event, dict) else {}


def _noted(documents: Documents, known: _Known, what: Any, found: Document) -> WatchEvent[Document]:
    name, whole = at_path(found, ("metadata", "name")), documents.framed(found)
    if name is None:
        # No object: the list has to say what happened.
        raise _TooOld
    if what == "DELETED":
        known.objects.pop(name, None)
    else:
        known.objects[name] = whole
    return WatchEvent(what, whole)


def _version_of(document: Document) -> str:
    return str((document.get("metadata") or {}).get("resourceVersion") or "")
