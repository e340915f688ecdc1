"""StateStore: access to all parts of one state.db: preferences, cached responses, history and the ledger.

    with StateStore(Path("state.db")) as state:
        state.preferences.remember("organization", "my-org", profile="default")
        print(state.ledger.runs())

Each part opens the file on first use, with its own settings. The ledger must survive a power failure. The cache and
the history must not delay a command.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rsspot.state.database import BUSY_TIMEOUT, IMPATIENT, Access, Database

if TYPE_CHECKING:
    from datetime import datetime

    from rsspot.state.history import History
    from rsspot.state.http_cache import SqliteCache
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.state.ledger.sql_database import LedgerDatabase
    from rsspot.state.ledger.sql_pruning import Pruned
    from rsspot.state.preferences import Preferences

MOST_ENTRIES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""The default limits for cached responses."""


class StateStore:
    """One state.db. With `create=False`, a missing file is not created and counts as empty.

    ledger: the URL of the ledger, if it is not in this file
    Raises StateError if the file cannot be opened or read.
    """

    def __init__(self, path: Path, *, create: bool = True, ledger: str | None = None) -> None:
        self.path = path
        self._create = create
        self._ledger_url = ledger
        self._opened: list[Any] = []

    @cached_property
    def preferences(self) -> Preferences:
        """The default profile, organization and region."""
        from rsspot.state.preferences import preferences_in

        return preferences_in(self._database())

    @cached_property
    def http_cache(self) -> SqliteCache:
        """Cached responses of the service."""
        from rsspot.state.http_cache import SqliteCache

        database = self._database(durable=False)
        return SqliteCache(database, most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES)

    @cached_property
    def history(self) -> History:
        """The commands that were run, without secrets."""
        from rsspot.state.history import History

        return History(self._database(durable=False, patience=IMPATIENT))

    @cached_property
    def ledger(self) -> Ledger:
        """The durable record of runs, owned objects and registrations."""
        from rsspot.state.ledger import open_ledger

        ledger = open_ledger(self._ledger_url or self.path, create=self._create)
        self._opened.append(ledger)
        return ledger

    def export(self) -> dict[str, Any]:
        """Export preferences and registrations as one JSON document, for another machine."""
        from rsspot.state.transfer import export_state

        return export_state(self._database())

    def import_(self, document: Any, *, replace: bool = False) -> dict[str, int]:
        """Import an exported document, all or nothing. Returns how many records of each part are new or changed."""
        from rsspot.state.transfer import import_state

        return import_state(self._database(), document, replace=replace)

    def export_ledger(self) -> dict[str, Any]:
        """Export all runs, owned objects and registrations as one JSON document."""
        from rsspot.state.ledger.document import dump_ledger
        from rsspot.state.ledger.sql_content import read_content

        return dump_ledger(read_content(self._whole(Access.READ)))

    def import_ledger(self, document: Any) -> dict[str, int]:
        """Merge an exported ledger into this one, all or nothing. Returns how many records are new or changed."""
        from rsspot.state.ledger.document import load_ledger
        from rsspot.state.ledger.sql_content import merge_content

        content = load_ledger(document)
        return merge_content(self._whole(Access.WRITE), content)

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Forget the runs that ended before a moment, except those that still matter. dry_run: only say which"""
        from rsspot.state.ledger.sql_pruning import prune

        return prune(self._whole(Access.READ if dry_run else Access.WRITE), before, dry_run=dry_run)

    def compact(self) -> int | None:
        """Give the space of deleted records back. Returns how many bytes; None while another process uses the file.

        None as well for a ledger on a server, which uses it again by itself.
        """
        database = self._whole(Access.WRITE)
        return database.compact() if isinstance(database, Database) else None

    def close(self) -> None:
        """Close all parts. Each opens again on its next use."""
        while self._opened:
            self._opened.pop().close()
        for name in ("preferences", "http_cache", "history", "ledger"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _whole(self, access: Access) -> LedgerDatabase:
        """The ledger, which is not damaged: what is missing from one would be missed by nobody."""
        from rsspot.state.ledger import open_database

        create = self._create and access is Access.WRITE
        database = open_database(self._ledger_url or self.path, create=create, reading=access is Access.READ)
        self._opened.append(database)
        return database

    def _database(
        self, *, durable: bool = True, patience: float = BUSY_TIMEOUT, access: Access | None = None
    ) -> Database:
        path = self.path if self._create or self.path.exists() else None
        # What is not to be created may be there only to be read.
        access = access or (Access.WRITE if self._create else Access.READ)
        database = Database(path, durable=durable, patience=patience, access=access)
        self._opened.append(database)
        return database
