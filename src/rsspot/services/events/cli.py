"""CLI commands for events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.commands import Commands, CommandSession

if TYPE_CHECKING:
    from rsspot.services.events.api import Events

commands = Commands["Events"]("events")


@commands.add
async def list(session: CommandSession[Events], limit: int = 100, cloudspace: str | None = None) -> object:
    """List events in the organization, newest first."""
    events = await session.api.list(limit=limit, cloudspace=cloudspace)
    return [{"at": event.at.isoformat() if event.at else None, "message": event.message} for event in events]
