"""CLI commands for prices."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rsspot.commands import Commands, CommandSession
from rsspot.models.money import price_text

commands = Commands()


@commands.add
async def list(session: CommandSession, everywhere: bool = False) -> object:
    """List the current prices of server classes, cheapest first, in the configured region if there is one."""
    return [_shown(quote) for quote in await session.client.pricing.list(region=_place(session, everywhere))]


@commands.add
async def get(session: CommandSession, server_class: str) -> object:
    """Show the current prices of one server class."""
    return _shown(await session.client.pricing.get(server_class))


@commands.add
async def percentiles(session: CommandSession, everywhere: bool = False) -> object:
    """List price percentiles over the last weeks."""
    return [_shown(row) for row in await session.client.pricing.percentiles(region=_place(session, everywhere))]


@commands.add
async def history(session: CommandSession, server_class: str) -> object:
    """List what winners of one server class paid, oldest first."""
    return [_shown(point) for point in await session.client.pricing.history(server_class)]


@commands.add
async def comparable(session: CommandSession, everywhere: bool = False) -> object:
    """List prices of comparable servers in other clouds."""
    return [_shown(row) for row in await session.client.pricing.comparable(region=_place(session, everywhere))]


def _place(session: CommandSession, everywhere: bool) -> str | None:
    """The region to filter by; None for all regions."""
    return None if everywhere else session.region


def _shown(value: Any) -> dict[str, Any]:
    """A price record as plain values: prices as text, times as RFC 3339."""
    shown = {}
    for name, plain in asdict(value).items():
        if hasattr(plain, "as_tuple"):
            shown[name] = price_text(plain)
        else:
            shown[name] = plain.isoformat() if hasattr(plain, "isoformat") else plain
    return shown
