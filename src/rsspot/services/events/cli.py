"""CLI commands for events."""

from __future__ import annotations

from rsspot.commands import Commands, CommandSession

commands = Commands()


@commands.add
async def list(session: CommandSession, limit: int = 100, cloudspace: str | None = None) -> object:
    """List events in the organization, newest first."""
    events = await session.client.events.list(limit=limit, cloudspace=cloudspace)
    return [{"at": event.at.isoformat() if event.at else None, "message": event.message} for event in events]
