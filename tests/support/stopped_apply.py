"""Applies by the command line against a service in the same process, which is told to stop where it is said."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from rsspot.cli.app import run
from rsspot.cli.signals import treat_like_interrupts
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import last_moment
from support import scenes
from support.loopback_server import Loopback, failure

STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: things}\n---\n"
TEXTS = {"create": STACK + scenes.STACK, "change": STACK + scenes.CHANGED, "recover": STACK + scenes.STACK}
LATER = 6_000.0
"""Seconds between two commands, in the world's time."""
HEARD_WITHIN = 60.0
WAYS = ("SIGINT", "SIGTERM", "SIGHUP", "reader left", "SIGINT twice")
TOLD = ("stopping once", "abandoning", "error: interrupted")
"""What is printed when a signal was heard, by the number of those that came before; at last when there is no run."""


class Stop:
    """Stops the command once, at the moment of a number, and notes when it was heard.

    way: one of WAYS, or none · attempts: how many writes have been intended when the command heard of it
    """

    def __init__(self, way: str, number: int, state: Path) -> None:
        self._way, self._left, self._state = way, number, state
        self._guard = threading.Lock()
        self._heard = [threading.Event(), threading.Event()]
        self._over = False
        self.fired = self.abandoned = self.unheard = False
        self.attempts: int | None = None
        self.out = Pipe(self.heard)

    def moment(self, *, at_server: bool) -> bool:
        """One moment; gives whether it was this one. at_server: whether the command can hear of it meanwhile"""
        with self._guard:
            self._left -= 1
            if self._left or self._way == "none":
                return False
        self.fired = True
        if self._way == "reader left":
            self.out.leave()
            return True
        self._signal(0, at_server)
        if self._way == "SIGINT twice" and not self._over:
            self._signal(1, at_server)
            self.abandoned = True
        return True

    def _signal(self, times: int, at_server: bool) -> None:
        os.kill(os.getpid(), getattr(signal, self._way.partition(" ")[0]))
        # The loop hears of it by itself where it is the loop that sleeps.
        if at_server:
            self.unheard = not self._heard[times].wait(HEARD_WITHIN)

    def heard(self, text: str = TOLD[0]) -> None:
        """The command has noticed, and says so."""
        if self.attempts is None:
            self.attempts = attempts(self._state)
        self._over = text.startswith(TOLD[-1])
        self._heard[text.startswith(TOLD[1])].set()


class Pipe(io.FileIO):
    """The end of a pipe that a command prints into. broken: called when nobody reads any more"""

    def __init__(self, broken: Callable[[], None]) -> None:
        self._reader, writer = os.pipe()
        super().__init__(writer, "wb")
        self._broken = broken
        self._left = False

    def write(self, data: Any, /) -> int | None:
        try:
            return super().write(data)
        except BrokenPipeError:
            self._broken()
            raise

    def leave(self) -> None:
        """Read no more."""
        self._left = True
        os.close(self._reader)

    def read_all(self) -> str:
        """What was printed; nothing if the reader left."""
        self.close()
        if self._left:
            return ""
        with io.TextIOWrapper(io.FileIO(self._reader), encoding="utf-8") as printed:
            return printed.read()


class Said(io.StringIO):
    """Standard error, which tells when a signal was heard."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard

    def write(self, text: str, /) -> int:
        if text.startswith(TOLD):
            self._heard(text)
        return super().write(text)


class Service(Loopback):
    """A service with a moment before and after each request."""

    def __init__(self, folder: Path) -> None:
        super().__init__(path=folder / "world.db")
        self.stop: Stop | None = None

    def handle(self, request: Request) -> Response:
        stop = self.stop
        if stop is None or request.path.startswith("/oauth"):
            return super().handle(request)
        if stop.moment(at_server=True) and stop.abandoned:
            # It never arrives, and nobody waits for its answer.
            return failure(503)
        answer = super().handle(request)
        stop.moment(at_server=True)
        return answer


class SleepingClock(ManualClock):
    """The clock of the service, with a moment before each sleep of the command."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def time(self) -> float:
        return self._service.clock.time()

    def now(self) -> Any:
        return self._service.clock.now()

    def monotonic(self) -> float:
        return self._service.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        if (stop := self._service.stop) is not None:
            stop.moment(at_server=False)
        await self._service.clock.sleep(seconds)


def asked(state: Path, question: str) -> list[Any]:
    """What the ledger answers to a query of one column."""
    if not state.exists():
        return []
    with closing(sqlite3.connect(state)) as connection:
        return [each for (each,) in connection.execute(question)]


def attempts(state: Path) -> int:
    """How many writes the ledger has the intent of."""
    return len(asked(state, "SELECT number FROM attempts"))


def command(service: Service, folder: Path, text: str, stop: Stop) -> tuple[int, str, str]:
    """Run `rsspot apply`; gives its code and what it printed."""
    (folder / "stack.yaml").write_text(TEXTS[text])
    service.stop = stop
    sys.stdout, sys.stderr = io.TextIOWrapper(io.BufferedWriter(stop.out), encoding="utf-8"), Said(stop.heard)
    try:
        treat_like_interrupts()
        code = run(["apply", "stack.yaml", "--yes", "--prune"], SleepingClock(service))
        errors = sys.stderr.getvalue()
    finally:
        service.stop = None
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    return code, stop.out.read_all(), errors


def environment(service: Service, folder: Path) -> dict[str, str]:
    """The settings of an account of the service, and none of anybody else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_", "XDG_"))}
    account = service.profile()
    return kept | {
        "HOME": str(folder),
        "RSSPOT_BASE_URL": service.url,
        "RSSPOT_OAUTH_URL": service.url,
        "RSSPOT_REFRESH_TOKEN": account["refreshToken"],
        "RSSPOT_ORGANIZATION": account["org"],
        "RSSPOT_STATE_PATH": str(folder / "state.db"),
    }


def main(arguments: list[str]) -> int:
    """The program: FOLDER TEXT WAY NUMBER. Runs the command twice, and is told to stop the first time."""
    place, text, way, number = arguments
    folder = Path(place)
    os.chdir(folder)
    before = last_moment(folder / "world.db")
    service = Service(folder)
    service.clock.advance((before or service.clock.time()) + LATER - service.clock.time())
    os.environ.clear()
    os.environ.update(environment(service, folder))
    state = folder / "state.db"
    stop = Stop(way, int(number), state)
    code, out, errors = command(service, folder, text, stop)
    told = {"fired": stop.fired, "unheard": stop.unheard, "code": code, "out": out, "errors": errors}
    told |= {"attempts": attempts(state), "attempts when heard": stop.attempts}
    told["outcomes"] = asked(state, "SELECT outcome FROM runs ORDER BY id")
    told["states"] = asked(state, "SELECT state FROM steps")
    service.clock.advance(LATER)
    told["then"] = command(service, folder, text, Stop("none", 0, state))
    with service.world.lock:
        told["births"] = {plural: scenes.births(service.world, plural) for plural in scenes.PLURALS}
        told["living"] = {plural: len(scenes.living(service.world, plural)) for plural in scenes.PLURALS}
    (folder / "told.json").write_text(json.dumps(told))
    return 0


def warm_up() -> None:
    """Run the command once, so that no fork has to import modules, build models or fill caches."""
    with tempfile.TemporaryDirectory() as folder:
        before, where = dict(os.environ), Path.cwd()
        main([folder, "create", "none", "0"])
        os.chdir(where)
        os.environ.clear()
        os.environ.update(before)
