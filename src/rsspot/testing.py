"""pytest fixtures over the simulator, for our users' suites and our own. Nothing here leaves the machine.

Installed with the package, so a suite just asks for `spot_api` or `spot_client`. What they need is imported when a test
asks for it: this file is read at the start of every pytest of everybody who has rsspot installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.simulator.front.server import Server

URL = "http://127.0.0.1"


class SimulatedSpot:
    """A fresh world whose clock stands still until somebody waits by it.

    faults: script them here, `faults.say("POST spotnodepools: reset-after")` · world, api: what is behind it
    transport.carried: every request as (method, path) · options: those of `World`
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
        """A client of this world, with a ledger of its own in the folder."""
        from rsspot.client.async_client import AsyncSpotClient
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
            # A test that counts requests wants to see every one.
            "cache.enabled": False,
        }
        settings = {name: Setting(value, "simulator") for name, value in values.items()}
        resolved = Resolved("simulated", settings, state_path or self.folder / "state.db")
        client = AsyncSpotClient(resolved=resolved, transport=self.transport, clock=self.clock)
        self._clients.append(client)
        return client

    @property
    def url(self) -> str:
        """Where this world answers over HTTP too, on loopback: served from the first time that somebody asks."""
        if self._server is None:
            from rsspot.simulator.front.server import Server

            self._server = Server(self.api)
            self._server.start()
        return self._server.url

    def close(self) -> None:
        """Let go of the world and of every ledger that its clients opened."""
        if self._server:
            self._server.close()
        for client in self._clients:
            client.close_ledger()
        self.world.close()

    def requests(self, *methods: str) -> list[tuple[str, str]]:
        """The API requests carried so far, of some methods or of all; the token endpoint's are left out."""
        api = (each for each in self.transport.carried if not each[1].startswith("/oauth"))
        return [each for each in api if not methods or each[0] in methods]

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""
        self.clock.advance(seconds)
        self.api.tick()


@pytest.fixture
def spot_api(tmp_path: Path) -> Iterator[SimulatedSpot]:
    """A simulated service of its own for each test."""
    simulated = SimulatedSpot(tmp_path)
    yield simulated
    simulated.close()


@pytest.fixture
def spot_client(spot_api: SimulatedSpot) -> AsyncSpotClient:
    """A client of `spot_api`."""
    return spot_api.client()
