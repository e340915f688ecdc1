"""A simulated service on loopback with one account, whose clock runs 300 times faster, for tests of whole commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World

ACCOUNT = Tenant("org_abc123", "acme", "canary-refresh-token")


@contextmanager
def served_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world of the service, while the environment variables point to it."""
    world = World(clock=ScaledClock(300, start=1_790_000_000.0), organizations=[ACCOUNT], wall=time.time)
    server = Server(Api(world))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{name}", server.url)
    yield world
    server.close()
    world.close()
