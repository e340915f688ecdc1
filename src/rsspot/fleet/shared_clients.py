"""Clients that the stacks of a fleet share: for each account one token, one rate limiter, one cache of catalogues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.shared_reads import SharedReads

Account = tuple[str | None, str | None]
"""A profile and an organization; None for what the settings choose."""


class SharedClients:
    """make: a client of a profile and an organization, with its cache in memory"""

    def __init__(self, make: Callable[[str | None, str | None], AsyncSpotClient]) -> None:
        self._make = make
        self._clients: dict[Account, AsyncSpotClient] = {}
        self._planning = False

    def client(self, profile: str | None, organization: str | None) -> AsyncSpotClient:
        """The client of an account, made when it is first asked for."""
        account = profile, organization
        if account not in self._clients:
            client = self._clients[account] = self._make(*account)
            client.shared_reads = SharedReads() if self._planning else None
        return self._clients[account]

    @contextmanager
    def planning(self) -> Iterator[None]:
        """While plans of all stacks are made, each kind of an account is listed once for all its stacks."""
        self._share(planning=True)
        try:
            yield
        finally:
            self._share(planning=False)

    def _share(self, *, planning: bool) -> None:
        self._planning = planning
        for client in self._clients.values():
            client.shared_reads = SharedReads() if planning else None

    async def aclose(self) -> None:
        """Close all of them."""
        for client in self._clients.values():
            await client.aclose()
