"""KeyedStateStore: state.db by keys and dictionaries, as `get_preference`, `cache_set` and `registration_upsert`."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from rsspot.state.history import MAX_COMMANDS, HistoryEntry
from rsspot.state.http_cache import SqliteCache
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.preferences import RECORDS
from rsspot.state.sqlite_store import SqliteStore
from rsspot.state.store import MOST_BYTES, StateStore
from rsspot.utils.clock import stamp, utc_now

IN_MEMORY = Path(os.devnull) / "memory"
"""A path at which there can be no file."""
PREFERENCES = {"default_profile": "profile", "default_org": "organization", "default_region": "region"}
OWNER = "program"
"""Whom cached texts belong to: the program that stored them, not an account of the service."""


class KeyedStateStore(StateStore):
    """One state.db; without a path, one in memory. profile: whose default organization and region are meant."""

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        create: bool = True,
        profile: str = "default",
        ledger: str | None = None,
    ) -> None:
        super().__init__(Path(path) if path else IN_MEMORY, create=create and bool(path), ledger=ledger)
        self._profile = profile

    def get_preference(self, key: str) -> str | None:
        """A default that is remembered, or a value that was stored under another key."""
        if (name := PREFERENCES.get(key)) is None:
            return self._values.get(key)
        return self.preferences.of(self._whose(name)).get(name)

    def set_preference(self, key: str, value: str) -> None:
        """Remember a default, or store a value under any other key."""
        if (name := PREFERENCES.get(key)) is None:
            self._values.put(key, value)
        else:
            self.preferences.remember(name, value, self._whose(name))

    def get_json_preference(self, key: str) -> dict[str, str]:
        """A mapping that was stored; empty if there is none."""
        value = json.loads(self.get_preference(key) or "{}")
        return {str(name): str(each) for name, each in value.items()} if isinstance(value, dict) else {}

    def set_json_preference(self, key: str, value: Mapping[str, str]) -> None:
        """Store a mapping."""
        self.set_preference(key, json.dumps(dict(value), sort_keys=True))

    def _whose(self, name: str) -> str | None:
        return None if name == "profile" else self._profile

    @cached_property
    def _values(self) -> SqliteStore[str]:
        return SqliteStore(self._database(), "preferences", RECORDS)

    def close(self) -> None:
        """Close all parts. Each opens again on its next use."""
        super().close()
        self.__dict__.pop("_values", None)

    def cache_get(self, key: str) -> str | None:
        """A text that has not expired, or None."""
        found = self.http_cache.get(OWNER, key, "", time.time())
        return found[0].decode() if found else None

    def cache_set(self, key: str, payload: str, ttl_seconds: float) -> None:
        """Store a text for some seconds."""
        now = time.time()
        self.http_cache.put(OWNER, key, "", payload.encode(), now=now, expires_at=now + ttl_seconds)

    def cache_invalidate_prefixes(self, prefixes: Sequence[str]) -> None:
        """Delete the texts whose keys begin with one of these."""
        for prefix in prefixes:
            self.http_cache.drop_beginning(OWNER, prefix)

    def cache_gc(self) -> int:
        """Delete what has expired. Returns how much that was."""
        return self.http_cache.drop_expired(time.time())

    def cache_prune_to_limit(self, max_entries: int) -> None:
        """Delete the oldest responses and texts, until there are only so many."""
        with closing(SqliteCache(self._database(), most_entries=max_entries, most_bytes=MOST_BYTES)) as cache:
            cache.tidy(time.time())

    def history_add(
        self,
        *,
        command: str,
        argv: Sequence[str] = (),
        profile: str | None = None,
        org: str | None = None,
        region: str | None = None,
        max_entries: int = MAX_COMMANDS,
    ) -> None:
        """Add a command, without secrets. Its words are those of `command`; organization and region are not kept."""
        self.history.add(HistoryEntry(stamp(utc_now()), command, profile, 0, 0.0))

    def history_list(self, *, limit: int = 100) -> list[dict[str, str | int | float | None]]:
        """The latest commands, newest first."""
        newest = self.history.entries(limit)
        return [
            {
                "id": number,
                "created_at": _seconds(entry.started_at),
                "command": entry.command,
                "argv_json": json.dumps(_words(entry.command)),
                "profile": entry.profile,
                "org": None,
                "region": None,
            }
            for number, entry in zip(range(self.history_count(), 0, -1), newest, strict=False)
        ]

    def history_count(self) -> int:
        """How many commands there are."""
        return len(self.history.entries())

    def history_clear(self) -> None:
        """Delete all commands."""
        self.history.clear()

    def history_suggest(self, prefix: str, *, limit: int = 20) -> list[str]:
        """The latest different commands that begin with these words."""
        commands = (entry.command for entry in self.history.entries())
        return list(dict.fromkeys(each for each in commands if each.startswith(prefix.strip())))[:limit]

    def registration_upsert(
        self,
        registration_key: str,
        *,
        vm_uid: str,
        status: str,
        token_expires_at: float | None = None,
        **facts: Any,
    ) -> None:
        """Store what is known of a machine's registration. What is not given, or None, stays as it was.

        A status that the machine has left behind does not come back.
        """
        given = {name: value for name, value in facts.items() if value is not None}
        if token_expires_at is not None:
            given["token_expires_at"] = stamp(datetime.fromtimestamp(token_expires_at, UTC))
        self.ledger.learn(registration_key, {**given, "vm_uid": vm_uid, "status": RegistrationStatus(status)})

    def registration_get(self, registration_key: str) -> dict[str, Any] | None:
        """What is known of a machine's registration; times in seconds since 1970."""
        record = self.ledger.registration(registration_key)
        return row_of(record) if record else None

    def registration_list(self, *, status: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """The registrations, those changed last first."""
        records = [each for each in self.ledger.registrations() if status in (None, each.status.value)]
        return [row_of(each) for each in sorted(records, key=lambda each: each.updated_at or "", reverse=True)[:limit]]


def row_of(record: RegistrationRecord) -> dict[str, Any]:
    """A record as a dictionary, with times in seconds since 1970."""
    row = {name: value or None for name, value in asdict(record).items() if not name.startswith("claimed_")}
    times = {name: _seconds(row[name]) for name in ("token_expires_at", "updated_at")}
    return row | times | {"status": record.status.value}


def _seconds(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
