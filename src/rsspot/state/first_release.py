"""state.db of the SDK's first releases (0.1 to 0.3): recognizes and reads it, and never changes it.

Its tables have the names of ours and other columns, so both programs could not use one file. Ours is then beside it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rsspot.state.failures import ERRORS, state_error
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, registration_key
from rsspot.state.read_only import connect
from rsspot.utils.clock import exact_stamp

PATIENCE = 5.0
"""Seconds to wait while another process writes the file."""
RECOGNIZE = """
    SELECT 1 FROM pragma_user_version JOIN pragma_table_info('preferences') WHERE user_version = 0 AND name = 'value'
"""
"""Asked of SQLite, since opening and closing the file otherwise would drop this process's locks on it."""
PREFERENCES = {"default_profile": "profile", "default_org": "organization", "default_region": "region"}
"""The name of each default there -> ours. There, an organization and a region apply to all profiles."""


def is_first_release(path: Path) -> bool:
    """Whether a file is a state.db of a first release."""
    if not path.is_file():
        return False
    try:
        return bool(_rows(path, RECOGNIZE))
    except ERRORS:
        return False


def beside(path: Path) -> Path:
    """Our file, where another program's is at this path."""
    return path.with_name(f"{path.stem}-next{path.suffix}")


def own_file(path: Path) -> Path:
    """The file that ours is in, if state.db is at this path."""
    return beside(path) if is_first_release(path) else path


def preferences(path: Path) -> dict[str, str]:
    """The defaults in the file, by our names. Raises StateError."""
    rows = _read(path, "SELECT key, value FROM preferences")
    return {PREFERENCES[row["key"]]: str(row["value"]) for row in rows if row["key"] in PREFERENCES and row["value"]}


def registrations(path: Path, after: float) -> list[tuple[float, RegistrationRecord]]:
    """The registrations that were changed after a moment, each with the moment of its change. Raises StateError."""
    rows = _read(path, "SELECT * FROM registration_ledger WHERE updated_at > ? ORDER BY updated_at", after)
    return [(float(row["updated_at"]), _record(dict(row))) for row in rows]


def _read(path: Path, query: str, *parameters: object) -> list[sqlite3.Row]:
    try:
        return _rows(path, query, *parameters)
    except ERRORS as error:
        raise state_error("read", path, error) from None


def _rows(path: Path, query: str, *parameters: object) -> list[sqlite3.Row]:
    with closing(connect(path, PATIENCE)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query, parameters).fetchall()


def _record(row: dict[str, Any]) -> RegistrationRecord:
    """A registration as ours. Without an organization it keeps its key, since ours cannot be derived."""
    organization = (row["org_id"] or "").lower().replace("_", "-")
    group = row["vmcloudspace"] or ""
    status, error = _status(row["status"])
    return RegistrationRecord(
        registration_key=registration_key(organization, group, row["vm_uid"])
        if organization and group
        else row["registration_key"],
        vm_uid=row["vm_uid"],
        org_id=organization,
        vmcloudspace=group,
        omni_cluster=row["omni_cluster"] or "",
        vmpool=row["vmpool"],
        vm_name=row["vm_name"],
        token_id=row["token_id"],
        token_expires_at=_stamp(row["token_expires_at"]),
        status=status,
        last_error=error or row["last_error"],
        payload=_payload(row["payload_json"]),
        updated_at=_stamp(row["updated_at"]),
    )


def _status(name: str) -> tuple[RegistrationStatus, str | None]:
    try:
        return RegistrationStatus(name), None
    except ValueError:
        return RegistrationStatus.FAILED, f"had the unknown status {name!r}"


def _stamp(seconds: float | None) -> str | None:
    return None if seconds is None else exact_stamp(datetime.fromtimestamp(seconds, UTC))


def _payload(text: str | None) -> dict[str, Any]:
    try:
        payload = json.loads(text or "{}")
    except ValueError:
        return {}
    return dict(payload) if isinstance(payload, Mapping) else {}
