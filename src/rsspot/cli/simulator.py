"""The `simulator` commands: serve it, run a command against it, advance its clock, inject faults, set prices."""

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

from rsspot.cli.typer_settings import SETTINGS
from rsspot.errors import UsageError
from rsspot.utils.files import write_private

if TYPE_CHECKING:
    from rsspot.simulator.front.server import Server

app = typer.Typer(help="Run and control a local simulator of the Spot API.", **SETTINGS)

STATE = typer.Option(None, "--state", help="File to keep the state in; default: in memory.")
SEED = typer.Option(1, "--seed", help="Seed of the simulated market.")
SCALE = typer.Option(1.0, "--time-scale", min=0.0, help="Simulated seconds per real second; 0 stops the clock.")
START = typer.Option(None, "--start", metavar="TIME", help="Start time, such as 2026-08-17T00:00:00Z; default: now.")
CRD = typer.Option([], "--crd", help="Also serve this CustomResourceDefinition file; may be repeated.")
ACCOUNTS = typer.Option(None, "--accounts", help="YAML file of organizations, people and roles.")
LIFETIME = typer.Option(86_400, "--token-lifetime", min=1, help="Lifetime of a token in seconds.")
RULE = typer.Option([], "--rule", metavar="NAME=VALUE", help="Set a rule of the service; may be repeated.")
FAULT = typer.Option([], "--fault", metavar="FAULT", help="Inject a fault; may be repeated.")
FAULTS = typer.Option(None, "--faults", help="YAML file with a list of faults to inject.")
WEBHOOKS = typer.Option(False, "--webhooks-everywhere", help="Also call webhooks on other machines.")
URL = typer.Option(None, "--url", help="URL of the simulator; default: RSSPOT_BASE_URL.")
TICK = 1.0
"""Seconds between updates of the simulated state when no requests arrive."""
NAMES = {
    "RSSPOT_BASE_URL": "base_url",
    "RSSPOT_OAUTH_URL": "oauth_url",
    "RSSPOT_FEEDS_URL": "feeds_url",
    "RSSPOT_REFRESH_TOKEN": "refresh_token",
    "RSSPOT_ORG": "organization",
}
"""Environment variables that `run` sets for its command."""


@app.command()
def serve(
    port: int = typer.Option(0, "--port", min=0, max=65535, help="Port to listen on; 0 picks a free one."),
    ready_file: Path | None = typer.Option(None, "--ready-file", help="File to write once the server is ready."),
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
    """Serve on loopback until Ctrl-C or SIGTERM. The page at / shows the current state."""
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
    """Run a command against a new simulator. Sets RSSPOT_* for it and exits with its exit code."""
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
    # The shell's convention for a command that was killed by a signal.
    raise typer.Exit(ended if ended >= 0 else 128 - ended)


@app.command()
def advance(
    duration: str = typer.Argument(metavar="DURATION", help="Such as 90s, 10m, 2h, 3d or 1h30m."),
    url: str | None = URL,
) -> None:
    """Advance the clock of a running simulator, or of the sandbox with --sandbox."""
    from rsspot.cli.sandbox import advance as advance_sandbox
    from rsspot.cli.session import session

    seconds = _seconds(duration)
    if session().options.sandbox:
        print(f"The sandbox clock is now {advance_sandbox(seconds)}.")
        return
    print(f"The simulator clock is now {_post(url, 'advance', {'seconds': seconds})['now']}.")


@app.command()
def faults(
    add: list[str] = typer.Option([], "--add", metavar="FAULT", help="Inject a fault; may be repeated."),
    clear: bool = typer.Option(False, "--clear", help="Remove all faults."),
    url: str | None = URL,
) -> None:
    """List, add or clear the faults of a running simulator.

    A fault is written like `POST spotnodepools: reset-after x2`.
    """
    active = _request(url, "faults", "DELETE" if clear else "GET")["faults"]
    for fault in add:
        active = _post(url, "faults", {"fault": fault})["faults"]
    for fault in active:
        print(fault)


@app.command()
def price(
    server_class: str = typer.Argument(metavar="CLASS"),
    amount: str | None = typer.Argument(None, metavar="[PRICE]", help="Dollars per hour; default: market price."),
    url: str | None = URL,
) -> None:
    """Set the market price of a server class in a running simulator."""
    _post(url, "price", {"class": server_class, "price": amount})
    print(f"{server_class}: {'market price' if amount is None else f'${amount} per hour'}")


@app.command()
def reset() -> None:
    """Delete the sandbox: its simulated state and its ledger."""
    from rsspot.cli.sandbox import reset as reset_sandbox

    print("The sandbox was reset." if reset_sandbox() else "The sandbox is already empty.")


def _refuse_foreign(file: Path, context: str) -> None:
    """Never overwrite a kubeconfig that the simulator did not write."""
    if file.is_file() and file.stat().st_size and context not in file.read_text(errors="replace"):
        raise UsageError(f"{file} was not written by the simulator", hint="choose another file for --kubeconfig")


def _world(
    state: Path | None,
    seed: int,
    time_scale: float,
    start: str | None,
    crds: list[Path],
    accounts: Path | None,
    lifetime: int,
    rules: list[str],
    faults: list[str],
    fault_file: Path | None,
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
    start_time = _timestamp(start) if start else None
    configured = accounts_from(accounts) if accounts else None
    script = [*(faults_from(fault_file) if fault_file else ()), *map(fault_of, faults)]
    options: dict[str, Any] = {
        "seed": seed,
        "wall": time.time,
        "organizations": configured.organizations if configured else [default_organization(secrets.token_urlsafe(24))],
        "people": configured.people if configured else (),
        "definitions": from_files(crds),
        "rules": rules_of(rules),
        "lifetime": lifetime,
    }
    try:
        clock = ScaledClock(time_scale, (last_moment(state) if state else None) or start_time)
        world = World(state, clock=clock, **options)
    except sqlite3.Error as error:
        raise UsageError(f"cannot open {state}: {error}", hint="choose another file for --state") from None
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


def _timestamp(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a valid time", hint="write it like 2026-08-17T00:00:00Z") from None
    if time.tzinfo is None:
        raise UsageError(f"{text!r} has no time zone", hint="write it like 2026-08-17T00:00:00Z")
    return time.timestamp()


def _seconds(text: str) -> float:
    import re

    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"{text!r} is not a valid duration", hint="write it like 90s, 10m, 2h, 3d or 1h30m")
    return sum(float(number) * units[unit] for number, unit in parts)


def _post(url: str | None, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return _request(url, name, "POST", body)


def _request(url: str | None, name: str, method: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Send a control request to a running simulator on this machine; never to another machine."""
    import http.client
    import json
    from urllib.parse import urlsplit

    base = url or os.environ.get("RSSPOT_BASE_URL", "")
    parts = urlsplit(base)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1") or parts.scheme != "http":
        hint = "pass --url http://127.0.0.1:PORT, as printed by `rsspot simulator serve`"
        message = f"{base!r} is not a simulator on this machine" if base else "no simulator URL given"
        raise UsageError(message, hint=hint)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, f"/simulator/{name}", payload, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(f"cannot reach the simulator at {base}: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        reason = json.loads(content).get("error", "") if content.startswith(b"{") else content.decode(errors="replace")
        raise UsageError(f"the simulator rejected the request: {reason}")
    result: dict[str, Any] = json.loads(content)
    return result


COMMANDS = {"simulator": app}
