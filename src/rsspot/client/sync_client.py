"""SpotClient: sync groups and `a…` async groups on one object, over one AsyncSpotClient."""

from __future__ import annotations

from typing import Self, Unpack

from rsspot.auth.persona import Persona
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.groups import SyncGroups
from rsspot.client.typing import ClientOptions
from rsspot.concurrency import drive
from rsspot.config.loader import Resolved
from rsspot.resources.sync_twins import refuse_in_loop
from rsspot.state.ledger.protocol import Ledger


class SpotClient(SyncGroups):
    """Rackspace Spot for scripts and notebooks. Use as `with`, or call `close()`.

    Takes the arguments of AsyncSpotClient. `client.cloudspaces.list()` blocks this thread and may be called from any
    number of them; `await client.acloudspaces.list()` does not block, in any loop. Both share one token, one cache and
    one pace. A blocking call inside a running loop raises RuntimeError, naming its twin.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self._aio = AsyncSpotClient(**options)

    @property
    def config(self) -> Resolved:
        """The settings of this client, and where each came from."""
        return self._aio.config

    @property
    def ledger(self) -> Ledger:
        """The ledger of this configuration; opening it for the first time makes its file."""
        return self._aio.ledger

    def whoami(self) -> Persona:
        """Who the token is of, of which organization, and until when. Raises AuthError, TransportError."""
        refuse_in_loop("await client.awhoami()")
        return drive(self._aio.whoami())

    async def awhoami(self) -> Persona:
        """The same, asynchronous."""
        return await self._aio.whoami()

    def close(self) -> None:
        """Let go of what threads without a loop have opened, and of files."""
        refuse_in_loop("await client.aclose()")
        drive(self._aio.aclose())

    async def aclose(self) -> None:
        """Let go of what this loop has opened, and of files."""
        await self._aio.aclose()

    def __enter__(self) -> Self:
        refuse_in_loop("async with SpotClient(…)")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
