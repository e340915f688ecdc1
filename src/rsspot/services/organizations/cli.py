"""CLI commands for organizations."""

from __future__ import annotations

from rsspot.commands import Commands, CommandSession

commands = Commands()


@commands.add
async def list(session: CommandSession) -> object:
    """List the organizations that the token's user belongs to."""
    organizations = await session.client.organizations.list()
    return [{"name": found.name, "id": found.id, "namespace": found.namespace} for found in organizations]


@commands.add
async def get(session: CommandSession, name: str) -> object:
    """Show one organization, by name, id or namespace."""
    organization = await session.client.organizations.get(name)
    return {"name": organization.name, "id": organization.id, "namespace": organization.namespace}
