"""Clients of a simulated service on a socket, and what they leave open in this process."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.sync_client import SpotClient
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World

SETTLES_WITHIN = 30.0


@pytest.fixture
def server() -> Iterator[Server]:
    """A simulated service on a socket."""
    world = World(clock=ScaledClock())
    served = Server(Api(world))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield served
    served.close()
    thread.join()
    world.close()


def connected(server: Server, folder: Path, **options: Any) -> SpotClient:
    """A client connected to the server."""
    addresses = {"base_url": server.url, "oauth_url": server.url, "state_path": folder / "state.db"}
    return SpotClient(**addresses, refresh_token=SANDBOX_TOKEN, organization=SANDBOX_ORGANIZATION, **options)


def open_files() -> list[str]:
    """The files this process has open, without the server's ends of connections."""
    gc.collect()
    files = []
    for handle in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the listing's own handle is gone by the time it is looked at
        try:
            files.append(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115
        except OSError:
            continue
    return sorted(files)


def settled(before: int) -> int:
    """How many more files than before are open, once the server has noticed closed connections."""
    deadline = time.monotonic() + SETTLES_WITHIN
    while len(open_files()) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(open_files()) - before
