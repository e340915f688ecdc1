"""CLI commands for organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.commands import Commands, CommandSession

if TYPE_CHECKING:
    from rsspot.services.organizations.api import Organizations

commands = Commands["Organizations"]("organizations")


@commands.add
async def list(session: CommandSession[Organizations]) -> object:
    """List the organizations that the token's user belongs to."""
    organizations = await session.api.list()
    return [{"name": found.name, "id": found.id, "namespace": found.namespace} for found in organizations]


@commands.add
async def get(session: CommandSession[Organizations], name: str) -> object:
    """Show one organization, by name, id or namespace."""
    organization = await session.api.get(name)
    return {"name": organization.name, "id": organization.id, "namespace": organization.namespace}
