"""The sandbox: the CLI against a simulator in this process, whose state and ledger are kept in one folder."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsspot.config.loader import Resolved
from rsspot.errors import StateError, UsageError
from rsspot.settings import Setting, from_environment, home
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.utils.files import private_folder, write_private

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.http.hooks import Hooks
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import SimulatorClock

URL = "http://127.0.0.1"
TIME_SCALE = 300.0
"""Five sandbox minutes pass per second that a command waits. Otherwise the clock stands still."""
MARKER = ".rsspot-sandbox"
"""A file in a folder that we made."""


def folder() -> Path:
    """The folder of the sandbox."""
    configured = os.environ.get("RSSPOT_SANDBOX")
    return Path(configured) if configured else home(os.environ) / "sandbox"


def sandbox_client(settings: Resolved, *, cache: bool = True, hooks: Hooks | None = None) -> AsyncSpotClient:
    """A client of the sandbox. Its clock continues from where the last command left it."""
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.simulator.clock import SteppedClock
    from rsspot.simulator.front.inprocess import InProcessTransport

    api = _opened(lambda last: SteppedClock(TIME_SCALE, last))
    clock = api.world.clock
    return AsyncSpotClient(resolved=settings, transport=InProcessTransport(api), clock=clock, cache=cache, hooks=hooks)


def control(method: str, name: str, body: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
    """Send a control request, such as POST advance, to the sandbox. Returns the status and body of the response."""
    from rsspot.simulator.apiserver.messages import Request
    from rsspot.simulator.clock import ManualClock
    from rsspot.simulator.front.control import ROOT, Control
    from rsspot.simulator.front.request_log import RequestLog

    api = _opened(lambda last: ManualClock(last or time.time()))
    content = b"" if body is None else json.dumps(body).encode()
    request = Request.of(method, f"/{ROOT}/{name}", {"Content-Type": "application/json"}, content)
    with closing(api.world):
        response = Control(api, RequestLog()).answer(request)
    assert response is not None
    return response.status, response.body


def _opened(clock: Callable[[float | None], SimulatorClock]) -> Api:
    """The sandbox's world. clock: makes its clock, given the time where the last command left it"""
    from rsspot.simulator.api import Api
    from rsspot.simulator.stored_faults import StoredFaults
    from rsspot.simulator.world import World, last_moment

    path = folder() / "world.db"
    try:
        claim()
        world = World(path, clock=clock(last_moment(path) or _beginning()))
    except (sqlite3.Error, OSError) as error:
        raise StateError(f"cannot open the sandbox: {error}", hint="delete it with `rsspot simulator reset`") from None
    world.faults = StoredFaults(world.store, world.lock, world.seed)
    return Api(world)


def _beginning() -> float | None:
    """When the clock of a new sandbox starts; None for now. Raises UsageError."""
    text = os.environ.get("RSSPOT_SANDBOX_START")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError("RSSPOT_SANDBOX_START is no moment", hint="write it as in 2026-09-21T12:00:00+00:00") from None


def sandbox_settings(region: str | None = None, ledger: str | None = None) -> Resolved:
    """The settings of the sandbox. The user's config file and environment variables are ignored.

    Only RSSPOT_HISTORY counts: whoever turns the history off wants none here either. ledger: its URL, if it is not to
    be in the folder of the sandbox
    """
    values = {
        "base_url": URL,
        "oauth_url": URL,
        "feeds_url": URL,
        "client_id": "sandbox",
        "refresh_token": SANDBOX_TOKEN,
        "organization": SANDBOX_ORGANIZATION,
    }
    settings = {name: Setting(value, "--sandbox") for name, value in values.items()}
    if history := from_environment(os.environ).get("history"):
        settings["history"] = history
    settings |= {"region": Setting(region, "--region")} if region else {}
    given = Setting(ledger, "--ledger") if ledger else None
    return Resolved("sandbox", settings, folder() / "state.db", ledger=given)


def claim() -> None:
    """Create the folder of the sandbox. A new or empty one is marked as ours: only such a folder is ever deleted."""
    place = folder()
    private_folder(place)
    if not any(place.iterdir()):
        write_private(place / MARKER, "Made by `rsspot --sandbox`. `rsspot simulator reset` deletes this folder.\n")


def reset() -> bool:
    """Delete the sandbox and its ledger; False if there was none. Raises UsageError for a folder that is not ours."""
    place = folder()
    if not place.exists() and not place.is_symlink():
        return False
    if not _is_ours(place):
        hint = "delete it yourself, or set RSSPOT_SANDBOX to another folder"
        raise UsageError(f"{place} was not made by rsspot, so it is not deleted", hint=hint)
    shutil.rmtree(place)
    return True


def _is_ours(place: Path) -> bool:
    """Whether a folder is the default one, marked by us, or empty. A link is somebody's own arrangement."""
    if place.is_symlink() or not place.is_dir():
        return False
    if not os.environ.get("RSSPOT_SANDBOX"):
        return True
    marker = place / MARKER
    return not any(place.iterdir()) or (marker.is_file() and not marker.is_symlink())
