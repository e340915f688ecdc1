"""Ledgers with runs in them, as applies leave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rsspot.models.refs import Ref
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger.protocol import Holder, Lease, OwnedObject, StepRecord, StepState
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.sql_database import LedgerDatabase
from support.ledger_backends import ledger_in

START = 1_790_000_000.0
SCOPE = "spot/acme/web"
MADE_BY = {"user": "ada@laptop", "ci": "https://ci.example.com/jobs/7", "commit": "5f3c2a1b9d"}
MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni", vm_name="vm", payload={"ipAddress": "10.0.0.1"})
DAY = 86_400


def edge(number: int) -> Ref:
    """A cloudspace."""
    return Ref("CloudSpace", f"edge-{number}")


class Runs:
    """Makes runs in a ledger, each a day after the one before, by a clock that starts at `START`."""

    def __init__(self, database: LedgerDatabase, start: float = START) -> None:
        self.database, self.clock = database, ManualClock(start)
        self.ledger = ledger_in(database, self.clock)

    @property
    def now(self) -> datetime:
        """The time by that clock."""
        return self.clock.now().astimezone(UTC)

    def begin(self, steps: Sequence[StepRecord], scope: str = SCOPE, plan: dict[str, Any] | None = None) -> int:
        """Begin a run that holds its lease."""
        self.lease: Lease = self.ledger.acquire(scope, Holder("worker", "elsewhere", 4711), self.now, 60)
        document = {"digest": f"sha256:{self.now.timestamp()}", "changes": [], "madeBy": MADE_BY, **(plan or {})}
        return self.ledger.begin(self.lease, "apply", document, steps)

    def made(self, *numbers: int, scope: str = SCOPE, verb: str = "create") -> int:
        """A run that made, or did something else to, these cloudspaces."""
        steps = [StepRecord(seq, f"cloudspace/{number}", edge(number), verb) for seq, number in enumerate(numbers)]
        run = self.begin(steps, scope)
        for step in steps:
            self.ledger.answered(run, step.seq, self.ledger.intend(run, step.seq), "ok")
            gone = step.ref if verb == "delete" else None
            owned = None if gone else OwnedObject(step.ref, step.address, f"uid-{run}", {"spec/region": "dfw"})
            self.ledger.settle(run, step.seq, StepState.DONE, owned=owned, gone=gone)
        self.end(run)
        return run

    def left_open(self, number: int) -> int:
        """A run that was killed after it sent one request."""
        run = self.begin([StepRecord(0, f"cloudspace/{number}", edge(number), "create")])
        self.ledger.intend(run, 0)
        self.ledger.release(self.lease)
        self.clock.advance(DAY)
        return run

    def end(self, run: int, outcome: str = "ok") -> None:
        """End a run, and let a day pass."""
        self.ledger.finish(run, outcome)
        self.ledger.release(self.lease)
        self.clock.advance(DAY)

    def register(self, status: RegistrationStatus = RegistrationStatus.REGISTERED) -> None:
        """A machine that is registered, or on its way."""
        self.ledger.discover(MACHINE)
        for step in (RegistrationStatus.TOKEN_ISSUED, RegistrationStatus.SUBMITTED, RegistrationStatus.REGISTERED):
            self.ledger.advance(MACHINE.registration_key, step)
            if step is status:
                return
