"""CLI commands for the inventory."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rsspot.commands import Commands, CommandSession

if TYPE_CHECKING:
    from rsspot.services.inventory.api import Inventory

commands = Commands["Inventory"](
    "inventory",
    plural="machines",
    first=("name", "group", "state", "ip_address"),
    extra=("uid", "group_kind"),
    whole=("name", "group", "state", "ip_address"),
)


@commands.add
async def list(session: CommandSession[Inventory]) -> object:
    """List the machines of all cloudspaces and VM cloudspaces."""
    return [asdict(machine) for machine in await session.api.list()]
