"""The simulator as commands: serve it, run something against it, move its clock, have things go wrong in it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.app import SETTINGS
from rsspot.errors import UsageError
from rsspot.utils.files import write_private

if TYPE_CHECKING:
    from rsspot.simulator.front.server import Server

app = typer.Typer(help="The Spot API on this machine.", **SETTINGS)

STATE = typer.Option(None, "--state", help="Keep the world in this file; in memory when left out.")
SEED = typer.Option(1, "--seed", help="The same seed gives the same history.")
SCALE = typer.Option(1.0, "--time-scale", min=0.0, help="Seconds of its time in one of yours; 0: it stands still.")
START = typer.Option(None, "--start", metavar="TIME", help="When its time begins: 2026-08-17T00:00:00Z; now otherwise.")
CRD = typer.Option([], "--crd", help="Serve the kind of this CustomResourceDefinition file too; may be repeated.")
ACCOUNTS = typer.Option(None, "--accounts", help="Organizations, people and roles from this YAML file.")
LIFETIME = typer.Option(86_400, "--token-lifetime", min=1, help="Seconds that a token is good for.")
RULE = typer.Option([], "--rule", metavar="NAME=VALUE", help="Switch a rule of the service; may be repeated.")
FAULT = typer.Option([], "--fault", metavar="WORDS", help="Have something go wrong; may be repeated.")
FAULTS = typer.Option(None, "--faults", help="The same, from a YAML list.")
WEBHOOKS = typer.Option(False, "--webhooks-everywhere", help="Call webhooks on other machines too.")
URL = typer.Option(None, "--url", help="Which simulator; RSSPOT_BASE_URL when left out.")
TICK = 1.0
"""Seconds between looks at the clock when nobody asks anything."""
NAMES = {
    "RSSPOT_BASE_URL": "base_url",
    "RSSPOT_OAUTH_URL": "oauth_url",
    "RSSPOT_FEEDS_URL": "feeds_url",
    "RSSPOT_REFRESH_TOKEN": "refresh_token",
    "RSSPOT_ORG": "organization",
}
"""What a command under `run` finds in its environment."""


@app.command()
def serve(
    port: int = typer.Option(0, "--port", min=0, max=65535, help="0 takes a free one."),
    ready_file: Path | None = typer.Option(None, "--ready-file", help="Written once requests are answered."),
    kubeconfig: Path | None = typer.Option(None, "--kubeconfig", help="Write a kubeconfig for kubectl here."),
    state: Path | None = STATE,
    seed: int = SEED,
    time_scale: float = SCALE,
    start: str | None = START,
    crd: list[Path] = CRD,
    accounts: Path | None = ACCOUNTS,
    token_lifetime: int = LIFETIME,
    rule: list[str] = RULE,
    fault: list[str] = FAULT,
    faults: Path | None = FAULTS,
    webhooks_everywhere: bool = WEBHOOKS,
) -> None:
    """Answer on loopback until stopped by Ctrl-C or SIGTERM. A page at / shows what goes on."""
    from rsspot.simulator.front import server as front

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    world = _world(state, seed, time_scale, start, crd, accounts, token_lifetime, rule, fault, faults)
    server = _start(world, port, webhooks_everywhere)
    first = world.identity.accounts.callers()[0]
    about = server.describe()
    if kubeconfig:
        _refuse_foreign(kubeconfig, front.CONTEXT)
        password = world.identity.password(first)
        write_private(kubeconfig, front.kubeconfig(server.url, first.organization, password))
    if ready_file:
        front.write_ready_file(ready_file, about)
    print(f"simulator at {server.url}, organization {first.organization.name} (Ctrl-C stops it)", flush=True)
    while not stopped.wait(TICK):
        server.api.tick()
    server.close()
    if ready_file:
        ready_file.unlink(missing_ok=True)


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: list[str] = typer.Argument(metavar="-- CMD...", help="The command and its arguments."),
    seed: int = SEED,
    time_scale: float = SCALE,
    start: str | None = START,
    accounts: Path | None = ACCOUNTS,
    rule: list[str] = RULE,
    fault: list[str] = FAULT,
    faults: Path | None = FAULTS,
) -> None:
    """Start a simulator, run a command with RSSPOT_* set to it, stop it, and end as the command did."""
    world = _world(None, seed, time_scale, start, [], accounts, 86_400, rule, fault, faults)
    server = _start(world, 0, False)
    about = server.describe()
    environment = {**os.environ, **{name: str(about[key]) for name, key in NAMES.items()}}
    try:
        child = subprocess.Popen(command, env=environment)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: child.send_signal(received))
        ended = child.wait()
    except OSError as error:
        raise UsageError(f"cannot run {command[0]}: {error.strerror}") from None
    finally:
        server.close()
    # A command that a signal ended: the shell's way of saying so.
    raise typer.Exit(ended if ended >= 0 else 128 - ended)


@app.command()
def advance(
    duration: str = typer.Argument(metavar="DURATION", help="90s, 10m, 2h or 3d; together too: 1h30m."),
    url: str | None = URL,
) -> None:
    """Move the clock on, and let all happen that is due by then: of a simulator that runs, or of the sandbox."""
    from rsspot.cli.sandbox import advance as advance_sandbox
    from rsspot.cli.session import session

    seconds = _seconds(duration)
    if session().options.sandbox:
        print(f"The sandbox's clock says {advance_sandbox(seconds)}.")
        return
    print(f"Its clock says {_order(url, 'advance', {'seconds': seconds})['now']}.")


@app.command()
def faults(
    add: list[str] = typer.Option([], "--add", metavar="WORDS", help="Have something go wrong; may be repeated."),
    clear: bool = typer.Option(False, "--clear", help="Have nothing go wrong any more."),
    url: str | None = URL,
) -> None:
    """The faults of a simulator that runs: `POST spotnodepools: reset-after x2`."""
    listed = _asked(url, "faults", "DELETE" if clear else "GET")["faults"]
    for words in add:
        listed = _order(url, "faults", {"fault": words})["faults"]
    for each in listed:
        print(each)


@app.command()
def price(
    server_class: str = typer.Argument(metavar="CLASS"),
    amount: str | None = typer.Argument(None, metavar="[PRICE]", help="Dollars an hour; its own when left out."),
    url: str | None = URL,
) -> None:
    """Have others pay that much for a server class, in a simulator that runs."""
    _order(url, "price", {"class": server_class, "price": amount})
    print(f"{server_class}: {'its own market' if amount is None else f'${amount} an hour'}")


@app.command()
def reset() -> None:
    """Forget the sandbox's world and its ledger."""
    from rsspot.cli.sandbox import reset as forget

    print("The sandbox is new." if forget() else "The sandbox was new already.")


def _refuse_foreign(file: Path, context: str) -> None:
    """A kubeconfig that is not one of ours is somebody's way to their clusters."""
    if file.is_file() and file.stat().st_size and context not in file.read_text(errors="replace"):
        raise UsageError(f"{file} is a kubeconfig of something else", hint="name a file of its own")


def _world(
    state: Path | None,
    seed: int,
    time_scale: float,
    start: str | None,
    crds: list[Path],
    accounts: Path | None,
    lifetime: int,
    rules: list[str],
    said: list[str],
    scripted: Path | None,
) -> Any:
    import secrets
    import sqlite3
    import time

    from rsspot.simulator.accounts.people import accounts_from, default_organization
    from rsspot.simulator.apiserver.crds import from_files
    from rsspot.simulator.clock import ScaledClock
    from rsspot.simulator.faults import fault_of, faults_from
    from rsspot.simulator.spot.switches import rules_of
    from rsspot.simulator.world import World, last_moment

    missing = [str(file) for file in crds if not file.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    began = _moment(start) if start else None
    given = accounts_from(accounts) if accounts else None
    script = [*(faults_from(scripted) if scripted else ()), *map(fault_of, said)]
    options: dict[str, Any] = {
        "seed": seed,
        "wall": time.time,
        "organizations": given.organizations if given else [default_organization(secrets.token_urlsafe(24))],
        "people": given.people if given else (),
        "definitions": from_files(crds),
        "rules": rules_of(rules),
        "lifetime": lifetime,
    }
    try:
        clock = ScaledClock(time_scale, (last_moment(state) if state else None) or began)
        world = World(state, clock=clock, **options)
    except sqlite3.Error as error:
        raise UsageError(f"{state} cannot be opened: {error}", hint="name another file") from None
    world.faults.script.extend(script)
    return world


def _start(world: Any, port: int, webhooks_everywhere: bool) -> Server:
    from rsspot.simulator.api import Api
    from rsspot.simulator.front.server import Server

    try:
        server = Server(Api(world), port, webhooks_everywhere=webhooks_everywhere)
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}") from None
    server.start()
    return server


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", hint="as in 2026-08-17T00:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"{text!r} names no time zone", hint="as in 2026-08-17T00:00:00Z")
    return moment.timestamp()


def _seconds(text: str) -> float:
    import re

    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"{text!r} is no duration", hint="90s, 10m, 2h or 3d; together too: 1h30m")
    return sum(float(number) * units[unit] for number, unit in parts)


def _order(url: str | None, name: str, order: Mapping[str, Any]) -> dict[str, Any]:
    return _asked(url, name, "POST", order)


def _asked(url: str | None, name: str, method: str, order: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Ask a running simulator for something. Never speaks to another machine."""
    import http.client
    import json
    from urllib.parse import urlsplit

    base = url or os.environ.get("RSSPOT_BASE_URL", "")
    parts = urlsplit(base)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1") or parts.scheme != "http":
        hint = "--url http://127.0.0.1:PORT, as `simulator serve` prints it"
        raise UsageError(f"{base!r} is no simulator on this machine" if base else "which simulator?", hint=hint)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        body = None if order is None else json.dumps(order)
        connection.request(method, f"/simulator/{name}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(f"the simulator at {base} does not answer: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        words = json.loads(said).get("error", "") if said.startswith(b"{") else said.decode(errors="replace")
        raise UsageError(f"the simulator refuses: {words}")
    found: dict[str, Any] = json.loads(said)
    return found


COMMANDS = {"simulator": app}
