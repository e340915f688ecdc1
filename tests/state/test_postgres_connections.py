"""A ledger on a server that is lost: nothing of it is guessed, nothing is on record twice, and what was, stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from rsspot.applier.commits import Commits
from rsspot.applier.lease import hold
from rsspot.applier.run_log import RunLog
from rsspot.errors import Locked, StateError
from rsspot.http.hooks import Hooks, Wait
from rsspot.models.refs import Ref
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.interruptions import Interrupted, persistently
from rsspot.state.ledger.postgres import PostgresLedger
from rsspot.state.ledger.postgres_database import PostgresDatabase
from rsspot.state.ledger.protocol import Holder, Lease, Ledger, StepRecord, StepState
from rsspot.utils.clock import utc_now
from support.cut_connections import SIDES, CuttingProxy
from support.postgres import PORT, PostgresServer, programs, shared_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE, THERE = Holder("one", "here", 1), Holder("two", "there", 2)


@pytest.fixture
def ledger() -> Iterator[PostgresLedger]:
    """An empty ledger."""
    opened = open_ledger(shared_server().fresh())
    assert isinstance(opened, PostgresLedger)
    with closing(opened):
        yield opened


def begun(ledger: Ledger, steps: int = 2) -> tuple[int, Lease]:
    """A run that holds its lease."""
    lease = ledger.acquire("spot/acme/web", HERE, NOW, 60)
    records = [StepRecord(number, f"c/{number}", Ref("CloudSpace", str(number)), "create") for number in range(steps)]
    return ledger.begin(lease, "apply", {"digest": "sha256:1"}, records), lease


@pytest.mark.parametrize("side", SIDES)
def test_a_commit_whose_answer_was_lost_is_looked_up(side: str) -> None:
    """Whether or not the server had heard of it, the intent is on record once, and its number is the right one."""
    server = shared_server()
    with CuttingProxy(server.folder, PORT) as proxy:
        server.fresh()
        with closing(open_ledger(server.url("ledger", folder=proxy.folder))) as ledger:
            run, lease = begun(ledger)
            proxy.cut = side
            assert ledger.intend(run, 0, lease=lease) == 1
            assert ledger.intend(run, 1, lease=lease) == 1
            assert [(each.seq, each.number) for each in ledger.attempts(run)] == [(0, 1), (1, 1)]
    assert proxy.cuts == 1


@pytest.mark.parametrize("side", SIDES)
async def test_writes_that_are_durable_together_are_so_once(side: str) -> None:
    """Also when the connection was lost at their commit; one that was refused is refused still."""
    server = shared_server()
    with CuttingProxy(server.folder, PORT) as proxy:
        server.fresh()
        with closing(open_ledger(server.url("ledger", folder=proxy.folder))) as ledger:
            run, lease = begun(ledger)
            commits = Commits(ledger)
            proxy.cut = side
            commits.note(lambda: ledger.intend(run, 0, lease=lease))
            with pytest.raises(StateError, match="already closed"):
                await commits.durable(lambda: ledger.intend(run, 7, lease=lease))
            assert await commits.durable(lambda: ledger.intend(run, 1, lease=lease)) == 1
            assert [(each.seq, each.number) for each in ledger.attempts(run)] == [(0, 1), (1, 1)]
    assert proxy.cuts == 1


def test_a_connection_that_was_cut_is_made_anew(ledger: PostgresLedger) -> None:
    """For reading and for writing. What was written stays, and is written once."""
    run, lease = begun(ledger)
    assert shared_server().send_away() == 1
    assert [step.state for step in ledger.steps(run)] == [StepState.PENDING] * 2
    shared_server().send_away()
    assert ledger.intend(run, 0, lease=lease) == 1


def test_a_connection_that_is_cut_in_the_middle_leaves_nothing(ledger: PostgresLedger) -> None:
    """A block that goes on all the same is told at its end, and can be made again."""
    run, lease = begun(ledger)
    blocks: list[int] = []

    def block() -> None:
        with ledger.together():
            ledger.intend(run, 0, lease=lease)
            if not blocks:
                shared_server().send_away()
            blocks.append(1)
            # As the writes of a run do: each hears of its own errors.
            with suppress(Interrupted):
                ledger.intend(run, 1, lease=lease)

    persistently(block)
    assert len(blocks) == 2
    assert [(each.seq, each.number) for each in ledger.attempts(run)] == [(0, 1), (1, 1)]


def test_two_that_wait_for_each_other_both_get_on(ledger: PostgresLedger) -> None:
    """The server ends one of them, which then makes its writes again."""
    run, _ = begun(ledger)
    meeting = threading.Barrier(2, timeout=60)
    first_times = threading.local()

    def note(order: tuple[int, int]) -> None:
        with closing(open_ledger(shared_server().url("ledger"))) as own:

            def block() -> None:
                with own.together():
                    own.ready(run, order[0], f"by {order}")
                    if not getattr(first_times, "over", False):
                        first_times.over = True
                        meeting.wait()
                    own.ready(run, order[1], f"by {order}")

            persistently(block)

    threads = [threading.Thread(target=note, args=(order,)) for order in ((0, 1), (1, 0))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    readiness = {step.readiness for step in ledger.steps(run)}
    assert len(readiness) == 1 and readiness < {"by (0, 1)", "by (1, 0)"}


def test_a_takeover_waits_for_an_intent_that_is_being_written(ledger: PostgresLedger) -> None:
    """So the next holder sees it, or else it is refused: never neither."""
    run, lease = begun(ledger)
    with closing(open_ledger(shared_server().url("ledger"))) as other:
        taken: list[Lease] = []
        late = threading.Thread(
            target=lambda: taken.append(other.acquire(lease.scope, THERE, NOW, 60, abandoned=lease))
        )
        with ledger.together():
            ledger.intend(run, 0, lease=lease)
            late.start()
            late.join(0.3)
            assert not taken
        late.join(60)
        assert [each.fence for each in taken] == [2]
        assert [each.step.seq for each in other.open_steps(lease.scope)] == [0]
        with pytest.raises(Locked):
            ledger.intend(run, 1, lease=lease)


def test_a_server_that_is_gone_lets_nothing_be_written() -> None:
    """What was is there again when the server is."""
    found = programs()
    shared_server()
    assert found is not None
    own = PostgresServer(found)
    try:
        own.fresh()
        database = PostgresDatabase(own.url("ledger"), patience=0.5)
        open_ledger(own.url("ledger")).close()
        with closing(PostgresLedger(database)) as ledger:
            run, lease = begun(ledger)
            own.stop()
            with pytest.raises(StateError, match=r"cannot reach the ledger postgresql://keeper@/ledger") as caught:
                ledger.intend(run, 0, lease=lease)
            assert not isinstance(caught.value, Interrupted)
            assert "nothing is sent without the ledger" in str(caught.value.hint)
            own.start()
            assert ledger.open_steps(lease.scope) == []
            assert ledger.intend(run, 0, lease=lease) == 1
    finally:
        own.close()


def test_a_server_that_forgot_what_was_committed_is_not_used(ledger: PostgresLedger) -> None:
    """Such as one that was restored from a backup, or a standby that took over without the last commits."""
    run, lease = begun(ledger)
    server = shared_server()
    [[backup]] = server.execute("SELECT last FROM rsspot.writers", database="ledger")
    ledger.intend(run, 0, lease=lease)
    server.execute(f"UPDATE rsspot.writers SET last = {backup}", database="ledger")
    server.send_away()
    with pytest.raises(StateError, match="does not know what was written to it"):
        ledger.intend(run, 1, lease=lease)
    server.execute("DELETE FROM rsspot.writers", database="ledger")
    with pytest.raises(StateError, match="does not know what was written to it"):
        ledger.steps(run)


def test_whoever_closes_leaves_no_row_behind(ledger: PostgresLedger) -> None:
    """The row that tells of its transactions goes."""
    count = "SELECT COUNT(*) FROM rsspot.writers"
    other = open_ledger(shared_server().url("ledger"))
    assert shared_server().execute(count, database="ledger") == [(2,)]
    other.close()
    assert shared_server().execute(count, database="ledger") == [(1,)]


# The clock of the server


def test_a_lease_expires_by_the_clock_of_the_server(ledger: PostgresLedger) -> None:
    """Whatever the clocks of those who take it say; and at once, without anybody watching it."""
    long_ago, far = NOW.replace(year=1990), NOW.replace(year=2200)
    assert ledger.keeps_time and abs((ledger.time(far) - utc_now()).total_seconds()) < 60
    lease = ledger.acquire("scope", HERE, far, 60)
    assert abs((lease.expires_at - utc_now()).total_seconds()) < 120
    with pytest.raises(Locked, match="another apply of scope is running"):
        ledger.acquire("scope", THERE, far, 60)
    expired = ledger.renew(lease, long_ago, 0)
    assert ledger.acquire("scope", THERE, long_ago, 60).fence == 2
    with pytest.raises(Locked):
        ledger.renew(expired, far, 60)


async def test_an_expired_lease_is_not_watched(ledger: PostgresLedger) -> None:
    """The server tells that it has expired: there is nothing to wait for."""
    ledger.acquire("scope", THERE, NOW, 0)

    def refuse(wait: Wait) -> None:
        pytest.fail(f"waited for {wait.what}")

    async with hold(ledger, "scope", hooks=Hooks(waits=[refuse])) as held:
        assert held.lease.fence == 2


async def test_a_paused_holder_writes_nothing_when_it_wakes(ledger: PostgresLedger) -> None:
    """Another runner has taken over meanwhile, and the fence is compared in the transaction of each write."""
    run, lease = begun(ledger)
    with closing(open_ledger(shared_server().url("ledger"))) as other:
        ledger.renew(lease, NOW, 0)
        taken = other.acquire(lease.scope, THERE, NOW, 60)
        log = RunLog(ledger, run, lease)
        with pytest.raises(Locked):
            await log.intend(0)
        with pytest.raises(Locked):
            await log.settle(0, StepState.DONE)
        assert ledger.attempts(run) == [] and other.holds(taken) and not other.holds(lease)


def test_a_server_that_has_no_connection_left_is_waited_for() -> None:
    """It may have one in a moment; a server that is not there is not waited for."""
    server = shared_server()
    url = server.fresh()
    server.execute("ALTER DATABASE ledger CONNECTION LIMIT 0", "DROP ROLE IF EXISTS one", "CREATE ROLE one LOGIN")
    opening: list[PostgresDatabase] = []
    late = threading.Thread(target=lambda: opening.append(PostgresDatabase(server.url("ledger", user="one"))))
    late.start()
    late.join(0.3)
    waits = late.is_alive()
    server.execute("ALTER DATABASE ledger CONNECTION LIMIT -1")
    assert waits
    late.join(60)
    opening.pop().close()
    server.execute("DROP ROLE one")
    with pytest.raises(StateError, match="cannot open the ledger"):
        PostgresDatabase(url.replace(str(server.folder), "/nowhere"))
