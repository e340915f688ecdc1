"""Events as an SDK service. The service keeps events for a limited time; nothing is stored here."""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rsspot.constants import EVENTS_PATH
from rsspot.errors import UsageError
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.resources.listing import Listing
from rsspot.resources.names import called
from rsspot.resources.registry import kinds
from rsspot.resources.sync_twins import Blocking, blocking

MOST = 1000


@dataclass(frozen=True)
class OrganizationEvent:
    """One event. at: timezone-aware, in UTC, or None if the service's time is unreadable."""

    at: datetime | None
    message: str
    organization: str | None
    cloudspace: str | None
    type: str | None


class Events:
    """Events in the token's organization."""

    def __init__(self, session: SpotTransport) -> None:
        self._session = session

    async def list(self, *, limit: int = 100, cloudspace: str | None = None) -> Listing[OrganizationEvent]:
        """The latest events, newest first. Source: GET metrics.ngpc.rxt.io/v1/events.

        limit: 1 to 1000 · cloudspace: only events of the cloudspace of this name.
        Raises UsageError for another limit; ApiError, AuthError, TransportError.
        """
        if not 1 <= limit <= MOST:
            raise UsageError(f"limit must be 1 to {MOST}, not {limit}")
        cloudspace = called(kinds()["CloudSpace"], cloudspace).name if cloudspace else None
        # The service's parameter is named `limits`.
        params = {"limits": str(limit)} | ({"cloudspace": cloudspace} if cloudspace else {})
        answer = await self._session.send(Call("GET", EVENTS_PATH, params))
        about = {name: answer.get(name) for name in ("org_id", "cloudspace_id", "type")}
        events = [_event(pair, about) for pair in answer.get("events") or [] if isinstance(pair, builtins.list)]
        return Listing(events[:limit], "events")


def _event(pair: builtins.list[Any], about: dict[str, Any]) -> OrganizationEvent:
    when, message = [*pair, None, None][:2]
    return OrganizationEvent(_moment(when), str(message or ""), about["org_id"], about["cloudspace_id"], about["type"])


def _moment(value: Any) -> datetime | None:
    """A time given as seconds, milliseconds or nanoseconds since 1970, or as RFC 3339; None for anything else."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return _written(value)
    except OverflowError:
        return None
    # Infinity would loop forever.
    while math.isfinite(seconds) and seconds > 1e11:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _written(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class BlockingEvents(Blocking):
    """The synchronous version of Events."""

    list = blocking(Events.list)
