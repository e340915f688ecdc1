"""The simulator as commands: serve it, run something against it, forget the sandbox."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli.app import SETTINGS
from rsspot.errors import UsageError
from rsspot.utils import write_private

if TYPE_CHECKING:
    from rsspot.simulator.front.server import Server

app = typer.Typer(help="The Spot API on this machine.", **SETTINGS)

STATE = typer.Option(None, "--state", help="Keep the world in this file; in memory when left out.")
SEED = typer.Option(1, "--seed", help="The same seed gives the same history.")
SCALE = typer.Option(1.0, "--time-scale", min=0.001, help="Seconds of its time in one of yours.")
CRD = typer.Option([], "--crd", help="Serve the kind of this CustomResourceDefinition file too; may be repeated.")
TICK = 1.0
"""Seconds between looks at the clock when nobody asks anything."""


@app.command()
def serve(
    port: int = typer.Option(0, "--port", min=0, max=65535, help="0 takes a free one."),
    ready_file: Path | None = typer.Option(None, "--ready-file", help="Written once requests are answered."),
    kubeconfig: Path | None = typer.Option(None, "--kubeconfig", help="Write a kubeconfig for kubectl here."),
    state: Path | None = STATE,
    seed: int = SEED,
    time_scale: float = SCALE,
    crd: list[Path] = CRD,
) -> None:
    """Answer on loopback until stopped by Ctrl-C or SIGTERM."""
    from rsspot.simulator.front import server as front

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    server = _start(port, state, seed, time_scale, crd)
    world = server.api.world
    organization = world.organizations[0]
    about = server.describe(organization)
    if kubeconfig:
        _refuse_foreign(kubeconfig, front.CONTEXT)
        write_private(kubeconfig, front.kubeconfig(server.url, organization, world.identity.id_token(organization)))
    if ready_file:
        front.write_ready_file(ready_file, about)
    print(f"simulator at {server.url}, organisation {organization.name} (Ctrl-C stops it)", flush=True)
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
) -> None:
    """Start a simulator, run a command with RSSPOT_* set to it, stop it, and end as the command did."""
    server = _start(0, None, seed, time_scale, [])
    about = server.describe(server.api.world.organizations[0])
    names = {
        "RSSPOT_BASE_URL": "base_url",
        "RSSPOT_OAUTH_URL": "oauth_url",
        "RSSPOT_FEEDS_URL": "feeds_url",
        "RSSPOT_REFRESH_TOKEN": "refresh_token",
        "RSSPOT_ORG": "organization",
    }
    environment = {**os.environ, **{name: str(about[key]) for name, key in names.items()}}
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
def reset() -> None:
    """Forget the sandbox's world and its ledger."""
    from rsspot.cli.sandbox import reset as forget

    print("The sandbox is new." if forget() else "The sandbox was new already.")


def _refuse_foreign(file: Path, context: str) -> None:
    """A kubeconfig that is not one of ours is somebody's way to their clusters."""
    if file.is_file() and file.stat().st_size and context not in file.read_text(errors="replace"):
        raise UsageError(f"{file} is a kubeconfig of something else", hint="name a file of its own")


def _start(port: int, state: Path | None, seed: int, time_scale: float, crds: list[Path]) -> Server:
    import time

    from rsspot.simulator.accounts.people import default_organization
    from rsspot.simulator.api import Api
    from rsspot.simulator.clock import ScaledClock
    from rsspot.simulator.front.server import Server
    from rsspot.simulator.machinery.crds import from_files
    from rsspot.simulator.world import World, last_moment

    missing = [str(file) for file in crds if not file.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    organization = default_organization(secrets.token_urlsafe(24))
    world = World(
        state,
        clock=ScaledClock(time_scale, last_moment(state) if state else None),
        seed=seed,
        wall=time.time,
        organizations=[organization],
        definitions=from_files(crds),
    )
    try:
        server = Server(Api(world), port)
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}") from None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


COMMANDS = {"simulator": app}
