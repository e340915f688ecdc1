"""Commands of the events."""

from __future__ import annotations

from rsspot.commands import Commands, CommandSession

commands = Commands()


@commands.add
async def list(session: CommandSession, limit: int = 100, cloudspace: str | None = None) -> object:
    """List what happened in the organization, the newest first."""
    found = await session.client.events.list(limit=limit, cloudspace=cloudspace)
    return [{"at": each.at.isoformat() if each.at else None, "message": each.message} for each in found]
