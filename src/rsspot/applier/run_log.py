"""RunLog: what a run writes into the ledger, always as the holder of its lease. Decides nothing.

What one step writes becomes durable together with what others write at that moment: see `commits`.

Whoever lost the lease intends and closes no step any more: the ledger compares the fence in the same transaction. That
steps were never begun, and that the run is over, is true whoever has the lease.
"""

from __future__ import annotations

from collections.abc import Mapping

from rsspot.applier.commits import Commits
from rsspot.models.refs import Ref
from rsspot.state.ledger.interruptions import persistently
from rsspot.state.ledger.protocol import Lease, Ledger, OwnedObject, StepState


class RunLog:
    """One run of a ledger. `intend`, `settle` and `cut_off` raise Locked once another process has the lease."""

    def __init__(self, ledger: Ledger, run: int, lease: Lease | None) -> None:
        self._ledger, self.run, self._lease = ledger, run, lease
        self._commits = Commits(ledger)

    async def intend(self, seq: int) -> int:
        """Record that a request of a step is about to be sent; gives the number of the attempt. Durable then."""
        return await self._commits.durable(lambda: self._ledger.intend(self.run, seq, lease=self._lease))

    def answered(self, seq: int, attempt: int, outcome: str) -> None:
        """Note what came back. True whoever has the lease by now."""
        self._commits.note(lambda: self._ledger.answered(self.run, seq, attempt, outcome))

    def may_have_arrived(self, seq: int) -> bool:
        """Whether the service may have executed a request of a step."""
        self._commits.flush()
        return any(each.may_have_arrived for each in self._ledger.attempts(self.run, seq))

    async def settle(
        self, seq: int, state: StepState, *, detail: str = "", owned: OwnedObject | None = None, gone: Ref | None = None
    ) -> None:
        """Close a step and record what is owned or gone because of it."""
        await self._commits.durable(
            lambda: self._ledger.settle(self.run, seq, state, detail=detail, owned=owned, gone=gone, lease=self._lease)
        )

    def cut_off(self, seq: int, detail: str) -> StepState:
        """Close a step that was broken off: unknown if a request of it may have arrived. Durable at once."""
        state = StepState.UNKNOWN if self.may_have_arrived(seq) else StepState.SKIPPED
        self._ledger.settle(self.run, seq, state, detail=detail, lease=self._lease)
        return state

    def ready(self, seq: int, readiness: str) -> None:
        """Note what came of waiting for the object of a step."""
        self._commits.note(lambda: self._ledger.ready(self.run, seq, readiness))

    def finish(self, outcome: str, skipped: Mapping[int, str]) -> None:
        """Close the run, and skip the steps that were never begun."""
        self._commits.flush()
        persistently(lambda: self._finish(outcome, skipped))

    def _finish(self, outcome: str, skipped: Mapping[int, str]) -> None:
        with self._ledger.together():
            if skipped:
                self._ledger.skip(self.run, skipped)
            self._ledger.finish(self.run, outcome)
