"""Commands of the prices."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rsspot.commands import Commands, CommandSession
from rsspot.models.money import price_text

commands = Commands()


@commands.add
async def list(session: CommandSession, everywhere: bool = False) -> object:
    """List what each server class costs now, the cheapest first: in the region in use, if there is one."""
    return [_shown(each) for each in await session.client.pricing.list(region=_place(session, everywhere))]


@commands.add
async def get(session: CommandSession, server_class: str) -> object:
    """Show what one server class costs now."""
    return _shown(await session.client.pricing.get(server_class))


@commands.add
async def percentiles(session: CommandSession, everywhere: bool = False) -> object:
    """List how prices were spread over the last weeks."""
    return [_shown(each) for each in await session.client.pricing.percentiles(region=_place(session, everywhere))]


@commands.add
async def history(session: CommandSession, server_class: str) -> object:
    """List what winners of one server class paid, the oldest first."""
    return [_shown(each) for each in await session.client.pricing.history(server_class)]


@commands.add
async def comparable(session: CommandSession, everywhere: bool = False) -> object:
    """List what the like costs in other clouds."""
    return [_shown(each) for each in await session.client.pricing.comparable(region=_place(session, everywhere))]


def _place(session: CommandSession, everywhere: bool) -> str | None:
    """The region to look at; None for all of them."""
    return None if everywhere else session.region


def _shown(value: Any) -> dict[str, Any]:
    """A price record as plain values: prices as text, times as RFC 3339."""
    shown = {}
    for name, each in asdict(value).items():
        if hasattr(each, "as_tuple"):
            shown[name] = price_text(each)
        else:
            shown[name] = each.isoformat() if hasattr(each, "isoformat") else each
    return shown
