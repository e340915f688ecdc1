"""SpotClient: the client with blocking groups, and their async versions with the prefix `a`. Wraps AsyncSpotClient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, Unpack

from rsspot.auth.persona import Persona
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.groups import SyncGroups
from rsspot.client.typing import ClientOptions
from rsspot.compatibility.client import ReleasedClient, ReleasedSpotClient
from rsspot.compatibility.state_store import KeyedStateStore
from rsspot.concurrency import drive
from rsspot.config.loader import Resolved
from rsspot.config.models import ConfigFile
from rsspot.resources.sync_twins import refuse_in_loop
from rsspot.state.ledger.protocol import Ledger

if TYPE_CHECKING:
    from rsspot.compatibility.config import SDKConfig


class SpotClient(ReleasedSpotClient, SyncGroups):
    """Rackspace Spot for scripts and notebooks. Use as `with`, or call `close()`.

    Takes the arguments of AsyncSpotClient. `client.cloudspaces.list()` blocks the calling thread; any number of threads
    may call it. `await client.acloudspaces.list()` does the same without blocking, in any event loop. Both share one
    token, one cache and one rate limit. A blocking call inside a running event loop raises RuntimeError, which names
    the async call to use instead.
    """

    def __init__(
        self, settings: ConfigFile | SDKConfig | Mapping[str, Any] | None = None, /, **options: Unpack[ClientOptions]
    ) -> None:
        self._aio = AsyncSpotClient(settings, **options)
        self._resolved = self._aio.config

    @property
    def _released(self) -> ReleasedClient:
        return self._aio

    @property
    def config(self) -> Resolved:
        """The settings of this client, and the source of each."""
        return self._aio.config

    @property
    def state(self) -> KeyedStateStore:
        """The state.db of this configuration. The file is created on first use."""
        return self._aio.state

    @property
    def ledger(self) -> Ledger:
        """The ledger of this configuration. The file is created on first use."""
        return self._aio.ledger

    @property
    def is_closed(self) -> bool:
        """Whether `close` or `aclose` was called."""
        return self._aio.is_closed

    def whoami(self) -> Persona:
        """The user and organization of the token, and when it expires. Raises AuthError, TransportError."""
        refuse_in_loop("await client.awhoami()")
        return drive(self._aio.whoami())

    async def awhoami(self) -> Persona:
        """The async version of `whoami`."""
        return await self._aio.whoami()

    def close(self) -> None:
        """Close the client for all threads and loops. Closes the connections of threads without a loop, and files."""
        refuse_in_loop("await client.aclose()")
        drive(self._aio.aclose())

    async def aclose(self) -> None:
        """Close the client for all threads and loops. Closes the connections of this loop, and files."""
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
