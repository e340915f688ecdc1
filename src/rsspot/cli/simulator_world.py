"""Builds the world and the server of `simulator serve` and `simulator run` from their options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from rsspot.simulator.front.secure import SecureServer
    from rsspot.simulator.world import World

LONGEST_TICK = 0.05
"""Seconds for which the clock may keep requests waiting. One action of a controller may take longer."""
CLOSES_WITHIN = 0.8
"""Seconds for an action in progress to end before its transaction is given up."""


@dataclass(frozen=True)
class WorldOptions:
    """The options of a world, named as on the command line."""

    state: Path | None = None
    seed: int = 1
    time_scale: float = 1.0
    start: str | None = None
    crds: tuple[Path, ...] = ()
    accounts: Path | None = None
    token_lifetime: int = 86_400
    rules: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_file: Path | None = None


@contextmanager
def start_up() -> Iterator[None]:
    """Report Ctrl-C as other commands do. Typer would exit with its own code and no message."""
    try:
        yield
    except KeyboardInterrupt:
        raise Cancelled("interrupted") from None


def open_world(options: WorldOptions) -> World:
    """Open the world. Raises UsageError."""
    import secrets
    import sqlite3
    import time

    from rsspot.simulator.accounts.people import accounts_from, default_organization
    from rsspot.simulator.apiserver.crds import from_files
    from rsspot.simulator.clock import ScaledClock
    from rsspot.simulator.faults import fault_of, faults_from
    from rsspot.simulator.spot.switches import rules_of
    from rsspot.simulator.world import World, last_moment

    missing = [str(file) for file in options.crds if not file.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    state, start_time = options.state, _timestamp(options.start) if options.start else None
    configured = accounts_from(options.accounts) if options.accounts else None
    script = faults_from(options.fault_file) if options.fault_file else []
    script += map(fault_of, options.faults)
    definitions, rules = from_files(list(options.crds)), rules_of(list(options.rules))
    default = [default_organization(secrets.token_urlsafe(24))]
    try:
        clock = ScaledClock(options.time_scale, (last_moment(state) if state else None) or start_time)
        world = World(
            state,
            clock=clock,
            seed=options.seed,
            wall=time.time,
            organizations=configured.organizations if configured else default,
            people=configured.people if configured else (),
            definitions=definitions,
            rules=rules,
            lifetime=options.token_lifetime,
        )
    except (sqlite3.Error, OSError) as error:
        raise UsageError(f"cannot open {state}: {error}", hint="choose another file for --state") from None
    world.faults.script.extend(script)
    return world


def _timestamp(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a valid time", hint="write it like 2026-08-17T00:00:00Z") from None
    if time.tzinfo is None:
        raise UsageError(f"{text!r} has no time zone", hint="write it like 2026-08-17T00:00:00Z")
    return time.timestamp()


def start_server(
    world: World, port: int = 0, *, webhooks_everywhere: bool = False, hosts: tuple[str, ...] = ()
) -> SecureServer:
    """Serve a world on loopback. Raises UsageError."""
    from rsspot.simulator.api import Api
    from rsspot.simulator.front.secure import SecureServer

    api = Api(world, longest_tick=LONGEST_TICK)
    try:
        server = SecureServer(api, port, webhooks_everywhere=webhooks_everywhere, hosts=hosts)
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}") from None
    server.start()
    return server


def end(server: SecureServer) -> None:
    """Stop serving, and close the world if no action keeps it busy. Otherwise SQLite rolls the action back.

    The lock is kept for good, so that no thread that outlives this touches the closed world.
    """
    server.api.stopping.set()
    server.close()
    if server.api.world.lock.acquire(timeout=CLOSES_WITHIN):
        server.api.world.close()
