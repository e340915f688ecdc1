"""What a Stack says about leaving everything as it is for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from rsspot.models.authoring import rule
from rsspot.models.resource import Model


def _moment(text: str) -> datetime:
    """A date or an RFC 3339 time; without an offset it is in UTC. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time such as 2026-12-24T18:00:00Z, or a date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_reason(text: str) -> None:
    if not text.strip():
        raise ValueError("must say why, for whoever wonders")


class Pause(Model):
    """That controllers only look at the stack for now. An apply by hand goes on working."""

    reason: Annotated[str, rule(_check_reason, minLength=1)]
    """Why, for whoever wonders."""
    until: Annotated[str | None, rule(_moment)] = None
    """When it ends by itself: a date or a time, in UTC unless it has an offset. Without it, when it is removed."""

    def holds(self, now: datetime) -> bool:
        """Whether the pause still lasts."""
        return self.until is None or now < _moment(self.until)

    @property
    def sentence(self) -> str:
        """The pause in a clause."""
        return f"paused until {self.until}: {self.reason}" if self.until else f"paused: {self.reason}"
