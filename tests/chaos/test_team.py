"""A team on one PostgreSQL: runners that are killed, a server that is restarted and crashes, connections that are cut.

Whatever happens, no object is made twice, none is lost, and nobody writes a stack after somebody else took it over. In
`make test` a few runners apply a few stacks; `make chaos` has 8 runners apply 4 stacks 200 times each.
"""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World
from rsspot.state.ledger import open_database, open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.verification import Weight, verify_at
from support import ENVIRONMENT, program
from support.amount import amount
from support.postgres import PostgresServer, programs, shared_server
from support.served_account import ACCOUNT
from support.team_runner import apply, client_of, variant

RUNNERS, STACKS, APPLIES = amount(3, 8), amount(2, 4), amount(4, 200)
PLURALS = ("cloudspaces", "ondemandnodepools")
EVERY = amount(1, 4)
"""After how many applies something bad happens."""
SECONDS = 7200
"""Nothing takes as long, on any machine."""
ATTEMPTS = """
    SELECT runs.scope, runs.fence, steps.verb, attempts.outcome, attempts.sent_at FROM attempts
    JOIN steps ON steps.run_id = attempts.run_id AND steps.seq = attempts.seq JOIN runs ON runs.id = attempts.run_id
    ORDER BY attempts.sent_at, runs.fence
"""


@dataclass
class Team:
    """The runners of one campaign, and what is done to them."""

    service: str
    server: PostgresServer
    folder: Path
    chance: random.Random
    runners: list[subprocess.Popen[bytes]] = field(default_factory=list)
    done_to_them: Counter[str] = field(default_factory=Counter)

    @property
    def ledger(self) -> str:
        return self.server.url("ledger")

    def start(self) -> None:
        """One more runner."""
        arguments = [self.service, self.ledger, str(self.folder), str(self.chance.random())]
        with (self.folder / "told").open("ab") as told:
            self.runners.append(subprocess.Popen([*program("team_runner"), *arguments], env=ENVIRONMENT, stderr=told))

    def ended(self) -> Counter[tuple[str, str]]:
        """How often an apply of each stack ended in each way."""
        file = self.folder / "ended"
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter((stack, outcome) for stack, outcome in map(str.split, lines))

    def went_on(self, since: int) -> bool:
        """Whether some applies have ended since so many had."""
        return sum(self.ended().values()) >= since + EVERY

    def harm(self) -> None:
        """Do one bad thing."""
        how = self.chance.choices(("killed", "cut off", "restarted", "crashed"), (6, 6, 1, 1))[0]
        self.done_to_them[how] += 1
        if how == "killed":
            victim = self.runners.pop(self.chance.randrange(len(self.runners)))
            victim.kill()
            victim.wait()
            self.start()
        elif how == "cut off":
            self.server.send_away()
        else:
            self.server.stop(signal.SIGINT if how == "restarted" else signal.SIGQUIT)
            self.server.start()

    def stop(self) -> list[int]:
        """Have all runners end by themselves."""
        (self.folder / "stop").touch()
        return [each.wait(120) for each in self.runners]


class Births:
    """Counts the objects that come into being. The service remembers only the latest of them."""

    def __init__(self, world: World) -> None:
        self._world, self._seen = world, dict.fromkeys(PLURALS, world.store.version())
        self.count = 0

    def look(self) -> None:
        """Count those since the last look."""
        with self._world.lock:
            for plural, seen in self._seen.items():
                changes = self._world.store.changes(plural, ACCOUNT.namespace, seen)
                self.count += sum(each.type == "ADDED" for each in changes)
                self._seen[plural] = max([seen, *(each.version for each in changes)])


@pytest.fixture
def world() -> Iterator[World]:
    """The service: an hour passes in four seconds."""
    made = World(clock=ScaledClock(900, start=1_790_000_000.0), organizations=[ACCOUNT], wall=time.time)
    yield made
    made.close()


@pytest.fixture
def team(world: World, tmp_path: Path) -> Iterator[Team]:
    """Runners with one ledger, on a server of their own."""
    shared_server()
    found = programs()
    assert found is not None
    with ExitStack() as stack:
        served = stack.enter_context(closing(Server(Api(world))))
        threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        server = stack.enter_context(closing(PostgresServer(found)))
        server.fresh()
        open_ledger(server.url("ledger")).close()
        (tmp_path / "stacks").write_text(" ".join(f"team-{number}" for number in range(STACKS)))
        made = Team(served.url, server, tmp_path, random.Random(11))
        yield made
        for each in made.runners:
            each.kill()
            each.wait()


@pytest.mark.timeout(SECONDS + 300)
async def test_a_team_loses_nothing_and_does_nothing_twice(team: Team, world: World) -> None:
    """Though runners, server and connections come and go."""
    stacks, began = (team.folder / "stacks").read_text().split(), time.monotonic()
    births = Births(world)
    for _ in range(RUNNERS):
        team.start()
    while min(team.ended()[stack, "ok"] for stack in stacks) < APPLIES:
        assert time.monotonic() - began < SECONDS, team.ended()
        before = sum(team.ended().values())
        while not team.went_on(before):
            assert time.monotonic() - began < SECONDS, team.ended()
            births.look()
            time.sleep(0.02)
        # Others are in the middle of theirs, wherever that is.
        time.sleep(team.chance.uniform(0, 0.3))
        team.harm()
    assert team.stop() == [0] * RUNNERS
    took, ended = time.monotonic() - began, team.ended()
    client = client_of(team.service, team.ledger, team.folder)
    with closing(open_ledger(team.ledger)) as ledger:
        for stack in stacks:
            manifests = variant(stack, random.Random(stack))
            assert await apply(client, ledger, stack, manifests) == "ok"
            assert await apply(client, ledger, stack, manifests) == "ok"
        await client.aclose()
        _nothing_is_open(ledger)
        births.look()
        told = _nothing_was_twice(team, births.count)
        fences = [fence for (fence,) in team.server.execute("SELECT fence FROM rsspot.leases", database="ledger")]
    assert not [each for each in verify_at(team.ledger) if each.weight is Weight.ERROR]
    outcomes = Counter(outcome for (_, outcome), times in ended.items() for _ in range(times))
    print(f"\n{RUNNERS} runners, {STACKS} stacks, {took:.0f} s: {dict(outcomes)}; {dict(team.done_to_them)}; {told};")
    print(f"leases taken {sum(fences)} times")


def _nothing_is_open(ledger: Ledger) -> None:
    for scope in ledger.scopes():
        assert not ledger.open_steps(scope) and not ledger.unfinished_runs(scope)
        assert ledger.current_lease(scope) is None


def _nothing_was_twice(team: Team, births: int) -> str:
    """Every object that came into being is in the ledger, and no stack was written by two in turns."""
    with closing(open_database(team.ledger, reading=True)) as database:
        rows: list[dict[str, Any]] = database.rows(ATTEMPTS)
    creates = [row["outcome"] for row in rows if row["verb"] == "create"]
    certain = sum(outcome == "ok" for outcome in creates)
    in_doubt = sum(outcome is None or outcome.startswith("OutcomeUnknown") for outcome in creates)
    assert certain <= births <= certain + in_doubt
    last: dict[str, int] = {}
    for row in rows:
        assert row["fence"] >= last.get(row["scope"], 0), f"{row} was written by a runner that had lost its lease"
        last[row["scope"]] = row["fence"]
    return f"{len(rows)} writes, {births} objects made, {in_doubt} creates in doubt"
