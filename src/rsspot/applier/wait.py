"""Wait until an object is ready or gone; each way of not getting there is a result of its own. Sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from rsspot.applier.context import Patience
from rsspot.applier.lookout import Lookout
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import Document

PATIENCE_WHEN_OUTBID = 3
"""Looks in a row that must say `outbid` before it is believed: a market can blink."""


async def until_ready(
    lookout: Lookout, kind: Kind[Any], name: str, clock: Clock, patience: Patience, tell: Callable[[Readiness], None]
) -> Readiness:
    """The last readiness seen: READY, or what it was when the time was up, it failed or a stop was asked for."""
    outbid, end = 0, clock.now().timestamp() + patience.ready
    while True:
        live = await lookout.look(kind, name)
        if live is None:
            return Readiness(Phase.FAILED, "deleted while it was waited for")
        seen = readiness_of(kind, live)
        tell(seen)
        outbid = outbid + 1 if seen.phase is Phase.OUTBID else 0
        if seen.phase in (Phase.READY, Phase.FAILED) or outbid >= PATIENCE_WHEN_OUTBID:
            return seen
        if patience.given_up():
            return Readiness(seen.phase, f"{seen.note}, no longer waited for")
        if clock.now().timestamp() >= end:
            return Readiness(seen.phase, f"{seen.note}, not ready in {patience.ready:g} s")


async def until_gone(
    lookout: Lookout, kind: Kind[Any], name: str, uid: str | None, clock: Clock, patience: Patience
) -> bool:
    """Whether the object, or rather that very one, went away in time."""
    end = clock.now().timestamp() + patience.gone
    while True:
        live = await lookout.look(kind, name)
        if live is None or (uid and live["metadata"].get("uid") != uid):
            return True
        if patience.given_up() or clock.now().timestamp() >= end:
            return False


def readiness_of(kind: Kind[Any], live: Document) -> Readiness:
    """What a kind says of one of its objects; an odd one is still in progress."""
    try:
        return kind.readiness(kind.read(live))
    except ValidationError:
        return Readiness(Phase.PROGRESSING, "in a state this version does not know")
