"""doctor: what keeps rsspot from working here, from the config file to the permissions. Changes nothing.

Every check works alone, so that a broken config file does not hide a damaged ledger. What needs something that is
broken is left out, since it could only repeat the same problem.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.errors import RsspotError
from rsspot.settings import home
from rsspot.state.ledger import is_on_server
from rsspot.state.ledger.sqlite import file_of
from rsspot.utils.clock import Clock
from rsspot.wire import httpx
from rsspot.workflows import local_checks, remote_checks
from rsspot.workflows.diagnosis import Diagnosis, Severity, fail


@dataclass(frozen=True)
class Setup:
    """What is examined. The functions raise RsspotError where the setup is broken.

    probes: the connections for requests without a credential
    """

    environ: Mapping[str, str]
    config_path: Path | None
    resolve: Callable[[], Resolved]
    state_path: Callable[[], Path]
    client: Callable[[], AsyncSpotClient]
    probes: Callable[[], httpx.AsyncBaseTransport]
    clock: Clock
    ledger_url: Callable[[], str | None] = lambda: None
    """URL of the ledger; None if it is in state.db."""
    sandbox: bool = False
    """Whether there is no account: no config file is read, and no network is used."""


async def examine(setup: Setup) -> list[Diagnosis]:
    """Every diagnosis, in the order in which to put things right."""
    diagnoses = [local_checks.versions()]
    if not setup.sandbox:
        diagnoses += local_checks.config(setup.environ, setup.config_path)
    diagnoses += _of_state(setup)
    try:
        resolved = setup.resolve()
    except RsspotError as error:
        # A problem of the config file has been reported.
        told = any(each.detail == error.message for each in diagnoses)
        return diagnoses if told else [*diagnoses, fail("settings", error, local_checks.SEE_SETTINGS)]
    settings = local_checks.settings(resolved)
    diagnoses.append(settings)
    if settings.severity is Severity.FAIL:
        return diagnoses
    diagnoses.append(local_checks.credential(resolved))
    if not setup.sandbox:
        diagnoses += local_checks.network_settings(resolved)
    return diagnoses + await _of_service(setup, resolved)


def is_healthy(diagnoses: list[Diagnosis]) -> bool:
    """Whether commands work."""
    return all(each.severity is not Severity.FAIL for each in diagnoses)


def _of_state(setup: Setup) -> list[Diagnosis]:
    try:
        path = setup.state_path()
    except RsspotError:
        # The config file may name another place, but it is usually beside it.
        folder = setup.config_path.parent if setup.config_path else home(setup.environ)
        path = folder / "state.db"
    return [*_of_ledger(setup, path), local_checks.disk(path)]


def _of_ledger(setup: Setup, path: Path) -> list[Diagnosis]:
    try:
        url = setup.ledger_url()
    except RsspotError:
        # A problem of the config file has been reported.
        url = None
    now = setup.clock.now()
    check = local_checks.shared_ledger(url, now) if is_on_server(url) else local_checks.ledger(_file(url, path), now)
    return [*check]


def _file(url: str | None, state: Path) -> Path:
    return file_of(url) if url else state


async def _of_service(setup: Setup, resolved: Resolved) -> list[Diagnosis]:
    """The diagnoses that need the network. Without an answer of the service there is no more to ask."""
    try:
        probes = setup.probes()
    except RsspotError as error:
        return [fail("network", error, local_checks.SEE_SETTINGS)]
    sites = remote_checks.sites_of(resolved.options)
    try:
        reached = await asyncio.gather(*(remote_checks.reach(site, probes, setup.clock) for site in sites))
    finally:
        await probes.aclose()
    diagnoses = [each.diagnosis for each in reached]
    service, login, _ = reached
    if service.answered:
        diagnoses.append(remote_checks.skew(service.date, setup.clock.now()))
    return diagnoses + await _of_account(setup) if service.answered and login.answered else diagnoses


async def _of_account(setup: Setup) -> list[Diagnosis]:
    try:
        client = setup.client()
    except RsspotError:
        # Without a token. This has been reported.
        return []
    try:
        diagnoses = [await remote_checks.identity(client)]
        if is_healthy(diagnoses):
            diagnoses.append(await remote_checks.organization(client))
        return diagnoses + await remote_checks.permissions(client) if is_healthy(diagnoses) else diagnoses
    finally:
        await client.aclose()
