"""Applies a stack in a world that lives in a file, and dies of SIGKILL where it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from rsspot.applier.events import Recap
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.settings import Setting
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.wire import httpx
from support import scenes

WRITES = ("acquire", "renew", "release", "begin", "intend", "answered", "settle", "ready", "finish")
TEXTS = {"stack": scenes.STACK, "changed": scenes.CHANGED}


class Fuse:
    """Kills the process when it is touched for the last time."""

    def __init__(self, touches: int) -> None:
        self._left = touches

    def touch(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyLedger:
    """A ledger whose every durable write touches a fuse right afterwards."""

    def __init__(self, ledger: Ledger, fuse: Fuse) -> None:
        self._ledger, self._fuse = ledger, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if name not in WRITES:
            return method

        def written(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self._fuse.touch()
            return result

        return written


class DeadlyTransport(httpx.AsyncBaseTransport):
    """Carries out each mutation and touches a fuse before its answer is seen."""

    def __init__(self, inner: httpx.AsyncBaseTransport, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.method != "GET" and not request.url.path.startswith("/oauth"):
            self._fuse.touch()
        return response


class Stage:
    """A world, a ledger and a client of them, all in one folder."""

    def __init__(self, folder: Path, start: float, *, write: int = 0, mutation: int = 0) -> None:
        clock = ManualClock(start)
        self.world = World(folder / "world.db", clock=clock)
        self.ledger = open_ledger(folder / "state.db")
        url = "http://127.0.0.1"
        values = {"base_url": url, "oauth_url": url, "client_id": "tests", "refresh_token": SANDBOX_TOKEN}
        values["organization"] = SANDBOX_ORGANIZATION
        settings = {name: Setting(value, "test") for name, value in values.items()}
        transport = DeadlyTransport(InProcessTransport(Api(self.world)), Fuse(mutation))
        self.client = AsyncSpotClient(
            resolved=Resolved("test", settings, folder / "state.db"), transport=transport, clock=clock
        )
        self.scene = scenes.Scene(self.client, DeadlyLedger(self.ledger, Fuse(write)), folder)

    async def close(self) -> None:
        await self.client.aclose()
        self.ledger.close()
        self.world.close()


async def run(folder: Path, text: str, start: float, *, write: int = 0, mutation: int = 0) -> Recap:
    """Plan and apply once."""
    stage = Stage(folder, start, write=write, mutation=mutation)
    try:
        return await stage.scene.apply(TEXTS[text])
    finally:
        await stage.close()


def main(arguments: list[str]) -> int:
    """The program: FOLDER TEXT START (write|mutation|never) NUMBER."""
    place, wanted, begin, what, number = arguments
    dying = {} if what == "never" else {what: int(number)}
    return asyncio.run(run(Path(place), wanted, float(begin), **dying)).exit_code
