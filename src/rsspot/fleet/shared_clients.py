"""Clients that the stacks of a fleet share: for each account one token, one rate limiter, one cache of catalogues."""

from __future__ import annotations

from collections.abc import Callable

from rsspot.client.async_client import AsyncSpotClient

Account = tuple[str | None, str | None]
"""A profile and an organization; None for what the settings choose."""


class SharedClients:
    """make: a client of a profile and an organization, with its cache in memory"""

    def __init__(self, make: Callable[[str | None, str | None], AsyncSpotClient]) -> None:
        self._make = make
        self._clients: dict[Account, AsyncSpotClient] = {}

    def client(self, profile: str | None, organization: str | None) -> AsyncSpotClient:
        """The client of an account, made when it is first asked for."""
        account = profile, organization
        if account not in self._clients:
            self._clients[account] = self._make(*account)
        return self._clients[account]

    async def aclose(self) -> None:
        """Close all of them."""
        for client in self._clients.values():
            await client.aclose()
