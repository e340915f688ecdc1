"""state.db: private, durable, migrated once, and reporting a full disk."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Timer
from time import monotonic

import pytest

from rsspot.errors import StateError
from rsspot.state.database import BUSY_TIMEOUT, IMPATIENT, Database
from rsspot.state.ledger import open_ledger
from rsspot.state.migrations import MIGRATIONS

WRITERS = 20
EACH = 5
WRITER = """
import sys
from pathlib import Path
from rsspot.state.ledger.registrations import RegistrationRecord
from rsspot.state.ledger import open_ledger
ledger = open_ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    key = f"{sys.argv[2]}-{number}"
    ledger.discover(RegistrationRecord(key, "uid", "org", "group", "omni"))
ledger.close()
"""
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from rsspot.errors import StateError
from rsspot.state.ledger.registrations import RegistrationRecord
from rsspot.state.ledger import open_ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = open_ledger(Path(sys.argv[1]))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

def record(key):
    return RegistrationRecord(key, "u" * 4000, "org", "group", "omni")

ledger.discover(record("before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
kept = 0
try:
    for number in range(1000):
        ledger.discover(record(f"full-{number}"))
        kept += 1
    print("never full")
except StateError as error:
    print(type(error).__name__, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
ledger.discover(record("after"))
keys = {each.registration_key for each in ledger.registrations()}
print(keys == {"before", "after"} | {f"full-{number}" for number in range(kept)})
"""


def mode_of(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_and_its_folder_are_private(tmp_path: Path) -> None:
    """So are the files that SQLite creates next to it."""
    path = tmp_path / "new" / "state.db"
    database = Database(path)
    with database.transaction() as db:
        db.execute("DELETE FROM leases")
    assert {each.name: mode_of(each) for each in path.parent.iterdir()} == dict.fromkeys(
        ("state.db", "state.db-wal", "state.db-shm"), 0o600
    )
    assert mode_of(path.parent) == 0o700
    database.close()


def test_a_readable_file_is_made_private(tmp_path: Path) -> None:
    """Other users can no longer read it."""
    path = tmp_path / "state.db"
    path.touch(mode=0o644)
    Database(path).close()
    assert mode_of(path) == 0o600


def test_the_mode_of_a_folder_is_not_changed(tmp_path: Path) -> None:
    """The path may name a folder by mistake. With mode 0600, nobody could open it any more."""
    folder = tmp_path / "state.db"
    folder.mkdir(mode=0o755)
    with pytest.raises(StateError, match="cannot open"):
        Database(folder)
    assert mode_of(folder) == 0o755


@pytest.mark.parametrize("target_is", ["existing", "missing"])
def test_a_link_is_followed(tmp_path: Path, target_is: str) -> None:
    """To an existing file, or to one that is created."""
    target = tmp_path / "target.db"
    if target_is == "existing":
        target.touch(mode=0o644)
    (tmp_path / "state.db").symlink_to(target)
    Database(tmp_path / "state.db").close()
    assert (tmp_path / "state.db").is_symlink()
    assert mode_of(target) == 0o600


def test_a_link_to_itself_is_a_state_error(tmp_path: Path) -> None:
    """The system cannot open it."""
    (tmp_path / "state.db").symlink_to("state.db")
    with pytest.raises(StateError, match="cannot open"):
        Database(tmp_path / "state.db")


def test_opening_the_file_again_keeps_the_locks_of_this_process(tmp_path: Path) -> None:
    """POSIX drops every lock of a process on a file when the process closes any handle of it.

    Another process would then find no lock and delete the WAL while this one still uses it, which corrupts the data.
    """
    path = tmp_path / "state.db"
    ledger, cache = Database(path), Database(path, durable=False)
    with ledger.transaction() as db:
        db.execute("INSERT INTO leases (scope, holder, fence, expires_at) VALUES ('scope', 'me', 1, '')")
    subprocess.run([sys.executable, "-c", WRITER, str(path), "other", "1"], check=True, timeout=60)
    assert (tmp_path / "state.db-wal").exists()
    with cache.transaction() as db:
        db.execute("DELETE FROM leases")
    assert len(ledger.rows("SELECT * FROM registration_ledger")) == 1
    ledger.close()
    cache.close()


def test_every_commit_is_durable(tmp_path: Path) -> None:
    """WAL mode with FULL: a commit survives a power failure."""
    database = Database(tmp_path / "state.db")
    assert [row[0] for row in database.rows("PRAGMA journal_mode")] == ["wal"]
    assert [row[0] for row in database.rows("PRAGMA synchronous")] == [2]
    assert [row[0] for row in database.rows("PRAGMA foreign_keys")] == [1]
    database.close()


def test_migrations_run_once_each_and_in_order(tmp_path: Path) -> None:
    """A file with an older schema keeps its rows and gets the new columns."""
    path = tmp_path / "state.db"
    older = Database(path, ("CREATE TABLE a (x)", "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)"))
    older.close()
    newer = Database(path, ("broken", "broken", "ALTER TABLE a ADD COLUMN y DEFAULT 7"))
    assert [tuple(row) for row in newer.rows("SELECT x, y FROM a ORDER BY x")] == [(1, 7), (2, 7)]
    newer.close()


def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    """A partial migration is never committed."""
    path = tmp_path / "state.db"
    with pytest.raises(StateError):
        Database(path, ("CREATE TABLE a (x)", "CREATE TABLE b (x); nonsense"))
    database = Database(path, ("CREATE TABLE c (x)",))
    assert [row[0] for row in database.rows("SELECT name FROM sqlite_master")] == ["c"]
    database.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """The file is not changed."""
    path = tmp_path / "state.db"
    Database(path, (*MIGRATIONS, "CREATE TABLE later (x)")).close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="newer rsspot") as caught:
        open_ledger(path)
    assert caught.value.hint == "upgrade rsspot"
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be one" * 100, b"{}"])
def test_a_file_that_is_not_a_database_is_a_state_error(tmp_path: Path, content: bytes) -> None:
    """Its content is not replaced."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StateError):
        open_ledger(path)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_opened_is_a_state_error(tmp_path: Path) -> None:
    """The path is a folder, or its folder is a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "state.db"):
        with pytest.raises(StateError, match="cannot open"):
            open_ledger(path)


def test_reading_a_missing_ledger_creates_no_file(tmp_path: Path) -> None:
    """It counts as empty."""
    ledger = open_ledger(tmp_path / "state.db", create=False)
    assert ledger.runs() == []
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    """Nothing is written."""
    database = Database(tmp_path / "state.db", ("CREATE TABLE a (x)",))
    with pytest.raises(KeyError), database.transaction() as db:
        db.execute("INSERT INTO a VALUES (1)")
        raise KeyError
    assert database.rows("SELECT * FROM a") == []
    database.close()


def test_twenty_processes_lose_nothing(tmp_path: Path) -> None:
    """They also create the file at the same time."""
    path = tmp_path / "state.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, str(number), str(EACH)], stderr=subprocess.PIPE, text=True)
        for number in range(WRITERS)
    ]
    errors = [writer.communicate(timeout=90)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, errors
    ledger = open_ledger(path)
    assert len(ledger.registrations()) == WRITERS * EACH
    ledger.close()


def test_a_full_disk_is_a_state_error_until_there_is_space(tmp_path: Path) -> None:
    """Committed records are kept and failed ones are not. Writing works again once there is space."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "state.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0].startswith("StateError cannot write")
    assert "rollback" not in lines[0]
    assert lines[1] == "True"


def test_a_nested_transaction_is_part_of_the_outer_one(tmp_path: Path) -> None:
    """It is rolled back if the outer one fails, and it is visible to others only after the outer one ends."""
    database, other = (Database(tmp_path / "state.db", ("CREATE TABLE a (x)",)) for _ in range(2))
    with pytest.raises(KeyError), database.transaction() as db:
        with database.transaction() as inner:
            inner.execute("INSERT INTO a VALUES (1)")
        db.execute("INSERT INTO a VALUES (2)")
        assert len(database.rows("SELECT * FROM a")) == 2
        assert other.rows("SELECT * FROM a") == []
        raise KeyError
    assert database.rows("SELECT * FROM a") == []
    with database.transaction(), database.transaction(), database.transaction() as db:
        db.execute("INSERT INTO a VALUES (3)")
    assert [row["x"] for row in other.rows("SELECT * FROM a")] == [3]
    database.close()
    other.close()


def test_an_error_in_a_nested_transaction_rolls_back_the_outer_one(tmp_path: Path) -> None:
    """The message is about the statement that failed."""
    database = Database(tmp_path / "state.db", ("CREATE TABLE a (x UNIQUE)",))
    with pytest.raises(StateError, match="UNIQUE"), database.transaction() as db:
        db.execute("INSERT INTO a VALUES (1)")
        with database.transaction() as inner:
            inner.execute("INSERT INTO a VALUES (1)")
    assert database.rows("SELECT * FROM a") == []
    with database.transaction() as db:
        db.execute("INSERT INTO a VALUES (1)")
    database.close()


def test_threads_take_turns_on_one_connection(tmp_path: Path) -> None:
    """A transaction of one thread never joins that of another."""
    database = Database(tmp_path / "state.db", ("CREATE TABLE a (x)", "INSERT INTO a VALUES (0)"), durable=False)

    def count(number: int) -> None:
        for _ in range(20):
            with suppress(KeyError), database.transaction() as db:
                before = db.execute("SELECT x FROM a").fetchone()["x"]
                with database.transaction():
                    db.execute("UPDATE a SET x = ?", (before + 1,))
                if number % 2:
                    raise KeyError

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(count, range(10)))
    assert database.rows("SELECT x FROM a")[0]["x"] == 5 * 20
    database.close()


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_only_a_durable_database_waits_for_the_disk(tmp_path: Path, durable: bool, synchronous: int) -> None:
    """FULL for the ledger, NORMAL for the cache and the history."""
    database = Database(tmp_path / "state.db", durable=durable)
    assert database.rows("PRAGMA synchronous")[0][0] == synchronous
    database.close()


def test_opening_waits_while_another_process_creates_the_file(tmp_path: Path) -> None:
    """SQLite itself does not wait for a file that is not in WAL mode yet. This affects two first commands at once."""
    creator = sqlite3.connect(tmp_path / "state.db", isolation_level=None, check_same_thread=False)
    creator.execute("BEGIN IMMEDIATE")
    release = Timer(0.2, creator.execute, ["COMMIT"])
    release.start()
    database = Database(tmp_path / "state.db")
    assert database.rows("PRAGMA journal_mode")[0][0] == "wal"
    database.close()
    release.join()
    creator.close()


def test_an_impatient_connection_hardly_waits(tmp_path: Path) -> None:
    """Writing to the cache or the history gives up while another connection writes. Reading still works."""
    writer = Database(tmp_path / "state.db")
    other = Database(tmp_path / "state.db", patience=IMPATIENT)
    with writer.transaction():
        assert other.rows("PRAGMA busy_timeout")[0][0] == 1000 * IMPATIENT
        began = monotonic()
        with pytest.raises(StateError, match="locked"), other.transaction():
            pass
        assert monotonic() - began < BUSY_TIMEOUT
        assert other.rows("SELECT * FROM leases") == []
    with other.transaction() as db:
        db.execute("DELETE FROM leases")
    writer.close()
    other.close()


def test_foreign_writes_change_only_with_writes_of_others(tmp_path: Path) -> None:
    """The number stays the same after own writes and changes after those of another connection."""
    ours, theirs = (Database(tmp_path / "state.db", ("CREATE TABLE a (x)",)) for _ in range(2))
    before = ours.foreign_writes()
    with ours.transaction() as db:
        db.execute("INSERT INTO a VALUES (1)")
    assert ours.foreign_writes() == before
    with theirs.transaction() as db:
        db.execute("INSERT INTO a VALUES (2)")
    assert ours.foreign_writes() != before
    ours.close()
    theirs.close()


def test_using_a_closed_database_is_a_state_error(tmp_path: Path) -> None:
    """Closing it twice is allowed."""
    database = Database(tmp_path / "state.db")
    database.close()
    database.close()
    with pytest.raises(StateError):
        database.rows("SELECT 1")
    with pytest.raises(StateError), database.transaction():
        pass


def test_a_database_in_memory_creates_no_file(tmp_path: Path) -> None:
    """It has all tables, and they are empty."""
    database = Database(None)
    assert database.rows("SELECT * FROM preferences") == []
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_a_signal_during_a_commit_leaves_no_transaction_open(tmp_path: Path) -> None:
    """Otherwise all later writes would join that transaction and be lost with it."""

    class Interrupted(sqlite3.Connection):
        armed = True

        def execute(self, *arguments: object) -> sqlite3.Cursor:  # type: ignore[override]
            if arguments[0] == "COMMIT" and self.armed:
                self.armed = False
                raise KeyboardInterrupt
            return super().execute(*arguments)  # type: ignore[arg-type]

    database = Database(tmp_path / "state.db")
    database._connection.close()
    database._connection = sqlite3.connect(tmp_path / "state.db", isolation_level=None, factory=Interrupted)
    with pytest.raises(KeyboardInterrupt), database.transaction() as db:
        db.execute("INSERT INTO preferences VALUES ('first', '1', '')")
    with database.transaction() as db:
        db.execute("INSERT INTO preferences VALUES ('second', '2', '')")
    other = sqlite3.connect(tmp_path / "state.db")
    assert other.execute("SELECT key FROM preferences").fetchall() == [("second",)]
    other.close()
    database.close()
