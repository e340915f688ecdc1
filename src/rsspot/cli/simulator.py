"""The `simulator` commands: serve it, run a command against it, advance its clock, inject faults, set prices."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.simulator_control import send
from rsspot.cli.simulator_world import WorldOptions, end, open_world, start_server, start_up
from rsspot.cli_history import shown
from rsspot.errors import UsageError

if TYPE_CHECKING:
    from rsspot.simulator.front.connection_files import ConnectionFile
    from rsspot.simulator.front.secure import SecureServer
    from rsspot.simulator.world import World

app = App(help="Run and control a local simulator of the Spot API.")

STATE = shown(typer.Option(None, "--state", help="File to keep the state in; default: in memory."))
SEED = shown(typer.Option(1, "--seed", help="Seed of the simulated market."))
SCALE = shown(typer.Option(1.0, "--time-scale", min=0.0, help="Simulated seconds per real second; 0 stops the clock."))
START = typer.Option(None, "--start", metavar="TIME", help="Start time, such as 2026-08-17T00:00:00Z; default: now.")
CRD = shown(typer.Option([], "--crd", help="Also serve this CustomResourceDefinition file; may be repeated."))
ACCOUNTS = shown(typer.Option(None, "--accounts", help="YAML file of organizations, people and roles."))
LIFETIME = shown(typer.Option(86_400, "--token-lifetime", min=1, help="Lifetime of a token in seconds."))
RULE = typer.Option([], "--rule", metavar="NAME=VALUE", help="Set a rule of the service; may be repeated.")
FAULT = typer.Option([], "--fault", metavar="FAULT", help="Inject a fault; may be repeated.")
FAULTS = shown(typer.Option(None, "--faults", help="YAML file with a list of faults to inject."))
WEBHOOKS = typer.Option(False, "--webhooks-everywhere", help="Also call webhooks on other machines.")
HOSTS = typer.Option([], "--host", metavar="NAME[:PORT]", help="Also answer requests for this host; may be repeated.")
URL = typer.Option(None, "--url", help="URL of the simulator; default: RSSPOT_BASE_URL.")
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
    port: int = shown(typer.Option(0, "--port", min=0, max=65535, help="Port to listen on; 0 picks a free one.")),
    ready_file: Path | None = shown(typer.Option(None, "--ready-file", help="File to write once the server is ready.")),
    kubeconfig: Path | None = shown(typer.Option(None, "--kubeconfig", help="Write a kubeconfig for kubectl here.")),
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
    host: list[str] = HOSTS,
) -> None:
    """Serve on loopback until Ctrl-C or SIGTERM. The page at / shows the current state."""
    from rsspot.simulator.front.connection_files import kubeconfig_file, ready_file_at

    ready = ready_file_at(ready_file) if ready_file else None
    config = kubeconfig_file(kubeconfig) if kubeconfig else None
    for file in (ready, config):
        if file:
            file.check()
    options = WorldOptions(
        state, seed, time_scale, start, tuple(crd), accounts, token_lifetime, tuple(rule), tuple(fault), faults
    )
    with start_up():
        world = open_world(options)
        server = start_server(world, port, webhooks_everywhere=webhooks_everywhere, hosts=tuple(host))
    try:
        _serve_until_stopped(server, world, ready, config)
    finally:
        if ready:
            ready.remove()
        end(server)


def _serve_until_stopped(
    server: SecureServer, world: World, ready: ConnectionFile | None, kubeconfig: ConnectionFile | None
) -> None:
    """Write the files that tell how to connect, and keep the clock going until Ctrl-C or SIGTERM."""
    from rsspot.simulator.front.connection_files import kubeconfig_for
    from rsspot.simulator.front.ticker import Ticker

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    first = world.identity.accounts.callers()[0]
    if kubeconfig:
        token = world.identity.password(first)
        kubeconfig.write(kubeconfig_for(server.secure_url, server.authority, first.organization, token))
    if ready:
        ready.write(server.describe())
    print(f"simulator at {server.url}, organization {first.organization.name} (Ctrl-C stops it)", flush=True)
    Ticker(server.api).start()
    stopped.wait()


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: list[str] = typer.Argument(metavar="-- CMD", help="The command and its arguments."),
    seed: int = SEED,
    time_scale: float = SCALE,
    start: str | None = START,
    accounts: Path | None = ACCOUNTS,
    rule: list[str] = RULE,
    fault: list[str] = FAULT,
    faults: Path | None = FAULTS,
) -> None:
    """Run a command against a new simulator. Sets RSSPOT_* for it and exits with its exit code."""
    options = WorldOptions(None, seed, time_scale, start, (), accounts, 86_400, tuple(rule), tuple(fault), faults)
    with start_up():
        server = start_server(open_world(options))
    about = server.describe()
    environment = {**os.environ, **{name: str(about[key]) for name, key in NAMES.items()}}
    try:
        ended = _run_to_end(command, environment)
    finally:
        end(server)
    # The shell's convention for a command that was killed by a signal.
    raise typer.Exit(ended if ended >= 0 else 128 - ended)


def _run_to_end(command: list[str], environment: dict[str, str]) -> int:
    """Run a command and pass signals on to it, also those that arrive while it starts."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(received: int, _: Any) -> None:
        if child is None:
            early.append(received)
        else:
            child.send_signal(received)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise UsageError(f"cannot run {command[0]}: {error.strerror}") from None
    for received in early:
        child.send_signal(received)
    return child.wait()


@app.command()
def advance(
    duration: str = shown(typer.Argument(metavar="DURATION", help="Such as 90s, 10m, 2h, 3d or 1h30m.")),
    url: str | None = URL,
) -> None:
    """Advance the clock of a running simulator, or of the sandbox with --sandbox."""
    moved = send("POST", "advance", {"seconds": _seconds(duration)}, url=url)
    print(f"The {'sandbox' if _in_sandbox() else 'simulator'} clock is now {moved['now']}.")


@app.command()
def faults(
    add: list[str] = typer.Option([], "--add", metavar="FAULT", help="Inject a fault; may be repeated."),
    clear: bool = typer.Option(False, "--clear", help="Remove all faults."),
    url: str | None = URL,
) -> None:
    """List, add or clear the faults of a running simulator, or of the sandbox with --sandbox.

    A fault is written like `POST spotnodepools: reset-after x2`.
    """
    active = send("DELETE" if clear else "GET", "faults", url=url)["faults"]
    for fault in add:
        active = send("POST", "faults", {"fault": fault}, url=url)["faults"]
    for fault in active:
        print(fault)


@app.command()
def price(
    server_class: str = shown(typer.Argument(metavar="CLASS")),
    amount: str | None = shown(typer.Argument(None, metavar="PRICE", help="Dollars per hour; default: market price.")),
    url: str | None = URL,
) -> None:
    """Set the market price of a server class in a running simulator, or in the sandbox with --sandbox."""
    send("POST", "price", {"class": server_class, "price": amount}, url=url)
    print(f"{server_class}: {'market price' if amount is None else f'${amount} per hour'}")


@app.command()
def reset() -> None:
    """Delete the sandbox: its simulated state and its ledger."""
    from rsspot.cli.sandbox import reset as reset_sandbox

    print("The sandbox was reset." if reset_sandbox() else "The sandbox is already empty.")


def _in_sandbox() -> bool:
    from rsspot.cli.session import session

    return session().options.sandbox


def _seconds(text: str) -> float:
    from rsspot.utils.durations import EXAMPLES, seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise UsageError(str(error), hint=EXAMPLES) from None


COMMANDS = {"simulator": app}
