"""RunLog: what a run writes into the ledger, always as the holder of its lease. Decides nothing.

Whoever lost the lease intends and closes no step any more: the ledger compares the fence in the same transaction. That
steps were never begun, and that the run is over, is true whoever has the lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rsspot.models.refs import Ref
from rsspot.state.ledger.protocol import Lease, Ledger, OwnedObject, StepState


@dataclass(frozen=True)
class RunLog:
    """One run of a ledger. `intend` and `settle` raise Locked once another process has the lease."""

    ledger: Ledger
    run: int
    lease: Lease | None

    def intend(self, seq: int) -> int:
        """Record that a request of a step is about to be sent; gives the number of the attempt."""
        return self.ledger.intend(self.run, seq, lease=self.lease)

    def answered(self, seq: int, attempt: int, outcome: str) -> None:
        """Record what came back. True whoever has the lease by now."""
        self.ledger.answered(self.run, seq, attempt, outcome)

    def may_have_arrived(self, seq: int) -> bool:
        """Whether the service may have executed a request of a step."""
        return any(each.may_have_arrived for each in self.ledger.attempts(self.run, seq))

    def settle(
        self, seq: int, state: StepState, *, detail: str = "", owned: OwnedObject | None = None, gone: Ref | None = None
    ) -> None:
        """Close a step and record what is owned or gone because of it."""
        self.ledger.settle(self.run, seq, state, detail=detail, owned=owned, gone=gone, lease=self.lease)

    def ready(self, seq: int, readiness: str) -> None:
        """Record what came of waiting for the object of a step."""
        self.ledger.ready(self.run, seq, readiness)

    def skip(self, reasons: Mapping[int, str]) -> None:
        """Skip steps that were never begun: one write, however many they are."""
        if reasons:
            self.ledger.skip(self.run, reasons)

    def finish(self, outcome: str) -> None:
        """Close the run."""
        self.ledger.finish(self.run, outcome)
