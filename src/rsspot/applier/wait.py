"""Wait until an object is ready or gone; each way of not getting there is a result of its own. Sends nothing itself.

What is seen                                   the result, and when
the phase that is waited for                   that phase, at once
failed, or deleted meanwhile                   failed, at once
outbid                                         outbid, after three looks in a row: a market can blink
nothing changes, and no server is free         no capacity, after 5 minutes: a bid may still win servers from others
nothing changes                                stuck, after 20 minutes, with the time of the last change
the time is up                                 partial or no capacity, if it is that; otherwise timeout

What the service mends by itself, such as a conflict between its own controllers, is progress like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from rsspot.applier.context import Patience
from rsspot.applier.lookout import Lookout
from rsspot.applier.market import ServerMarket
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.utils.clock import Clock, stamp
from rsspot.utils.serialization import Document

LOOKS_TO_BELIEVE = 3
"""Looks in a row that must say `outbid` before it is believed."""
EMPTY_AFTER = 300.0
"""Seconds without any change after which it counts that no server is free."""
STUCK_AFTER = 1200.0
"""Seconds without any change after which an object is stuck. Users report nine minutes until servers come."""
NOT_WAITED_FOR = Readiness(Phase.PROGRESSING, "no longer waited for")
"""What came of a wait that was given up from outside."""


@dataclass
class _Course:
    """What was seen of an object so far. outbid: looks in a row that saw it outbid · since: when it last changed"""

    seen: Readiness
    since: float
    outbid: int = 0

    def saw(self, seen: Readiness, now: float) -> None:
        if seen != self.seen:
            self.seen, self.since = seen, now
        self.outbid = self.outbid + 1 if seen.phase is Phase.OUTBID else 0

    def unchanged(self, now: float) -> float:
        """Seconds since the last change of an object that is still on its way."""
        return now - self.since if self.seen.phase is Phase.PROGRESSING else 0.0


async def until_ready(
    lookout: Lookout,
    kind: Kind[Any],
    name: str,
    clock: Clock,
    patience: Patience,
    tell: Callable[[Readiness], None],
    *,
    wanted: Phase = Phase.READY,
    market: ServerMarket | None = None,
) -> Readiness:
    """The result of waiting; see the table above. wanted: the phase to wait for · market: explains why it is not"""
    began = clock.monotonic()
    course = _Course(Readiness(Phase.PROGRESSING), began)
    while True:
        live = await lookout.look(kind, name)
        if live is None:
            return Readiness(Phase.FAILED, "deleted while it was waited for")
        seen = readiness_of(kind, live)
        tell(seen)
        course.saw(seen, clock.monotonic())
        if seen.phase.is_as_far_as(wanted) or seen.phase is Phase.FAILED:
            return seen
        if patience.given_up():
            return Readiness(seen.phase, f"{seen.note}, no longer waited for")
        result = _result(course, wanted, clock, began, patience)
        stalled = course.unchanged(clock.monotonic()) >= EMPTY_AFTER
        if market is not None and (result is not None or stalled):
            explained = await market.explain(live, result or seen)
            result = explained if explained.phase is Phase.NO_CAPACITY or result else None
        if result is not None:
            return result


def _result(course: _Course, wanted: Phase, clock: Clock, began: float, patience: Patience) -> Readiness | None:
    """The result of waiting for an object that is not as far as it should be; None to wait on."""
    seen, now = course.seen, clock.monotonic()
    if course.outbid >= LOOKS_TO_BELIEVE:
        return seen
    if course.unchanged(now) >= STUCK_AFTER:
        since = clock.now() - timedelta(seconds=course.unchanged(now))
        return Readiness(Phase.STUCK, f"{seen.note}, unchanged since {stamp(since)}")
    if now - began >= patience.ready:
        phase = Phase.TIMEOUT if seen.phase is Phase.PROGRESSING else seen.phase
        return Readiness(phase, f"{seen.note}, not {wanted.value} in {patience.ready:g} s")
    return None


async def until_gone(
    lookout: Lookout, kind: Kind[Any], name: str, uid: str | None, clock: Clock, patience: Patience
) -> bool:
    """Whether the object, or rather that very one, went away in time."""
    end = clock.monotonic() + patience.gone
    while True:
        live = await lookout.look(kind, name)
        if live is None or (uid and live["metadata"].get("uid") != uid):
            return True
        if patience.given_up() or clock.monotonic() >= end:
            return False


def readiness_of(kind: Kind[Any], live: Document) -> Readiness:
    """What a kind says of one of its objects; an odd one is still in progress."""
    try:
        return kind.readiness(kind.read(live))
    except ValidationError:
        return Readiness(Phase.PROGRESSING, "in a state this version does not know")
