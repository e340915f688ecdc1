"""The history of commands: newest first, bounded, and forgotten on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.state.database import Database
from rsspot.state.history import MOST, History, HistoryEntry


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state.db."""
    opened = Database(tmp_path / "state.db", durable=False)
    yield opened
    opened.close()


def entry(number: int) -> HistoryEntry:
    """A command."""
    return HistoryEntry(
        f"2026-01-01T00:00:{number % 60:02}Z", f"rsspot get {number}", None if number % 2 else "work", number % 12, 0.5
    )


def test_commands_are_told_newest_first_and_as_they_were(database: Database) -> None:
    """In the order they were noted, whatever their clocks said."""
    history = History(database)
    for number in (3, 1, 2):
        history.add(entry(number))
    assert history.entries() == [entry(2), entry(1), entry(3)]
    assert history.entries(limit=1) == [entry(2)]
    assert history.entries(limit=0) == []


def test_only_the_last_ones_are_kept(database: Database) -> None:
    """Exactly as many as are promised; the oldest go."""
    history = History(database)
    with database.transaction():
        for number in range(MOST + 7):
            history.add(entry(number))
    kept = history.entries()
    assert len(kept) == MOST == len(history.entries(limit=MOST * 2))
    assert (kept[0], kept[-1]) == (entry(MOST + 6), entry(7))


def test_clearing_says_how_many_there_were_and_starts_anew(database: Database) -> None:
    """Also with the bound."""
    history = History(database)
    with database.transaction():
        for number in range(5):
            history.add(entry(number))
    assert (history.clear(), history.clear(), history.entries()) == (5, 0, [])
    history.add(entry(9))
    assert history.entries() == [entry(9)]


def test_a_command_is_kept_as_it_is(database: Database) -> None:
    """Quotes, line breaks and SQL are only text."""
    strange = HistoryEntry("2026-01-01T00:00:00Z", "x'); DROP TABLE command_history;--\n\t😀", "p'", 0, 1e-9)
    History(database).add(strange)
    assert History(database).entries() == [strange]
