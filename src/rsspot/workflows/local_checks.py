"""The checks of `doctor` that need no network: versions, files, settings, the ledger, the disk. Changes no file."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from rsspot.client.credentials import refresh_token_of, store_name
from rsspot.config.files import config_file, is_exposed, legacy_file, read
from rsspot.config.loader import Resolved
from rsspot.constants import VERSION
from rsspot.errors import ConfigError, RsspotError, StateError
from rsspot.http.certificates import VARIABLES, tls_settings
from rsspot.state.failures import AWAY
from rsspot.state.first_release import own_file
from rsspot.state.health import NEWEST_SCHEMA, StateHealth, examine
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Lease
from rsspot.state.store import MOST_BYTES
from rsspot.state.verification import Weight, verify, verify_at
from rsspot.utils.clock import stamp
from rsspot.utils.database_url import shown_url
from rsspot.utils.files import others_can_read
from rsspot.workflows.diagnosis import Diagnosis, fail, ok, warn
from rsspot.workflows.locks import LockState, state_of

SEE_SETTINGS = "see `rsspot config explain`"
PLACES = {"file": "the settings", "keyring": "the keyring", "command": "the credential command"}
"""Store -> where its token is, in a message."""


def versions() -> Diagnosis:
    """What is installed, for a report of a problem."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("httpx", "pydantic", "typer"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return ok("versions", f"rsspot {VERSION}, {python}, SQLite {sqlite3.sqlite_version}, {libraries}")


def config(environ: Mapping[str, str], config_path: Path | None) -> Iterator[Diagnosis]:
    """The config file: found, valid, and private if a token is in it."""
    try:
        path = config_file(environ, config_path) or legacy_file(environ)
        if path is None:
            yield ok("config", "no file; settings come from the environment, and from defaults")
            return
        file = read(path)
    except ConfigError as error:
        yield fail("config", error, "correct the file, or write one with `rsspot configure`")
        return
    names = ", ".join(sorted(file.profiles)) or "none"
    yield ok("config", f"{path} (profiles: {names})")
    if is_exposed(path, file):
        yield warn("config mode", f"others can read {path}, and it holds a token", f"chmod 600 {path}")


def settings(resolved: Resolved) -> Diagnosis:
    """The profile in use, and whether its settings are valid."""
    try:
        options = resolved.options
    except ConfigError as error:
        return fail("settings", error, SEE_SETTINGS)
    organization = resolved.get("organization") or "that of the token"
    where = f", region {options.region}" if options.region else ""
    return ok("settings", f"profile {resolved.profile}, organization {organization}{where}")


def credential(resolved: Resolved) -> Diagnosis:
    """Where the token comes from. Whether it works, only the service knows."""
    for name in ("refresh_token", "access_token"):
        if setting := resolved.settings.get(name):
            return ok("token", f"{name.replace('_', ' ')} from {setting.source}")
    hint = "run `rsspot login`, set RSSPOT_REFRESH_TOKEN, or try commands with --sandbox"
    place = PLACES[store_name(resolved.options)]
    try:
        found = refresh_token_of(resolved)
    except RsspotError as error:
        return fail("token", error, hint)
    if found is None:
        return fail("token", f"no token for profile {resolved.profile!r} in {place}", hint)
    return ok("token", f"refresh token from {place}")


def network_settings(resolved: Resolved) -> Iterator[Diagnosis]:
    """The proxy, without its password, and the certificates that are trusted."""
    proxy, source = resolved.explain()["proxy"]
    direct = resolved.get("no_proxy")
    without = f"; without it: {direct}" if direct else ""
    yield ok("proxy", f"{proxy} from {source}{without}" if proxy else "none")
    if not resolved.options.verify_ssl:
        source = resolved.explain()["verify_ssl"][1]
        hint = "let SSL_CERT_FILE name the certificates to trust, and remove the setting"
        yield warn("certificates", f"not checked (verify_ssl from {source}): others on the way can read tokens", hint)
        return
    named = next((f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name)), "those of the system")
    try:
        tls_settings("https")
    except ConfigError as error:
        yield fail("certificates", error, "unset the variable")
    else:
        yield ok("certificates", named)


def ledger(path: Path, now: datetime) -> Iterator[Diagnosis]:
    """The state.db: intact, of a version that can be read, and not left locked."""
    path = own_file(path)
    if not path.exists():
        yield ok("ledger", f"{path} is not there yet; the first apply makes it")
        return
    try:
        health = examine(path)
    except StateError as error:
        yield fail("ledger", error, AWAY)
        return
    yield _state(path, health)
    if health.usable:
        yield from _records(path)
    yield from _locks(health, now)
    if others_can_read(path):
        yield warn("ledger mode", f"others can read {path}", f"chmod 600 {path}")


def shared_ledger(url: str | None, now: datetime) -> Iterator[Diagnosis]:
    """A ledger on a server: within reach, of a version that can be read, and not left locked."""
    name = shown_url(str(url))
    wrong = [finding for finding in verify_at(str(url)) if finding.weight is Weight.ERROR]
    if wrong:
        yield fail("ledger", f"{wrong[0].what}: {wrong[0].message}", wrong[0].hint)
        return
    yield ok("ledger", f"{name} can be reached and read")
    with closing(open_ledger(str(url), create=False, reading=True)) as ledger:
        yield from _held(ledger.leases(), ledger.time(now))


def _state(path: Path, health: StateHealth) -> Diagnosis:
    if health.damage:
        return fail("ledger", f"{path} is damaged: {health.damage}", AWAY)
    if health.schema > NEWEST_SCHEMA:
        return fail("ledger", f"{path} was written by a newer rsspot (schema {health.schema})", "upgrade rsspot")
    if not health.ours:
        return warn("ledger", f"{path} holds no ledger", "the next apply makes one in it")
    if health.schema < NEWEST_SCHEMA:
        hint = "the next command brings it up to date and keeps a copy"
        return warn("ledger", f"{path} is of an older rsspot (schema {health.schema} of {NEWEST_SCHEMA})", hint)
    return ok("ledger", f"{path} is intact (schema {health.schema})")


def _records(path: Path) -> Iterator[Diagnosis]:
    wrong = [finding for finding in verify(path) if finding.weight is Weight.ERROR]
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        yield fail("records", f"{wrong[0].what}: {wrong[0].message}{more}", "`rsspot ledger verify` lists them all")


def _locks(health: StateHealth, now: datetime) -> Iterator[Diagnosis]:
    yield from _held(health.leases, now)
    if health.unfinished and not health.leases:
        runs = ", ".join(map(str, health.unfinished))
        yield warn("runs", f"not finished: {runs}", "the next apply of the stack finds out what became of them")


def _held(leases: Iterable[Lease], now: datetime) -> Iterator[Diagnosis]:
    for lease in leases:
        holder = f"{lease.scope}: process {lease.holder.pid} on {lease.holder.host}"
        match state_of(lease, now):
            case LockState.HELD:
                message = f"{lease.scope} is held by {lease.holder.name}: {lease.reason}"
                yield warn("lock", message, f"when nobody needs that any more: rsspot lock break {lease.fence}")
            case LockState.RUNNING:
                hint = "wait for it; another apply of the same stack is refused until then"
                yield warn("lock", f"{holder} is applying, or was killed; until {stamp(lease.expires_at)}", hint)
            case _:
                yield warn("lock", f"{holder} ended without releasing it", "the next apply takes it over")


def disk(path: Path) -> Diagnosis:
    """Room for state.db, in the folder that it is in, or will be."""
    folder = next(each for each in (path.parent, *path.parent.parents) if each.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return fail("disk", f"{folder} cannot be written", "give it back to your user, or set RSSPOT_STATE_PATH")
    free = shutil.disk_usage(folder).free
    room = f"{free // 2**20} MiB free in {folder}"
    if free < MOST_BYTES:
        return warn("disk", room, "make room: an apply stops when the ledger cannot be written")
    return ok("disk", room)
