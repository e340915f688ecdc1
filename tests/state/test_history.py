"""The command history: newest first, limited in size, and cleared on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.state.database import Database
from rsspot.state.history import MAX_COMMANDS, History, HistoryEntry


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state.db."""
    opened = Database(tmp_path / "state.db", durable=False)
    yield opened
    opened.close()


def entry(number: int) -> HistoryEntry:
    """A history entry."""
    return HistoryEntry(
        f"2026-01-01T00:00:{number % 60:02}Z", f"rsspot get {number}", None if number % 2 else "work", number % 12, 0.5
    )


def test_commands_are_listed_newest_first_and_unchanged(database: Database) -> None:
    """The order of adding counts, not the start times."""
    history = History(database)
    for number in (3, 1, 2):
        history.add(entry(number))
    assert history.entries() == [entry(2), entry(1), entry(3)]
    assert history.entries(limit=1) == [entry(2)]
    assert history.entries(limit=0) == []


def test_only_the_newest_commands_are_kept(database: Database) -> None:
    """Exactly MAX_COMMANDS of them. The oldest are deleted."""
    history = History(database)
    with database.transaction():
        for number in range(MAX_COMMANDS + 7):
            history.add(entry(number))
    kept = history.entries()
    assert len(kept) == MAX_COMMANDS == len(history.entries(limit=MAX_COMMANDS * 2))
    assert (kept[0], kept[-1]) == (entry(MAX_COMMANDS + 6), entry(7))


def test_clear_deletes_all_commands_and_returns_their_number(database: Database) -> None:
    """New commands can be added afterwards."""
    history = History(database)
    with database.transaction():
        for number in range(5):
            history.add(entry(number))
    assert (history.clear(), history.clear(), history.entries()) == (5, 0, [])
    history.add(entry(9))
    assert history.entries() == [entry(9)]


def test_a_command_is_stored_unchanged(database: Database) -> None:
    """Quotes, line breaks and SQL are plain text."""
    special = HistoryEntry("2026-01-01T00:00:00Z", "x'); DROP TABLE command_history;--\n\t😀", "p'", 0, 1e-9)
    History(database).add(special)
    assert History(database).entries() == [special]


def test_the_number_of_commands_is_known(database: Database) -> None:
    """Without reading them."""
    history = History(database)
    assert history.count() == 0
    for number in range(3):
        history.add(entry(number))
    assert history.count() == 3
