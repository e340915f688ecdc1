"""One step: intent, send, settle, wait.

Every write of an apply happens here, and each is sent again only after a read.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from rsspot.applier.context import ApplyContext
from rsspot.applier.dependents import bystander
from rsspot.applier.events import Event, Waiting
from rsspot.applier.messages import explained, without_secrets
from rsspot.applier.settle import OUR_MARKS, Found, Verdict, is_from_us, judge, look, settle
from rsspot.applier.wait import until_gone, until_ready
from rsspot.errors import (
    AlreadyExists,
    ApiError,
    AuthError,
    Cancelled,
    Conflict,
    Locked,
    NotFound,
    OutcomeUnknown,
    RsspotError,
    StateError,
    TransportError,
)
from rsspot.models.refs import Ref
from rsspot.planner.body import expansion
from rsspot.planner.diff import applied_fields, live_value, managed
from rsspot.planner.order import Step, Verb
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Phase, Readiness
from rsspot.state.ledger.protocol import ANSWERED, OwnedObject, StepState
from rsspot.utils.serialization import Document, at_path

MOST_SENDS = 5
"""How often one write may go out, each time after a read that shows it is still to be done."""
LONGEST_PAUSE = 60.0
"""Seconds of a Retry-After that are waited for before a write is looked up and sent again."""
SLOWEST_PAUSE = 8.0
"""Seconds to wait at most after a conflict."""

FATAL = (AuthError, StateError, Cancelled, Locked)
"""What ends a run rather than a step."""


@dataclass(frozen=True)
class Result:
    """How a step ended."""

    state: StepState
    detail: str = ""
    readiness: Readiness | None = None


class Executor:
    """Performs steps of one run. `permit` raises when no further write may start."""

    def __init__(
        self, tools: ApplyContext, run: int, permit: Callable[[], None], tell: Callable[[Event], None]
    ) -> None:
        self._tools, self._run = tools, run
        self._permit, self._tell = permit, tell
        self.intended: set[int] = set()
        """The steps that a request may have gone out for."""
        self._kept: set[str] = set()
        """The uids of what this run made, changed or found to be as wanted: none of them is deleted by it."""

    async def perform(self, step: Step) -> Result:
        """Do a step and write down how it ended; waits for nothing. Raises only what ends the whole run."""
        verbs = {
            Verb.CREATE: self._create,
            Verb.PATCH: self._patch,
            Verb.DELETE: self._delete,
            Verb.EXPAND: self._expand,
        }
        documents = self._tools.documents(self._tools.kinds[step.change.ref.kind], permit=self._permit)
        try:
            return await verbs[step.verb](step, documents)
        except FATAL:
            raise
        except OutcomeUnknown as error:
            return self._close(step, Result(StepState.UNKNOWN, error.message))
        except RsspotError as error:
            return self._close(step, Result(StepState.FAILED, explained(error, step.change)))

    async def _create(self, step: Step, documents: Documents) -> Result:
        change = step.change
        assert change.body is not None
        if change.surge and change.base:
            old = judge(change, Verb.DELETE, documents, await look(documents, change.base.name))
            if old.found is Found.STALE:
                return self._settled(step, old)
        lost = taken = False
        for _ in range(MOST_SENDS):
            attempt = self._intend(step)
            try:
                live = await documents.create(change.body)
            except OutcomeUnknown as error:
                lost = True
                self._answered(step, attempt, error)
                verdict = await self._whose(step, documents, await self._settle(step, documents), lost)
            except AlreadyExists as error:
                taken = True
                self._answered(step, attempt, error)
                verdict = await self._judged(step, documents, await self._look(step, documents), lost)
            except RsspotError as error:
                self._answered(step, attempt, error)
                verdict = await self._after_refusal(step, documents, error, lost)
            else:
                self._answered(step, attempt)
                # An accepted create whose body cannot be read is no different from one whose answer was lost.
                readable = at_path(live, ("metadata", "uid")) is not None
                lost = lost or not readable
                if readable:
                    return self._made(step, judge(change, step.verb, documents, live))
                verdict = await self._settle(step, documents)
            if verdict.found is not Found.NOT_DONE:
                return self._settled(step, verdict, satisfied=taken and not lost)
        raise OutcomeUnknown(f"{change.address} was sent {MOST_SENDS} times and never showed up")

    def _made(self, step: Step, verdict: Verdict) -> Result:
        """An accepted create: the object is ours whatever the service made of it; one that differs is a failure."""
        if verdict.found is Found.DONE:
            return self._done(step, verdict)
        said = f"created, but not as it was asked for: {verdict.now}"
        return self._close(step, Result(StepState.FAILED, said), owned=self._owned(step, verdict.live))

    async def _after_refusal(self, step: Step, documents: Documents, error: RsspotError, lost: bool) -> Verdict:
        """A definite no counts only if no earlier try has arrived unheard: quota is checked before the name is."""
        verdict = await self._judged(step, documents, await self._look(step, documents), lost) if lost else None
        if verdict is None or verdict.found is Found.NOT_DONE:
            raise error
        return verdict

    async def _settle(self, step: Step, documents: Documents) -> Verdict:
        """Look an unanswered write up. Raises OutcomeUnknown when not even that can be done."""
        try:
            return await settle(step.change, step.verb, documents, self._tools.clock)
        except (ApiError, TransportError) as error:
            raise OutcomeUnknown(f"{step.change.address} was sent and cannot be looked up: {error.message}") from None

    async def _look(self, step: Step, documents: Documents, *, sent: bool = True) -> Document | None:
        """The object of a step. Raises OutcomeUnknown when it cannot be read and a write may have gone out."""
        base = step.change.base
        name = base.name if step.verb is Verb.DELETE and base else step.change.ref.name
        try:
            return await look(documents, name)
        except (ApiError, TransportError) as error:
            if not sent:
                raise
            raise OutcomeUnknown(f"{step.change.address} was sent and cannot be looked up: {error.message}") from None

    async def _judged(self, step: Step, documents: Documents, live: Document | None, lost: bool) -> Verdict:
        return await self._whose(step, documents, judge(step.change, step.verb, documents, live), lost)

    async def _whose(self, step: Step, documents: Documents, verdict: Verdict, lost: bool) -> Verdict:
        """What a create was to make may be there because somebody else has made it: that is theirs, however alike."""
        live = verdict.live
        if step.verb is not Verb.CREATE or verdict.found is not Found.DONE or live is None:
            return verdict
        try:
            if await is_from_us(live, documents.kind, self._tools, may_have_arrived=lost):
                return verdict
        except (ApiError, TransportError) as error:
            raise OutcomeUnknown(f"nothing tells whose {step.change.address} is: {error.message}") from None
        return Verdict(Found.STALE, live, "an object of that name exists and belongs to no stack")

    async def _patch(self, step: Step, documents: Documents) -> Result:
        change, sent, refused = step.change, False, False
        for _ in range(MOST_SENDS):
            live = await self._look(step, documents, sent=sent)
            verdict = judge(change, step.verb, documents, live)
            if verdict.found is not Found.NOT_DONE or live is None:
                return self._settled(step, verdict, satisfied=not sent)
            attempt = self._intend(step)
            try:
                patched = await documents.patch(change.ref.name, _guarded(change.merge_patch, live))
            except (OutcomeUnknown, Conflict, NotFound) as error:
                self._answered(step, attempt, error)
                refused = isinstance(error, Conflict) and (refused or not sent)
                await self._pause(attempt, error)
            except RsspotError as error:
                self._answered(step, attempt, error)
                return self._settled(step, await self._after_refusal(step, documents, error, sent))
            else:
                self._answered(step, attempt)
                if at_path(patched, ("metadata", "uid")) is not None:
                    return self._patched(step, judge(change, step.verb, documents, patched))
            sent = True
        if refused:
            said = f"it was being changed by others each of the {MOST_SENDS} times it was tried"
            return self._close(step, Result(StepState.FAILED, said))
        raise OutcomeUnknown(f"{change.address} was patched {MOST_SENDS} times and does not show it")

    def _patched(self, step: Step, verdict: Verdict) -> Result:
        """An accepted patch: what came of it is in the answer, and sending it again would come to the same."""
        if verdict.found is Found.DONE:
            return self._done(step, verdict)
        said = verdict.now or verdict.detail or "it is as it was"
        return self._close(step, Result(StepState.FAILED, f"accepted, but not as it was asked for: {said}"))

    async def _pause(self, attempt: int, error: RsspotError) -> None:
        """Before the next attempt: as long as the service said, or a little, since two who meet would meet again."""
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            await self._tools.clock.sleep(min(asked, LONGEST_PAUSE))
        elif isinstance(error, Conflict):
            await self._tools.clock.sleep(random.uniform(0.5, 1.0) * min(2.0 ** (attempt - 1), SLOWEST_PAUSE))

    async def _delete(self, step: Step, documents: Documents) -> Result:
        base = step.change.base
        assert base is not None
        gone = Ref(step.change.ref.kind, base.name)
        for sent in range(MOST_SENDS):
            verdict = judge(step.change, step.verb, documents, await self._look(step, documents, sent=sent > 0))
            if verdict.found is Found.DONE and verdict.live is None:
                state = StepState.DONE if sent else StepState.SATISFIED
                return self._close(step, Result(state), gone=gone)
            if verdict.found is Found.DONE:
                break
            if said := await self._reason_to_keep(gone, verdict):
                return self._close(step, Result(StepState.REFUSED, said))
            attempt = self._intend(step)
            try:
                await documents.delete(base.name, uid=base.uid)
            except (OutcomeUnknown, Conflict, NotFound) as error:
                self._answered(step, attempt, error)
                await self._pause(attempt, error)
            except RsspotError as error:
                self._answered(step, attempt, error)
                verdict = await self._after_refusal(step, documents, error, sent > 0)
                if verdict.found is Found.STALE:
                    return self._settled(step, verdict)
                break
            else:
                self._answered(step, attempt)
        else:
            raise OutcomeUnknown(f"{step.change.address} was asked {MOST_SENDS} times to go and is still there")
        if self._tools.wait == "none" and not step.awaited:
            return self._close(step, Result(StepState.DONE, "accepted"), gone=gone)
        if not await until_gone(documents, base.name, base.uid, self._tools.clock, self._tools.patience):
            return self._close(step, Result(StepState.FAILED, "accepted, and still being deleted"))
        return self._close(step, Result(StepState.DONE), gone=gone)

    async def _reason_to_keep(self, doomed: Ref, verdict: Verdict) -> str | None:
        """Why an object that was to be deleted is not, or None."""
        if verdict.found is Found.STALE:
            return verdict.detail
        if verdict.live and verdict.live["metadata"].get("uid") in self._kept:
            return "this very run made it, or found it to be as wanted"
        return await bystander(doomed, self._tools.kinds, self._tools.documents)

    async def _expand(self, step: Step, documents: Documents) -> Result:
        """Create everything that a deferred change stands for, now that it can be known."""
        source = self._tools.kinds[step.change.ref.kind]
        assert source.parent and source.expands_to and step.change.body
        groups = self._tools.documents(self._tools.kinds[source.parent[1]])
        name = source.parent_name(step.change.body["spec"])
        assert name is not None
        seen = await until_ready(groups, name, self._tools.clock, self._tools.patience, self._teller(step))
        if seen.phase is not Phase.READY:
            return self._close(step, Result(StepState.FAILED, f"{step.change.parent}: {seen.note}"))
        inner = self._tools.documents(self._tools.kinds[source.expands_to], permit=self._permit)
        attempt = self._intend(step)
        done, failures = 0, []
        group = await groups.get(name)
        for body in expansion(step.change, group, self._tools.kinds, self._tools.organization, self._tools.stack):
            self._permit()
            try:
                await inner.create(body)
                done += 1
            except FATAL:
                raise
            except RsspotError as error:
                failures.append(error)
        self._answered(step, attempt, failures[0] if failures else None)
        detail = f"{done} of {done + len(failures)}"
        if failures:
            return self._close(step, Result(StepState.FAILED, f"{detail}: {failures[0].message}"))
        return self._close(step, Result(StepState.DONE, detail))

    # The ledger, before and after

    def _intend(self, step: Step) -> int:
        """Write down that a request is about to go out; nothing is sent unless this returns."""
        self._permit()
        self.intended.add(step.seq)
        return self._tools.ledger.intend(self._run, step.seq)

    def _answered(self, step: Step, attempt: int, error: RsspotError | None = None) -> None:
        said = ANSWERED if error is None else f"{type(error).__name__}: {error.message}"
        self._tools.ledger.answered(self._run, step.seq, attempt, without_secrets(step.change, said))

    def _settled(self, step: Step, verdict: Verdict, *, satisfied: bool = False) -> Result:
        """The end of a step whose write was found done, or must not be made any more."""
        if verdict.found is Found.STALE:
            return self._close(step, Result(StepState.REFUSED, verdict.detail))
        return self._done(step, verdict, satisfied=satisfied)

    def _done(self, step: Step, verdict: Verdict, *, satisfied: bool = False) -> Result:
        state = StepState.SATISFIED if satisfied else StepState.DONE
        return self._close(step, Result(state, verdict.detail), owned=self._owned(step, verdict.live))

    def _owned(self, step: Step, live: Document | None) -> OwnedObject:
        change, kind = step.change, self._tools.kinds[step.change.ref.kind]
        if change.body is not None:
            # What we add ourselves is not the author's, and nobody is to miss it in a manifest.
            ours = {*OUR_MARKS, ("metadata", "name")}
            authored = {path: value for path, value in managed(kind, change.body).items() if path not in ours}
            applied = applied_fields(kind, authored)
        else:
            paths = change.base.paths if change.base else ()
            applied = applied_fields(kind, {path: live_value(kind, live or {}, path) for path in paths})
        uid = at_path(live, ("metadata", "uid"))
        self._kept |= {uid} if uid else set()
        return OwnedObject(change.ref, change.address, uid, applied)

    def _close(
        self, step: Step, result: Result, *, owned: OwnedObject | None = None, gone: Ref | None = None
    ) -> Result:
        result = replace(result, detail=without_secrets(step.change, result.detail))
        self._tools.ledger.settle(self._run, step.seq, result.state, detail=result.detail, owned=owned, gone=gone)
        return result

    # Waiting

    async def await_ready(self, step: Step, result: Result) -> Result:
        """Wait for a step's object, if that was asked for or something hangs on it."""
        made = step.verb in (Verb.CREATE, Verb.PATCH) and result.state in (StepState.DONE, StepState.SATISFIED)
        if not made or not (step.awaited or self._tools.wait == "ready"):
            return result
        documents = self._tools.documents(self._tools.kinds[step.change.ref.kind])
        try:
            seen = await until_ready(
                documents, step.change.ref.name, self._tools.clock, self._tools.patience, self._teller(step)
            )
        except (ApiError, TransportError) as error:
            seen = Readiness(Phase.PROGRESSING, f"could not be looked at: {error.message}")
        self._tools.ledger.ready(self._run, step.seq, seen.phase.value)
        return Result(result.state, seen.note, seen)

    def _teller(self, step: Step) -> Callable[[Readiness], None]:
        def tell(seen: Readiness) -> None:
            self._tell(Waiting(step.change.address, seen.phase.value, seen.note))

        return tell


def _guarded(patch: Document, live: Document) -> Document:
    """A patch that the service refuses if the object moved since it was read."""
    metadata = {key: live["metadata"][key] for key in ("resourceVersion", "uid") if key in live["metadata"]}
    return {**patch, "metadata": {**patch.get("metadata", {}), **metadata}}
