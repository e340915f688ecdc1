"""The clock interface, and times as text: RFC 3339, and HTTP dates. All times of day are in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


def utc_now() -> datetime:
    """The current time in UTC, timezone-aware."""
    return datetime.now(UTC)


# CLOCK_MONOTONIC stops during a suspend on Linux, where the other one does not, but not on macOS.
_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)


def since_boot() -> float:
    """Seconds of a clock that nobody can set. Where the system has such a clock, it runs on during a suspend."""
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)


def stamp(moment: datetime) -> str:
    """Format a time as RFC 3339 in UTC with whole seconds, like Kubernetes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_stamp(moment: datetime) -> str:
    """Format a time as RFC 3339 in UTC with milliseconds."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def http_date(text: str | None) -> datetime | None:
    """The time that an HTTP date names, such as that of a Date header; None if it is absent or unreadable."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class Clock(Protocol):
    """A source of time: the system clock, or one that a test or the sandbox controls."""

    def now(self) -> datetime:
        """The current time in UTC, timezone-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment. How long something took is measured by this: `now` jumps when it is set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds on this clock."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return utc_now()

    def monotonic(self) -> float:
        return since_boot()

    async def sleep(self, seconds: float) -> None:
        from rsspot.concurrency import pause

        await pause(seconds)
