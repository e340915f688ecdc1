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

from rsspot.state.database import BUSY_TIMEOUT, IMPATIENT, Database

if TYPE_CHECKING:
    from rsspot.state.history import History
    from rsspot.state.http_cache import SqliteCache
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.state.preferences import Preferences

MOST_ENTRIES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""The default limits for cached responses."""


class StateStore:
    """One state.db. With `create=False`, a missing file is not created and counts as empty.

    Raises StateError if the file cannot be opened or read.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._create = create
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

        ledger = open_ledger(self.path, create=self._create)
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

    def _database(self, *, durable: bool = True, patience: float = BUSY_TIMEOUT) -> Database:
        path = self.path if self._create or self.path.is_file() else None
        database = Database(path, durable=durable, patience=patience)
        self._opened.append(database)
        return database
