"""CLI commands for organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from rsspot.cli_history import SHOWN
from rsspot.commands import CommandResult, Commands, CommandSession
from rsspot.services.organizations import released

if TYPE_CHECKING:
    from rsspot.services.organizations.api import Organizations
    from rsspot.services.organizations.schemas import Organization

commands = Commands["Organizations"]("organizations")


@commands.add
async def list(session: CommandSession[Organizations]) -> object:
    """List the organizations that the token's user belongs to."""
    organizations = await session.api.list()
    return CommandResult([_shown(each) for each in organizations], released=released.page(organizations))


@commands.add
async def get(session: CommandSession[Organizations], name: Annotated[str, SHOWN]) -> object:
    """Show one organization, by name, id or namespace."""
    organization = await session.api.get(name)
    return CommandResult(_shown(organization), released=released.details(organization))


def _shown(organization: Organization) -> dict[str, Any]:
    return {"name": organization.name, "id": organization.id, "namespace": organization.namespace}
