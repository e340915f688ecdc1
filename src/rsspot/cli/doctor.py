"""The `doctor` command: shows what keeps rsspot from working here, each with a way out."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli import errors
from rsspot.cli.session import CliSession, session
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.wire import httpx
    from rsspot.workflows.diagnosis import Diagnosis


def doctor() -> None:
    """Check the config file, the token, the network, permissions and the ledger. Exits with 1 if something is broken.

    Changes nothing: sends no request but GET and the one that renews a token, and works without an account.
    """
    from rsspot.utils.clock import SystemClock
    from rsspot.workflows.doctor import Setup, examine, is_healthy

    here = session()
    here.fresh = True
    setup = Setup(
        environ=os.environ,
        config_path=here.config_file,
        resolve=lambda: here.resolved,
        state_path=lambda: here.state_path,
        ledger_url=lambda: here.ledger_url,
        client=lambda: _client(here),
        probes=lambda: _probes(here),
        clock=here.client.clock if here.options.sandbox else SystemClock(),
        sandbox=here.options.sandbox,
    )
    diagnoses = here.run(examine(setup))
    healthy = is_healthy(diagnoses)
    if here.options.output == "table":
        here.emit("\n".join(line for each in diagnoses for line in _lines(each)))
    else:
        here.emit({"ok": healthy, "checks": [asdict(each) for each in diagnoses]})
    if not healthy:
        raise typer.Exit(errors.ERROR)


def _client(here: CliSession) -> AsyncSpotClient:
    """A client that never starts a login: a check asks nobody anything."""
    if here.options.sandbox:
        return here.client
    from rsspot.client.async_client import AsyncSpotClient

    return AsyncSpotClient(resolved=here.resolved, cache=False, token_folder=here.token_folder)


def _probes(here: CliSession) -> httpx.AsyncBaseTransport:
    if here.options.sandbox:
        return here.client.session.transport
    from rsspot.client.factory import transport_options_of
    from rsspot.http.transport import connections_of

    return connections_of(transport_options_of(here.resolved.options))


def _lines(diagnosis: Diagnosis) -> list[str]:
    lines = [f"{diagnosis.severity:<5} {diagnosis.what:<13} {printable(diagnosis.detail)}"]
    return lines + ([f"      hint: {printable(diagnosis.hint)}"] if diagnosis.hint else [])


COMMANDS: dict[str, Any] = {"doctor": doctor}
