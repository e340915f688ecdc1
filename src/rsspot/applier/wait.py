"""Wait until an object is ready or gone; each way of not getting there is a result of its own. Sends only GETs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from rsspot.applier.context import Patience
from rsspot.applier.settle import look
from rsspot.errors import ServerError, TransportError
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.resources.waiting import POLL, looks
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document

OUTAGES = 2
"""Failed looks in a row that a wait outlasts."""
PATIENCE_WHEN_OUTBID = 3
"""Looks in a row that must say `outbid` before it is believed: a market can blink."""


async def until_ready(
    documents: Documents, name: str, clock: Clock, patience: Patience, tell: Callable[[Readiness], None]
) -> Readiness:
    """The last readiness seen: READY, or what it was when the time was up, it failed or a stop was asked for."""
    outbid = 0
    seen: Readiness | None = None
    async for _ in looks(clock, patience.ready):
        seen = await _readiness(documents, name, clock)
        if seen is None:
            return Readiness(Phase.FAILED, "deleted while it was waited for")
        tell(seen)
        outbid = outbid + 1 if seen.phase is Phase.OUTBID else 0
        if seen.phase in (Phase.READY, Phase.FAILED) or outbid >= PATIENCE_WHEN_OUTBID:
            return seen
        if patience.given_up():
            return Readiness(seen.phase, f"{seen.note}, no longer waited for")
    assert seen is not None
    return Readiness(seen.phase, f"{seen.note}, not ready in {patience.ready:g} s")


async def until_gone(documents: Documents, name: str, uid: str | None, clock: Clock, patience: Patience) -> bool:
    """Whether the object, or rather that very one, went away in time."""
    async for _ in looks(clock, patience.gone):
        live = await _patiently(documents, name, clock)
        if live is None or (uid and live["metadata"].get("uid") != uid):
            return True
        if patience.given_up():
            break
    return False


def readiness_of(kind: Kind[Any], live: Document) -> Readiness:
    """What a kind says of one of its objects; an odd one is still in progress."""
    try:
        return kind.readiness(kind.read(live))
    except ValidationError:
        return Readiness(Phase.PROGRESSING, "in a state this version does not know")


async def _readiness(documents: Documents, name: str, clock: Clock) -> Readiness | None:
    live = await _patiently(documents, name, clock)
    return readiness_of(documents.kind, live) if live is not None else None


async def _patiently(documents: Documents, name: str, clock: Clock) -> Document | None:
    """A look that outlasts a short outage of the service, on top of the transport's own patience."""
    for _ in range(OUTAGES):
        try:
            return await look(documents, name)
        except (ServerError, TransportError):
            await clock.sleep(POLL)
    return await look(documents, name)
