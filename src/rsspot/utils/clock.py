"""Time as an argument, and as RFC 3339 text. Everything here is UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC to the second, as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(Protocol):
    """Time as an argument: the real one, or one that a test or the sandbox drives."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds of this clock pass."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return utc_now()

    async def sleep(self, seconds: float) -> None:
        from rsspot.concurrency import pause

        await pause(seconds)
