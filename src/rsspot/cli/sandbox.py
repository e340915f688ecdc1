"""The sandbox: the whole tool against the simulator in this process. Its world and its ledger live in one folder."""

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
"""Five of the sandbox's minutes pass in a second of waiting, and none at other times."""


def folder() -> Path:
    """Where the sandbox lives."""
    named = os.environ.get("RSSPOT_SANDBOX")
    return Path(named) if named else home(os.environ) / "sandbox"


def sandbox_client(settings: Resolved, *, cache: bool = True, hooks: Hooks | None = None) -> AsyncSpotClient:
    """A client of the sandbox. Its clock goes on where the last command left it."""
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
        raise _unopened(error) from None
    return AsyncSpotClient(resolved=settings, transport=transport, clock=clock, cache=cache, hooks=hooks)


def _unopened(error: sqlite3.Error) -> StateError:
    return StateError(f"the sandbox's world cannot be opened: {error}", hint="rsspot simulator reset")


def sandbox_settings(region: str | None = None) -> Resolved:
    """The sandbox's own settings; the user's files and variables have no part in them."""
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
    """Forget the sandbox's world and ledger; False when there was none."""
    existed = folder().is_dir()
    if existed:
        shutil.rmtree(folder())
    return existed


def advance(seconds: float) -> str:
    """Move the sandbox's clock on, with all that is due by then; gives the time it says."""
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import ManualClock, rfc3339
    from rsspot.simulator.world import World, last_moment

    path = folder() / "world.db"
    try:
        clock = ManualClock(last_moment(path) or time.time())
        world = World(path, clock=clock)
    except sqlite3.Error as error:
        raise _unopened(error) from None
    clock.advance(seconds)
    Api(world).tick()
    world.close()
    return rfc3339(clock.time())
