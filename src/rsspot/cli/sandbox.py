"""The sandbox: the CLI against a simulator in this process, whose state and ledger are kept in one folder."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.config.loader import Resolved
from rsspot.errors import StateError
from rsspot.settings import Setting, home
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.http.hooks import Hooks

URL = "http://127.0.0.1"
TIME_SCALE = 300.0
"""Five sandbox minutes pass per second that a command waits. Otherwise the clock stands still."""


def folder() -> Path:
    """The folder of the sandbox."""
    configured = os.environ.get("RSSPOT_SANDBOX")
    return Path(configured) if configured else home(os.environ) / "sandbox"


def sandbox_client(settings: Resolved, *, cache: bool = True, hooks: Hooks | None = None) -> AsyncSpotClient:
    """A client of the sandbox. Its clock continues from where the last command left it."""
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import SteppedClock
    from rsspot.simulator.front.inprocess import InProcessTransport
    from rsspot.simulator.world import World, last_moment

    path = folder() / "world.db"
    try:
        clock = SteppedClock(TIME_SCALE, last_moment(path))
        transport = InProcessTransport(Api(World(path, clock=clock)))
    except sqlite3.Error as error:
        raise _cannot_open(error) from None
    return AsyncSpotClient(resolved=settings, transport=transport, clock=clock, cache=cache, hooks=hooks)


def _cannot_open(error: sqlite3.Error) -> StateError:
    return StateError(f"cannot open the sandbox: {error}", hint="delete it with `rsspot simulator reset`")


def sandbox_settings(region: str | None = None) -> Resolved:
    """The settings of the sandbox. The user's config file and environment variables are ignored."""
    values = {
        "base_url": URL,
        "oauth_url": URL,
        "feeds_url": URL,
        "client_id": "sandbox",
        "refresh_token": SANDBOX_TOKEN,
        "organization": SANDBOX_ORGANIZATION,
    }
    settings = {name: Setting(value, "--sandbox") for name, value in values.items()}
    settings |= {"region": Setting(region, "--region")} if region else {}
    return Resolved("sandbox", settings, folder() / "state.db")


def reset() -> bool:
    """Delete the sandbox and its ledger; False if there was none."""
    existed = folder().is_dir()
    if existed:
        shutil.rmtree(folder())
    return existed


def advance(seconds: float) -> str:
    """Advance the sandbox's clock and process what is due by then. Returns the new time."""
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import ManualClock, rfc3339
    from rsspot.simulator.world import World, last_moment

    path = folder() / "world.db"
    try:
        clock = ManualClock(last_moment(path) or time.time())
        world = World(path, clock=clock)
    except sqlite3.Error as error:
        raise _cannot_open(error) from None
    clock.advance(seconds)
    Api(world).tick()
    world.close()
    return rfc3339(clock.time())
