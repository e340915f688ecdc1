"""pytest fixtures with a simulated service, for our tests and for those of our users. No request leaves the machine.

The fixtures `spot_api`, `spot_client` and `sync_spot_client` are available wherever rsspot is installed. They need no
plugin; `async def` tests do. pytest loads this file at every start, even if no test uses it. So imports that take time
are inside the functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.client.sync_client import SpotClient
    from rsspot.client.typing import ClientOptions
    from rsspot.simulator.front.server import Server

URL = "http://127.0.0.1"


class SimulatedSpot:
    """A new simulated service. Its clock advances only when code waits on it or a test calls `advance`.

    faults: inject faults with `faults.say("POST spotnodepools: reset-after")` · world, api: the simulator itself
    transport.carried: all requests as (method, path) · options: passed to `World`
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        from rsspot.simulator.api import Api
        from rsspot.simulator.clock import ManualClock
        from rsspot.simulator.front.inprocess import InProcessTransport
        from rsspot.simulator.world import World

        self.folder = folder
        self.clock = ManualClock()
        self.world = World(clock=self.clock, **options)
        self.api = Api(self.world)
        self.faults = self.api.faults
        self.transport = InProcessTransport(self.api)
        self._clients: list[AsyncSpotClient] = []
        self._server: Server | None = None

    def client(self, *, state_path: Path | None = None) -> AsyncSpotClient:
        """A new client of this service. Its ledger is in the folder, unless `state_path` says otherwise."""
        from rsspot.client.async_client import AsyncSpotClient

        client = AsyncSpotClient(**self._options(state_path))
        self._clients.append(client)
        return client

    def sync_client(self, *, state_path: Path | None = None) -> SpotClient:
        """The same with blocking calls. Use it as `with`, or close it."""
        from rsspot.client.sync_client import SpotClient

        return SpotClient(**self._options(state_path))

    def _options(self, state_path: Path | None) -> ClientOptions:
        from rsspot.config.loader import Resolved
        from rsspot.settings import Setting
        from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN

        values = {
            "base_url": URL,
            "oauth_url": URL,
            "feeds_url": URL,
            "client_id": "tests",
            "refresh_token": SANDBOX_TOKEN,
            "organization": SANDBOX_ORGANIZATION,
            # With a cache, tests that count requests would miss some.
            "cache.enabled": False,
        }
        settings = {name: Setting(value, "simulator") for name, value in values.items()}
        resolved = Resolved("simulated", settings, state_path or self.folder / "state.db")
        return {"resolved": resolved, "transport": self.transport, "clock": self.clock}

    @property
    def url(self) -> str:
        """The URL of the same service over HTTP, on loopback. The first access starts the server."""
        if self._server is None:
            from rsspot.simulator.front.server import Server

            self._server = Server(self.api)
            self._server.start()
        return self._server.url

    def close(self) -> None:
        """Close the server, the ledgers of all clients, and the world."""
        if self._server:
            self._server.close()
        for client in self._clients:
            client.close_ledger()
        self.world.close()

    def requests(self, *methods: str) -> list[tuple[str, str]]:
        """The API requests so far, optionally only those of some methods. Requests for tokens are left out."""
        api = (each for each in self.transport.carried if not each[1].startswith("/oauth"))
        return [each for each in api if not methods or each[0] in methods]

    def advance(self, seconds: float) -> None:
        """Advance the clock, and let the simulator do everything that is due by then."""
        self.clock.advance(seconds)
        self.api.tick()


@pytest.fixture
def spot_api(tmp_path: Path) -> Iterator[SimulatedSpot]:
    """A simulated service. Each test gets its own."""
    simulated = SimulatedSpot(tmp_path)
    yield simulated
    simulated.close()


@pytest.fixture
def spot_client(spot_api: SimulatedSpot) -> AsyncSpotClient:
    """A client of `spot_api` for `async def` tests."""
    return spot_api.client()


@pytest.fixture
def sync_spot_client(spot_api: SimulatedSpot) -> Iterator[SpotClient]:
    """A client of `spot_api` for ordinary tests. Its calls block."""
    with spot_api.sync_client() as client:
        yield client
