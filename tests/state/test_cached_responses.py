"""The response cache in state.db: expiry, separate owners, dropping by path, and size limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.state.database import Database
from rsspot.state.http_cache import TIDY_EVERY, SqliteCache

SIBLINGS = (
    *("/a/b", "/a/b/", "/a/b/c", "/a/b/c/d", "/a/b/%", "/a/b/😀"),
    *("/a/bc", "/a/b.c", "/a/b0", "/a/b-", "/a", "/a/", "/A/B/c", "/a/B/c", "/a%b", "/a_b", "/aXb/c", "/"),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state.db that need not survive a power failure."""
    opened = Database(tmp_path / "state.db", durable=False)
    yield opened
    opened.close()


@pytest.fixture
def cache(database: Database) -> SqliteCache:
    """A cache whose limits are not reached."""
    return SqliteCache(database, most_entries=1000, most_bytes=10_000)


def paths(database: Database, owner: str = "me") -> set[str]:
    """The paths that an owner has responses for."""
    return {row["path"] for row in database.rows("SELECT path FROM http_cache WHERE owner = ? AND query <> '#'", owner)}


def test_a_response_is_returned_until_it_expires(cache: SqliteCache) -> None:
    """It expires exactly on time, and its bytes are unchanged."""
    cache.put("me", "/a", "q=1", b"\x00\xff body", now=100, expires_at=160.5)
    assert cache.get("me", "/a", "q=1", 160.4) == (b"\x00\xff body", 160.5)
    assert cache.get("me", "/a", "q=1", 160.5) is None
    assert cache.get("me", "/a", "", 100) is cache.get("me", "/a/", "q=1", 100) is None


def test_a_new_response_replaces_the_old_one(cache: SqliteCache, database: Database) -> None:
    """Also if the new one expires earlier."""
    cache.put("me", "/a", "", b"old", now=1, expires_at=100)
    cache.put("me", "/a", "", b"", now=2, expires_at=50)
    assert cache.get("me", "/a", "", 10) == (b"", 50)
    assert len(database.rows("SELECT * FROM http_cache")) == 1


def test_responses_of_owners_are_separate(cache: SqliteCache, database: Database) -> None:
    """An owner can neither read nor drop the responses of another."""
    for owner in ("me", "you", "m", "ME", "%"):
        cache.put(owner, "/a", "", owner.encode(), now=0, expires_at=100)
    assert cache.get("you", "/a", "", 1) == (b"you", 100)
    assert cache.get("nobody", "/a", "", 1) is None
    cache.drop("me", "/a")
    cache.drop("%", "/a")
    assert [owner for owner in ("me", "you", "m", "ME", "%") if paths(database, owner)] == ["you", "m", "ME"]


def test_dropping_a_path_drops_everything_below_it_and_no_sibling(cache: SqliteCache, database: Database) -> None:
    """Paths are case-sensitive, and `/a/bc` is not below `/a/b`."""
    for path in SIBLINGS:
        cache.put("me", path, "", b"", now=0, expires_at=100)
        cache.put("me", path, "page=2", b"", now=0, expires_at=100)
    cache.drop("me", "/a/b")
    assert paths(database) == {path for path in SIBLINGS if path != "/a/b" and not path.startswith("/a/b/")}


@pytest.mark.parametrize(
    ("prefix", "other"),
    [("/o_g", "/org"), ("/o%", "/org"), ("/o_g", "/o%g/x"), ("/[o]rg", "/org"), ("/o*", "/org"), ("/o?g", "/org")],
)
def test_paths_have_no_wildcards(cache: SqliteCache, database: Database, prefix: str, other: str) -> None:
    """Characters that are wildcards in LIKE or GLOB have no special meaning. Organization names contain underscores."""
    for path in (prefix, f"{prefix}/below", other, f"{other}/below"):
        cache.put("me", path, "", b"", now=0, expires_at=100)
    cache.drop("me", prefix)
    assert paths(database) == {other, f"{other}/below"}


def test_tidying_deletes_expired_responses(cache: SqliteCache, database: Database) -> None:
    """It deletes nothing else while the limits are not reached."""
    for number in range(10):
        cache.put("me", f"/{number}", "", b"x", now=0, expires_at=number)
    cache.tidy(5)
    assert paths(database) == {f"/{number}" for number in range(6, 10)}


def test_tidying_keeps_the_newest_responses_within_the_entry_limit(database: Database) -> None:
    """The time of storing counts. A response that is stored again counts as new."""
    cache = SqliteCache(database, most_entries=3, most_bytes=10_000)
    for number in range(6):
        cache.put("me", f"/{number}", "", b"x", now=number, expires_at=100)
    cache.put("you", "/0", "", b"x", now=6, expires_at=100)
    cache.put("me", "/1", "", b"x", now=7, expires_at=100)
    cache.tidy(8)
    assert (paths(database), paths(database, "you")) == ({"/1", "/5"}, {"/0"})


def test_tidying_keeps_the_newest_responses_within_the_byte_limit(database: Database) -> None:
    """The limit is exact to the byte."""
    cache = SqliteCache(database, most_entries=100, most_bytes=30)
    for number in range(6):
        cache.put("me", f"/{number}", "", b"x" * 10, now=number, expires_at=100)
    cache.tidy(8)
    assert paths(database) == {"/3", "/4", "/5"}
    cache.put("me", "/6", "", b"x" * 21, now=9, expires_at=100)
    cache.tidy(10)
    assert paths(database) == {"/6"}


def test_writing_tidies_regularly(database: Database) -> None:
    """Nothing else calls `tidy`. Between two calls, the limit may be exceeded."""
    cache = SqliteCache(database, most_entries=5, most_bytes=10_000)
    for number in range(TIDY_EVERY + 1):
        cache.put("me", f"/{number}", "", b"x", now=number, expires_at=10_000)
    assert len(paths(database)) == 5


def test_the_first_write_of_a_process_tidies(database: Database) -> None:
    """A command may write only once. Even so, a thousand commands must not leave a thousand responses."""
    for number in range(20):
        cache = SqliteCache(database, most_entries=5, most_bytes=10_000)
        cache.put("me", f"/{number}", "", b"x", now=number, expires_at=10_000)
    assert len(paths(database)) <= 6


def test_clearing_deletes_everything(cache: SqliteCache) -> None:
    """It returns how many responses there were."""
    cache.put("me", "/a", "", b"", now=0, expires_at=100)
    cache.put("you", "/b", "", b"", now=0, expires_at=100)
    assert (cache.clear(), cache.clear(), cache.get("me", "/a", "", 1)) == (2, 0, None)


def test_every_lookup_and_every_drop_uses_the_index(cache: SqliteCache, database: Database) -> None:
    """A scan would cost more than the request it saves. This checks the statements that are actually executed."""
    executed: list[str] = []
    with database.transaction() as db:
        db.set_trace_callback(executed.append)
    cache.get("me", "/a", "", 0)
    cache.drop("me", "/a")
    with database.transaction() as db:
        db.set_trace_callback(None)
    statements = [each for each in executed if "http_cache" in each and not each.startswith("INSERT")]
    assert len(statements) == 3
    for statement in statements:
        plan = [row["detail"] for row in database.rows(f"EXPLAIN QUERY PLAN {statement}")]
        assert len(plan) == 1 and plan[0].startswith("SEARCH http_cache USING"), (statement, plan)
        assert "owner=?" in plan[0] and "path" in plan[0]
