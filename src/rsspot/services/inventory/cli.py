"""CLI commands for the inventory."""

from __future__ import annotations

from dataclasses import asdict

from rsspot.commands import Commands, CommandSession

commands = Commands()


@commands.add
async def list(session: CommandSession) -> object:
    """List the machines of all cloudspaces and VM cloudspaces."""
    return [asdict(machine) for machine in await session.client.inventory.list()]
