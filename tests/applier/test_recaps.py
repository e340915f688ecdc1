"""What a run came to, told from what came of its steps: every reason, the worst first, and the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from rsspot.applier.events import Recap, RunOutcome
from rsspot.applier.options import CancelToken
from rsspot.applier.recap import Ended, recap_of
from rsspot.applier.step import Result
from rsspot.errors import AuthError, Locked, StateError
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.order import Step, Verb
from rsspot.resources.kind import Phase, Readiness
from rsspot.state.ledger.protocol import StepState

O, S = RunOutcome, StepState  # noqa: E741
CHANGE = Change("cloudspace/edge", Action.CREATE, Ref("CloudSpace", "edge"), "test")
LATE = Result(S.DONE, readiness=Readiness(Phase.TIMEOUT), reached=False)
STUCK = Result(S.DONE, readiness=Readiness(Phase.STUCK), reached=False)
UNSEEN = Result(S.DONE, reached=False)


def stop(outcome: RunOutcome | None = None) -> CancelToken:
    """A token that asked for a stop, if an outcome is given."""
    token = CancelToken()
    if outcome:
        token.ask(outcome)
    return token


def recap(
    *results: StepState | Result,
    verbs: Iterable[Verb] = (),
    waited: Sequence[Result] = (),
    fatal: Exception | None = None,
    asked: RunOutcome | None = None,
) -> Recap:
    """The recap of a run of so many steps, which create unless verbs are given."""
    ended = {seq: each if isinstance(each, Result) else Result(each) for seq, each in enumerate(results)}
    done = list(verbs) or [Verb.CREATE] * len(ended)
    steps = [Step(seq, CHANGE, done[seq]) for seq in ended]
    return recap_of(Ended(3, steps, ended, waited, fatal, stop(asked), resent=2))


@pytest.mark.parametrize(
    ("results", "reasons"),
    [
        ((), ()),
        ((S.DONE, S.SATISFIED), ()),
        ((S.SKIPPED,), ()),
        ((S.FAILED,), (O.FAILED,)),
        ((S.REFUSED,), (O.STALE,)),
        ((S.FAILED, S.REFUSED), (O.FAILED,)),
        ((S.FAILED, S.SKIPPED), (O.FAILED,)),
        ((S.DONE, S.FAILED), (O.PARTIAL,)),
        ((S.DONE, S.REFUSED), (O.PARTIAL,)),
        ((S.SATISFIED, S.FAILED), (O.PARTIAL,)),
        ((S.DONE, S.SATISFIED, S.FAILED), (O.PARTIAL,)),
        ((S.FAILED, LATE), (O.PARTIAL, O.DEADLINE)),
        ((S.UNKNOWN,), (O.UNKNOWN,)),
        ((S.UNKNOWN, S.FAILED), (O.UNKNOWN, O.FAILED)),
        ((S.UNKNOWN, S.REFUSED, S.DONE), (O.UNKNOWN, O.PARTIAL)),
        ((LATE,), (O.DEADLINE,)),
        ((STUCK,), (O.PARTIAL,)),
        ((UNSEEN,), (O.PARTIAL,)),
        ((LATE, STUCK), (O.PARTIAL, O.DEADLINE)),
        ((S.UNKNOWN, LATE, STUCK), (O.UNKNOWN, O.PARTIAL, O.DEADLINE)),
    ],
)
def test_every_reason_is_told_the_worst_first(
    results: tuple[StepState | Result, ...], reasons: tuple[RunOutcome, ...]
) -> None:
    """The outcome is the first of them, and ok without any."""
    told = recap(*results)
    assert told.reasons == reasons
    assert told.outcome is (reasons[0] if reasons else O.OK)


def test_something_good_that_is_not_ready_makes_a_failure_partial() -> None:
    """It was there before the run, and the run waited for it."""
    assert recap(S.FAILED, waited=[LATE]).reasons == (O.PARTIAL, O.DEADLINE)
    assert recap(waited=[LATE, Result(S.SATISFIED)]).reasons == (O.DEADLINE,)


@pytest.mark.parametrize(
    ("results", "asked", "reasons"),
    [
        ((S.DONE,), O.CANCELLED, ()),
        ((S.DONE, S.SKIPPED), O.CANCELLED, (O.CANCELLED,)),
        ((S.DONE, S.SKIPPED), O.DEADLINE, (O.DEADLINE,)),
        ((LATE,), O.CANCELLED, (O.CANCELLED,)),
        ((STUCK,), O.CANCELLED, (O.CANCELLED,)),
        ((S.DONE, S.FAILED, S.SKIPPED), O.CANCELLED, (O.PARTIAL, O.CANCELLED)),
        ((S.UNKNOWN, S.SKIPPED), O.CANCELLED, (O.UNKNOWN, O.CANCELLED)),
    ],
)
def test_a_stop_counts_only_when_something_was_left(
    results: tuple[StepState | Result, ...], asked: RunOutcome, reasons: tuple[RunOutcome, ...]
) -> None:
    """Then it says why, and nobody's patience is blamed for what was not waited for."""
    assert recap(*results, asked=asked).reasons == reasons


@pytest.mark.parametrize(
    ("fatal", "outcome"),
    [(Locked("x"), O.LOCKED), (AuthError("x"), O.UNAUTHENTICATED), (StateError("x"), O.FAILED), (OSError(), O.FAILED)],
)
def test_an_error_that_ended_the_run_is_its_outcome(fatal: Exception, outcome: RunOutcome) -> None:
    """Whatever else came of its steps."""
    assert recap(S.DONE, fatal=fatal).reasons == (outcome,)
    assert recap(S.DONE, S.REFUSED, LATE, fatal=fatal).outcome is outcome


@pytest.mark.parametrize(
    ("fatal", "reasons"),
    [
        (Locked("x"), (O.LOCKED, O.UNKNOWN)),
        (AuthError("x"), (O.UNKNOWN, O.UNAUTHENTICATED)),
        (StateError("x"), (O.UNKNOWN, O.FAILED)),
    ],
)
def test_a_write_in_doubt_outranks_the_error_that_ended_the_run(
    fatal: Exception, reasons: tuple[RunOutcome, ...]
) -> None:
    """Unless another run has the lease: that one looks it up."""
    told = recap(S.UNKNOWN, S.SKIPPED, fatal=fatal)
    assert (told.outcome, told.reasons) == (reasons[0], reasons)


def test_steps_are_counted_by_what_they_did() -> None:
    """Done ones by their verb, the rest by their state; what is not as far as it should be once more."""
    states = [S.DONE, S.SATISFIED, S.FAILED, S.REFUSED, S.SKIPPED, S.UNKNOWN]
    told = recap(*[S.DONE] * 5, *states[1:], LATE, verbs=[*Verb, *[Verb.CREATE] * 6], waited=[STUCK])
    assert (told.run, told.resent) == (3, 2)
    assert list(told.counts.items()) == [
        ("created", 2),
        ("updated", 2),
        ("deleted", 1),
        ("registered", 1),
        ("satisfied", 1),
        ("failed", 1),
        ("refused", 1),
        ("skipped", 1),
        ("unknown", 1),
        ("waiting", 2),
    ]
