"""The tables of a ledger on a server: the same as in a file, made once, and used with few privileges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rsspot.errors import ConfigError, StateError
from rsspot.state.database import Database
from rsspot.state.ledger import open_database, open_ledger
from rsspot.state.ledger.copying import TABLES
from rsspot.state.ledger.postgres_queries import translated, values
from rsspot.state.ledger.protocol import Holder
from rsspot.state.ledger.sql_pruning import prune
from support.ledgers import Runs
from support.postgres import shared_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = re.compile(r"<!-- roles: begin -->\n```sql\n(.*?)```", re.DOTALL)
TEAMS = Path(__file__).parents[2] / "docs" / "teams.md"
COLUMNS = """
    SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns
    WHERE table_schema = 'rsspot' AND column_name <> 'rowid'
"""


def test_both_databases_have_the_same_columns() -> None:
    """Of the same name, and empty in the same places."""
    open_ledger(shared_server().fresh()).close()
    on_server = {tuple(row) for row in shared_server().execute(COLUMNS, database="ledger")}
    with closing(Database(None)) as file:
        in_file = {
            (table, row["name"], not row["notnull"] and not row["pk"])
            for table in TABLES
            for row in file.rows(f"PRAGMA table_info('{table}')")
        }
    assert in_file == {each for each in on_server if each[0] not in ("about", "writers")}


def test_many_that_come_first_make_the_tables_once() -> None:
    """All can use them."""
    url = shared_server().fresh()
    with ThreadPoolExecutor(6) as threads:
        for ledger in threads.map(lambda _: open_ledger(url), range(6)):
            assert ledger.runs() == []
            ledger.close()


def test_a_ledger_of_a_newer_rsspot_is_left_alone() -> None:
    """Whatever it is opened for."""
    url = shared_server().fresh()
    open_ledger(url).close()
    shared_server().execute("UPDATE rsspot.about SET version = 99", database="ledger")
    for reading in (True, False):
        with pytest.raises(StateError, match=r"was written by a newer rsspot \(schema 99\)"):
            open_ledger(url, reading=reading)


def test_what_must_not_be_created_is_not() -> None:
    """A plan against a database without a ledger leaves it as it is."""
    url = shared_server().fresh()
    with closing(open_ledger(url, create=False, reading=True)) as ledger:
        assert ledger.runs() == []
    assert shared_server().execute(COLUMNS, database="ledger") == []


@pytest.fixture
def roles() -> Iterator[None]:
    """The roles of the documentation, as it makes them."""
    server = shared_server()
    open_ledger(server.fresh()).close()
    found = ROLES.search(TEAMS.read_text())
    assert found is not None
    server.execute(found[1], database="ledger")
    yield
    server.execute("DROP SCHEMA rsspot CASCADE", "DROP ROLE runner", "DROP ROLE reader", database="ledger")


def test_a_runner_can_do_all_that_an_apply_does(roles: None) -> None:
    """And prune; it cannot change a table."""
    url = shared_server().url("ledger", user="runner")
    with closing(open_database(url)) as database:
        runs = Runs(database)
        runs.made(1, 2)
        runs.made(2, verb="delete")
        runs.left_open(3)
        runs.register()
        prune(database, NOW)
        assert len(runs.ledger.runs()) == 3
        with pytest.raises(StateError, match="the user lacks a privilege"), database.transaction() as db:
            db.execute("ALTER TABLE runs ADD COLUMN more TEXT")


def test_a_reader_reads_and_is_refused_before_anything_is_planned(roles: None) -> None:
    """It neither holds a lease nor makes a record."""
    url = shared_server().url("ledger", user="reader")
    with closing(open_ledger(url, reading=True)) as ledger:
        assert ledger.runs() == []
        with pytest.raises(StateError, match="the user lacks a privilege"):
            ledger.acquire("scope", Holder("one", "here", 1), NOW, 60)
    with pytest.raises(StateError, match="the user lacks a privilege"):
        open_ledger(url)


def test_who_may_not_migrate_says_who_should(roles: None) -> None:
    """The owner does it."""
    shared_server().execute("UPDATE rsspot.about SET version = 0", database="ledger")
    with pytest.raises(StateError, match="is not up to date, and this user may not change its tables") as caught:
        open_ledger(shared_server().url("ledger", user="runner"))
    assert "rsspot ledger migrate" in str(caught.value.hint)


def test_a_query_is_the_same_in_both_notations() -> None:
    """What is in quotes stays as it is."""
    assert translated("a = ? AND b LIKE '%?' AND c = :c") == "a = %s AND b LIKE '%%?' AND c = %(c)s"
    assert values({"a": "x\0y", "b": 1}) == {"a": "x\N{SYMBOL FOR NULL}y", "b": 1}
    with pytest.raises(OverflowError):
        values([2**63])


SECRET = "s3cret-pass"
LEAKS = {
    "a wrong password": "postgresql://strict:{0}@/ledger?host={1}",
    "in the query": "postgresql://strict@/ledger?host={1}&password={0}",
    "no such server": "postgresql://u:{0}@127.0.0.1:1/x?connect_timeout=1",
    "no such host": "postgresql://u:{0}@nowhere.invalid/x",
    "an at sign in it": "postgresql://u:{0}@rest@127.0.0.1:1/x",
    "a slash in it": "postgresql://u:x/{0}@127.0.0.1/x",
    "a hash in it": "postgresql://u:x#{0}@127.0.0.1/x",
    "a question mark in it": "postgresql://u:x?{0}@127.0.0.1/x",
    "a colon for a port": "postgresql://u@127.0.0.1:{0}/x",
    "an at sign in a query": "postgresql://127.0.0.1?password={0}@x",
    "a bad escape": "postgresql://u:%zz{0}@127.0.0.1/x",
    "an unknown parameter": "postgresql://u@127.0.0.1/x?passwort={0}",
    "a bad parameter": "postgresql://u:{0}@127.0.0.1/x?sslmode={0}",
}


@pytest.mark.parametrize("how", LEAKS)
def test_a_password_is_in_no_error(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in its hint, nor in what it was raised from."""
    monkeypatch.setenv("PGPASSWORD", f"{SECRET}-2")
    server = shared_server()
    server.fresh()
    server.execute("DROP ROLE IF EXISTS strict", "CREATE ROLE strict LOGIN PASSWORD 'right'")
    with pytest.raises((StateError, ConfigError)) as caught:
        open_ledger(LEAKS[how].format(SECRET, server.folder))
    error = caught.value
    assert SECRET not in f"{error} {error.hint} {error!r}"
    assert error.__suppress_context__ or error.__context__ is None


def test_a_right_password_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the URL, percent-encoded, or by PGPASSWORD."""
    server = shared_server()
    server.fresh()
    server.execute("DROP ROLE IF EXISTS strict", "CREATE ROLE strict LOGIN SUPERUSER PASSWORD 'r@/:?#t'")
    open_ledger(f"postgresql://strict:r%40%2F%3A%3F%23t@/ledger?host={server.folder}").close()
    monkeypatch.setenv("PGPASSWORD", "r@/:?#t")
    open_ledger(f"postgresql://strict@/ledger?host={server.folder}").close()
    server.execute("DROP SCHEMA rsspot CASCADE", "DROP ROLE strict", database="ledger")
