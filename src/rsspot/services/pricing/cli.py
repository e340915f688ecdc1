"""CLI commands for prices."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rsspot.commands import Commands, CommandSession
from rsspot.models.money import price_text

if TYPE_CHECKING:
    from rsspot.services.pricing.api import Pricing

commands = Commands["Pricing"]("pricing")


@commands.add
async def list(session: CommandSession[Pricing], everywhere: bool = False) -> object:
    """List the current prices of server classes, cheapest first, in the configured region if there is one."""
    return [_shown(quote) for quote in await session.api.list(region=_place(session, everywhere))]


@commands.add
async def get(session: CommandSession[Pricing], server_class: str) -> object:
    """Show the current prices of one server class."""
    return _shown(await session.api.get(server_class))


@commands.add
async def percentiles(session: CommandSession[Pricing], everywhere: bool = False) -> object:
    """List price percentiles over the last weeks."""
    return [_shown(row) for row in await session.api.percentiles(region=_place(session, everywhere))]


@commands.add
async def history(session: CommandSession[Pricing], server_class: str) -> object:
    """List what winners of one server class paid, oldest first."""
    return [_shown(point) for point in await session.api.history(server_class)]


@commands.add
async def comparable(session: CommandSession[Pricing], everywhere: bool = False) -> object:
    """List prices of comparable servers in other clouds."""
    return [_shown(row) for row in await session.api.comparable(region=_place(session, everywhere))]


def _place(session: CommandSession[Pricing], everywhere: bool) -> str | None:
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
