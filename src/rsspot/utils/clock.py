"""The clock interface, and times as RFC 3339 text. All times are in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


def utc_now() -> datetime:
    """The current time in UTC, timezone-aware."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Format a time as RFC 3339 in UTC with whole seconds, like Kubernetes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(Protocol):
    """A source of time: the system clock, or one that a test or the sandbox controls."""

    def now(self) -> datetime:
        """The current time in UTC, timezone-aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds on this clock."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return utc_now()

    async def sleep(self, seconds: float) -> None:
        from rsspot.concurrency import pause

        await pause(seconds)
