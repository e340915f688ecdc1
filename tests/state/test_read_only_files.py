"""Files that may only be read: what is in them is read, from a copy in memory, and nothing is written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.state.database import Access, Database
from rsspot.state.failures import ERRORS, state_error
from rsspot.state.ledger import open_ledger
from rsspot.state.migrations import MIGRATIONS
from rsspot.state.read_only import connect
from support.ledgers import Runs

AS_OTHERS = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A ledger with one run, in a folder of its own."""
    path = tmp_path / "folder" / "state.db"
    with closing(Database(path, durable=False)) as database:
        Runs(database).made(1)
    yield path
    path.parent.chmod(0o700)


def test_a_copy_has_everything_and_cannot_be_written(file: Path) -> None:
    """Neither it nor the file that it was made of."""
    before = file.read_bytes()
    with closing(Database(file, access=Access.COPY)) as copy:
        assert copy.rows("SELECT command FROM runs")[0]["command"] == "apply"
        with pytest.raises(StateError, match="it is read-only"), copy.transaction():
            pass
    assert file.read_bytes() == before


def test_an_older_file_is_brought_up_to_date_in_the_copy_alone(tmp_path: Path) -> None:
    """No copy of the old file is kept either: it is the old file."""
    path = tmp_path / "state.db"
    Database(path, MIGRATIONS[:1]).close()
    with closing(Database(path, access=Access.COPY)) as copy:
        assert copy.rows("PRAGMA user_version")[0][0] == len(MIGRATIONS)
    with closing(connect(path, 0)) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == 1
    assert not list(tmp_path.glob("*.schema*"))


def test_a_copy_shows_what_is_damaged(file: Path) -> None:
    """It is made page by page."""
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(StateError, match="it is damaged"), closing(Database(file, access=Access.COPY)) as copy:
        copy.rows("SELECT * FROM runs, steps")


@AS_OTHERS
@pytest.mark.parametrize(("folder", "mode"), [(0o500, 0o600), (0o500, 0o400), (0o700, 0o400)])
def test_a_ledger_that_may_only_be_read_is_read(file: Path, folder: int, mode: int) -> None:
    """Whoever wants to write is refused at once, not after a plan was made."""
    file.chmod(mode)
    file.parent.chmod(folder)
    with closing(open_ledger(file, create=False, reading=True)) as ledger:
        assert len(ledger.runs()) == 1
    with pytest.raises(StateError, match="it is read-only") as caught:
        open_ledger(file, create=False)
    assert caught.value.hint and "back to your user" in caught.value.hint


def test_a_file_that_is_gone_is_told_before_it_is_read_or_written(file: Path) -> None:
    """What is written to a file without a name is lost when it is closed."""
    with closing(Database(file)) as database:
        file.rename(file.with_name("elsewhere.db"))
        for use in (lambda: database.rows("SELECT 1"), lambda: database.transaction().__enter__()):
            with pytest.raises(StateError, match="was deleted, moved or replaced"):
                use()
        file.with_name("elsewhere.db").rename(file)
        assert database.rows("SELECT COUNT(*) FROM runs")[0][0] == 1


def test_a_message_with_bytes_that_are_no_text_is_an_ordinary_error(file: Path) -> None:
    """SQLite quotes a name of a damaged schema."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET name = CAST(x'da2e' AS TEXT), sql = 'x' WHERE name = 'steps'")
    with pytest.raises(ERRORS) as caught:
        connect(file, 0).execute("SELECT * FROM runs")
    assert "damaged" in state_error("read", file, caught.value).message
    with pytest.raises(StateError, match="damaged"):
        open_ledger(file)
