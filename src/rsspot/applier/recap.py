"""Recap of a run: what came of its steps, in numbers, and the outcome. Pure; reads neither ledger nor service.

Several things may be true of one run. Its outcome, and so its exit code, is what stands first here. This is also the
order in which all of them are told:

locked            another run has taken the lease over, and looks up what is in doubt
unknown           a write may have arrived, and not even reading told     also: too many writes in a row in doubt
unauthenticated   the service refuses the token
failed            an error ended the run, or nothing came out well
stale             nothing could be done, since everything moved after the plan
partial           some steps failed or were refused, or an object did not get as far as it should
deadline          the time was up: of the run, or of a wait for an object that was getting on
cancelled         somebody asked for a stop before all was done
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsspot.applier.events import Recap, RunOutcome
from rsspot.applier.options import CancelToken
from rsspot.applier.step import Result
from rsspot.errors import AuthError, Locked
from rsspot.planner.order import Step, Verb
from rsspot.resources.kind import Phase
from rsspot.state.ledger.protocol import StepState

ENDED_BY: dict[type[Exception], RunOutcome] = {Locked: RunOutcome.LOCKED, AuthError: RunOutcome.UNAUTHENTICATED}
"""The outcome of a run that an error broke off; failed for any other error."""
PRECEDENCE = (
    RunOutcome.LOCKED,
    RunOutcome.UNKNOWN,
    RunOutcome.UNAUTHENTICATED,
    RunOutcome.FAILED,
    RunOutcome.STALE,
    RunOutcome.PARTIAL,
    RunOutcome.DEADLINE,
    RunOutcome.CANCELLED,
)
GOOD = (StepState.DONE, StepState.SATISFIED)
WORDS = {
    Verb.CREATE: "created",
    Verb.PATCH: "updated",
    Verb.DETACH: "updated",
    Verb.DELETE: "deleted",
    Verb.EXPAND: "registered",
}
COUNTS = (
    "created",
    "updated",
    "deleted",
    "registered",
    "satisfied",
    "failed",
    "refused",
    "skipped",
    "unknown",
    "waiting",
)
"""Every key of a recap, always in this order."""


@dataclass(frozen=True)
class Ended:
    """What a run came to. waited: the results of waiting for what nothing had to be done for"""

    run: int
    steps: Sequence[Step]
    results: dict[int, Result]
    waited: Sequence[Result]
    fatal: Exception | None
    stop: CancelToken
    resent: int = 0


def recap_of(ended: Ended) -> Recap:
    """The counts and the outcome."""
    counts = _counts(ended)
    found = set(_reasons(ended, counts))
    reasons = tuple(each for each in PRECEDENCE if each in found)
    outcome = reasons[0] if reasons else RunOutcome.OK
    return Recap(ended.run, {name: counts[name] for name in COUNTS}, outcome, ended.resent, reasons)


def _counts(ended: Ended) -> Counter[str]:
    counts: Counter[str] = Counter()
    for step in ended.steps:
        state = ended.results[step.seq].state
        counts[WORDS[step.verb] if state is StepState.DONE else state.value] += 1
    counts["waiting"] = len(_unready(ended))
    return counts


def _unready(ended: Ended) -> list[Result]:
    return [each for each in (*ended.results.values(), *ended.waited) if not each.reached]


def _reasons(ended: Ended, counts: Counter[str]) -> Iterator[RunOutcome]:
    """Everything that kept the run from being a success."""
    unready = _unready(ended)
    good = sum(counts[word] for word in WORDS.values()) + counts["satisfied"] + counts["waiting"]
    if ended.fatal is not None:
        yield _of_error(ended.fatal)
    if counts["unknown"]:
        yield RunOutcome.UNKNOWN
    if counts["failed"] or counts["refused"]:
        yield RunOutcome.PARTIAL if good else RunOutcome.FAILED if counts["failed"] else RunOutcome.STALE
    if ended.stop.asked:
        if counts["skipped"] or unready:
            yield ended.stop.outcome
        return
    for result in unready:
        timed_out = result.readiness is not None and result.readiness.phase is Phase.TIMEOUT
        yield RunOutcome.DEADLINE if timed_out else RunOutcome.PARTIAL


def _of_error(error: Exception) -> RunOutcome:
    return ENDED_BY.get(type(error), RunOutcome.FAILED)
