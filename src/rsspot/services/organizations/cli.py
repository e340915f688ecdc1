"""Commands of the organizations."""

from __future__ import annotations

from rsspot.commands import Commands, CommandSession

commands = Commands()


@commands.add
async def list(session: CommandSession) -> object:
    """List the organizations that the token's user belongs to."""
    found = await session.client.organizations.list()
    return [{"name": each.name, "id": each.id, "namespace": each.namespace} for each in found]


@commands.add
async def get(session: CommandSession, name: str) -> object:
    """Show one organization, by name, id or namespace."""
    found = await session.client.organizations.get(name)
    return {"name": found.name, "id": found.id, "namespace": found.namespace}
