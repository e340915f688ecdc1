"""CLI commands for events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from rsspot.cli_history import SHOWN
from rsspot.commands import CommandOption, CommandResult, Commands, CommandSession
from rsspot.services.events import released
from rsspot.utils.clock import stamp

if TYPE_CHECKING:
    from rsspot.services.events.api import Events

commands = Commands["Events"](
    "events",
    options={
        "limit": CommandOption("How many events to list at most."),
        "cloudspace": CommandOption("Only events of this cloudspace."),
    },
)


@commands.add
async def list(
    session: CommandSession[Events],
    limit: Annotated[int, SHOWN] = 100,
    cloudspace: Annotated[str | None, SHOWN] = None,
) -> object:
    """List events in the organization, newest first."""
    events = await session.api.list(limit=limit, cloudspace=cloudspace)
    shown = [{"at": stamp(event.at) if event.at else None, "message": event.message} for event in events]
    return CommandResult(shown, released=released.listing(events))
