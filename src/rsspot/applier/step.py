"""StepRun: one step of one run, with everything its verb needs. The verbs themselves are in files of their own.

An attempt is intend, send, answered, in this order. The intent is durable before the request goes out, so whatever
kills the process, the ledger shows which writes may have arrived.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from rsspot.applier.context import ApplyContext
from rsspot.applier.events import Event, Waiting
from rsspot.applier.lookout import Lookout
from rsspot.applier.messages import without_secrets
from rsspot.applier.run_log import RunLog
from rsspot.applier.settle import OUR_MARKS, Found, Verdict, is_from_us, judge, look, settle
from rsspot.errors import ApiError, NotReady, OutcomeUnknown, RsspotError, TransportError
from rsspot.manifests.lifecycle import ON_REMOVE_PATH
from rsspot.models.refs import Ref
from rsspot.planner.change import Change
from rsspot.planner.diff import applied_fields, live_value, managed, path_key
from rsspot.planner.order import Step, Verb
from rsspot.planner.ownership import LABEL_KEY, label_of
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Phase, Readiness
from rsspot.state.ledger.protocol import ANSWERED, OwnedObject, StepState
from rsspot.utils.serialization import Document, at_path

MOST_SENDS = 5
"""How often one write may go out, each time after a read that shows it is still to be done."""
LONGEST_PAUSE = 60.0
"""Seconds of a Retry-After that are waited for before a write is looked up and sent again."""
SLOWEST_PAUSE = 8.0
"""Seconds to wait at most before a write is tried again."""


@dataclass(frozen=True)
class Result:
    """How a step ended. readiness: of its object, once that was waited for · reached: whether it came that far"""

    state: StepState
    detail: str = ""
    readiness: Readiness | None = None
    reached: bool = True


@dataclass
class RunState:
    """What the steps of one run share.

    permit: raises when no further write may start · tell: where events go · lookout: the reads of what is waited for
    answered: hears of the error of each attempt, or that there was none
    intended: steps for which a request may have gone out
    resent: how often a write was sent once more
    kept: uids of what this run made, changed or found to be as desired; it deletes none of them
    """

    log: RunLog
    permit: Callable[[], None]
    tell: Callable[[Event], None]
    answered: Callable[[RsspotError | None], None]
    lookout: Lookout
    intended: set[int] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    resent: int = 0


@dataclass
class Attempt:
    """One request. error: set by the block that sends it when a part failed and the rest went on."""

    number: int
    error: RsspotError | None = None


class StepRun:
    """One step on its way from intent to a closed record."""

    def __init__(self, step: Step, context: ApplyContext, run: RunState) -> None:
        self.step, self.context, self._run = step, context, run
        self.kind = context.kinds[step.change.ref.kind]
        self.documents: Documents = context.documents(self.kind, permit=run.permit)
        self._began: float | None = None

    @property
    def change(self) -> Change:
        return self.step.change

    @property
    def permit(self) -> Callable[[], None]:
        """Raises when no further write may start."""
        return self._run.permit

    @property
    def lookout(self) -> Lookout:
        """See `RunState`."""
        return self._run.lookout

    @property
    def kept(self) -> set[str]:
        """See `RunState`."""
        return self._run.kept

    @property
    def object_name(self) -> str:
        """The wire name of the object that the step is about: for a delete, of the one that goes."""
        base = self.change.base
        return base.name if self.step.verb is Verb.DELETE and base else self.change.ref.name

    # Sending

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Attempt]:
        """One request: its intent is recorded before the block sends it, and its outcome after.

        Raises what the block raises; with nothing sent, Cancelled or Locked when no write may start, and NotReady when
        the time of the step is up.
        """
        self._run.permit()
        self._check_time()
        number = await self._run.log.intend(self.step.seq)
        self._run.intended.add(self.step.seq)
        self._run.resent += number > 1
        attempt = Attempt(number)
        try:
            yield attempt
        except RsspotError as error:
            attempt.error = error
            self._answered(attempt)
            raise
        # Cut off by anything else, the attempt stays without an outcome: it may have arrived.
        self._answered(attempt)

    def _answered(self, attempt: Attempt) -> None:
        error = attempt.error
        outcome = ANSWERED if error is None else f"{type(error).__name__}: {error.message}"
        self._run.log.answered(self.step.seq, attempt.number, without_secrets(self.change, outcome))
        self._run.answered(error)

    def _check_time(self) -> None:
        now, most = self.context.clock.monotonic(), self.context.patience.step
        self._began = now if self._began is None else self._began
        if now - self._began <= most:
            return
        raise NotReady(f"{self.change.address} could not be written in {most:g} s")

    async def pause(self, attempt: int, error: RsspotError) -> None:
        """Before the next attempt: as long as the service asked for, or a random while that grows."""
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            self._tell("the service asked for a pause")
            await self.context.clock.sleep(min(asked, LONGEST_PAUSE))
        else:
            await self.context.clock.sleep(random.uniform(0.5, 1.0) * min(2.0 ** (attempt - 1), SLOWEST_PAUSE))

    # Looking

    async def look(self, *, sent: bool = True) -> Document | None:
        """The live object; None when there is none.

        Raises OutcomeUnknown when it cannot be read although a write may have gone out.
        """
        try:
            return await look(self.documents, self.object_name)
        except (ApiError, TransportError) as error:
            if not sent:
                raise
            raise self._unknown(error) from None

    async def settle(self) -> Verdict:
        """What became of an unanswered create. Raises OutcomeUnknown when not even reading tells."""
        self._tell("the write was not answered and is looked up")
        try:
            return await settle(self.change, self.documents, self.context.clock)
        except (ApiError, TransportError) as error:
            raise self._unknown(error) from None

    def judge(self, live: Document | None) -> Verdict:
        """Whether a live object is what the write would make of it."""
        return judge(self.change, self.step.verb, self.documents, live)

    async def attributed(self, verdict: Verdict, *, may_have_arrived: bool) -> Verdict:
        """The verdict on a create, unless what stands there was made by somebody else, however alike it is."""
        live = verdict.live
        if self.step.verb is not Verb.CREATE or verdict.found is not Found.DONE or live is None:
            return verdict
        try:
            if await is_from_us(live, self.kind, self.context, may_have_arrived=may_have_arrived):
                return verdict
        except (ApiError, TransportError) as error:
            raise self._unknown(error) from None
        return Verdict(Found.STALE, live, "an object of that name exists and belongs to no stack")

    async def after_refusal(self, error: RsspotError, *, lost: bool) -> Verdict:
        """What a definite no means. Raises it, unless an earlier attempt turns out to have arrived.

        lost: whether an earlier attempt may have arrived. Quota is checked before the name is, so a create that
        succeeded unheard can be followed by a refusal.
        """
        if lost:
            verdict = await self.attributed(self.judge(await self.look()), may_have_arrived=True)
            if verdict.found is not Found.NOT_DONE:
                return verdict
        raise error

    def _unknown(self, error: RsspotError) -> OutcomeUnknown:
        return OutcomeUnknown(f"{self.change.address} was sent and cannot be looked up: {error.message}")

    # Closing

    async def closed_by(self, verdict: Verdict, *, satisfied: bool = False) -> Result:
        """Close a step whose write was found done, or must not be made any more. satisfied: nothing had to be sent."""
        if verdict.found is Found.STALE:
            return await self.close(Result(StepState.REFUSED, verdict.detail))
        result = Result(StepState.SATISFIED if satisfied else StepState.DONE, verdict.detail)
        if self.step.verb is Verb.DETACH:
            return await self.close(result, gone=self.change.ref)
        return await self.close(result, owned=self.owned(verdict.live))

    async def close(self, result: Result, *, owned: OwnedObject | None = None, gone: Ref | None = None) -> Result:
        """Record how the step ended and, in the same transaction, what is owned or gone because of it."""
        result = replace(result, detail=without_secrets(self.change, result.detail))
        await self._run.log.settle(self.step.seq, result.state, detail=result.detail, owned=owned, gone=gone)
        return result

    def owned(self, live: Document | None) -> OwnedObject:
        """The ledger's record of the step's object, which this run will not delete any more."""
        change = self.change
        if change.body is not None:
            # Our own marks are not the author's: nobody is to miss them in a manifest.
            ours = {*OUR_MARKS, ("metadata", "name"), *change.filled}
            desired = {path: value for path, value in managed(self.kind, change.body).items() if path not in ours}
        else:
            paths = change.base.paths if change.base else ()
            desired = {path: live_value(self.kind, live or {}, path) for path in paths}
        uid = at_path(live, ("metadata", "uid"))
        if uid:
            self._run.kept.add(uid)
        applied = applied_fields(self.kind, desired)
        if (word := at_path(live, ON_REMOVE_PATH)) is not None:
            # Remembered also where the manifest no longer says so: see planner.protection.
            applied[path_key(ON_REMOVE_PATH)] = word
        if label_of(live or {}) == self.context.stack:
            applied[LABEL_KEY] = self.context.stack
        return OwnedObject(change.ref, change.address, uid, applied)

    # Waiting

    def ready(self, readiness: Readiness) -> None:
        """Record the result of waiting for the step's object."""
        self._run.log.ready(self.step.seq, readiness.phase.value)

    def tell_waiting(self, readiness: Readiness) -> None:
        """Tell how far the object is."""
        self._run.tell(Waiting(self.change.address, readiness.phase.value, readiness.note))

    def _tell(self, note: str) -> None:
        self.tell_waiting(Readiness(Phase.PROGRESSING, note))
