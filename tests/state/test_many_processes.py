"""Twenty processes use every part of one state.db at once, without an error and without losing anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rsspot.state.database import Database
from rsspot.state.history import History
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.state.preferences import open_preferences

PROCESSES = 20
EACH = 4
WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from rsspot.models.refs import Ref
from rsspot.state.database import Database
from rsspot.state.history import HistoryEntry, History
from rsspot.state.http_cache import SqliteCache
from rsspot.state.ledger.protocol import Holder, StepRecord, StepState
from rsspot.state.preferences import open_preferences
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.sqlite import SqliteLedger
path, me, each = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
preferences, ledger, quick = open_preferences(path), SqliteLedger(Database(path)), Database(path, durable=False)
history, cache = History(quick), SqliteCache(quick, most_entries=1000, most_bytes=100_000)
for number in range(each):
    preferences.remember("region", f"{me}-{number}", me)
    history.add(HistoryEntry("2026-01-01T00:00:00Z", f"{me} {number}", me, 0, 0.1))
    cache.put("owner", f"/{me}/{number}", "", me.encode(), now=1, expires_at=100)
    assert cache.get("owner", f"/{me}/{number}", "", 2) == (me.encode(), 100)
    ledger.discover(RegistrationRecord(f"{me}-{number}", "uid", me, "group", "omni"))
    (machine,) = ledger.claim_registrations(me, ttl=600, organization=me, key=f"{me}-{number}")
    ledger.advance(machine.registration_key, RegistrationStatus.TOKEN_ISSUED, worker=me, token_id=me)
    ledger.release_registration(machine.registration_key, me)
lease = ledger.acquire(me, Holder(me, "elsewhere", 1), datetime(2026, 1, 1, tzinfo=UTC), 60)
run = ledger.begin(lease, "apply", {"digest": me}, [StepRecord(0, me, Ref("CloudSpace", me), "create")])
ledger.answered(run, 0, ledger.intend(run, 0), "ok")
ledger.settle(run, 0, StepState.DONE)
ledger.finish(run, "ok")
ledger.release(lease)
quick.close()
ledger.close()
"""


def test_twenty_processes_use_one_state_db_at_once(tmp_path: Path) -> None:
    """They also create the file at the same time. Everything that each of them wrote is in it afterwards."""
    path = tmp_path / "state.db"
    names = [f"p{number}" for number in range(PROCESSES)]
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(path), name, str(EACH)], stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    errors = [worker.communicate(timeout=90)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * PROCESSES, "".join(errors)
    database = Database(path)
    ledger = SqliteLedger(database)
    expected = {(name, number) for name in names for number in range(EACH)}
    preferences = open_preferences(path)
    assert {name: preferences.of(name) for name in names} == {name: {"region": f"{name}-{EACH - 1}"} for name in names}
    assert sorted(entry.command for entry in History(database).entries()) == sorted(f"{a} {b}" for a, b in expected)
    cached = {row["path"] for row in database.rows("SELECT path FROM http_cache WHERE query <> '#'")}
    assert cached == {f"/{name}/{number}" for name, number in expected}
    assert {(each.registration_key, each.token_id, each.status) for each in ledger.registrations()} == {
        (f"{name}-{number}", name, RegistrationStatus.TOKEN_ISSUED) for name, number in expected
    }
    assert {(run.scope, run.outcome) for run in ledger.runs()} == {(name, "ok") for name in names}
    assert all(len(ledger.attempts(run.id)) == 1 for run in ledger.runs())
    assert [row[0] for row in database.rows("PRAGMA integrity_check")] == ["ok"]
    database.close()
