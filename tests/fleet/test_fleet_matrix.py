"""The matrix of a fleet: what it says in every form, and that names of others stay text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rsspot.applier.events import Recap, RunOutcome
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.errors import AuthError
from rsspot.fleet.matrix import exit_code, fleet_document, html, markdown, rows, stack_document
from rsspot.fleet.members import Member
from rsspot.fleet.work import StackResult
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.state.ledger.protocol import RunRecord

HOSTILE = "a|b`c</td><script>alert(1)</script> @mallory [x](http://evil) \x1b[2J"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CHANGE = Change("cloudspace/edge", Action.UPDATE, Ref("CloudSpace", "edge"), "differs")


def result(name: str, outcome: RoundOutcome = RoundOutcome.IN_SYNC, **more: object) -> StackResult:
    plan = Plan("scope", "org", name, "apply", (CHANGE,) * (outcome is RoundOutcome.OUT_OF_SYNC), unchanged=1)
    return StackResult(Member(name, ()), replace(Round(1, name, BEGAN, outcome, plan=plan), **more))  # type: ignore[arg-type]


RUN = RunRecord(12, "scope", "apply", "", "2026-01-01T00:00:00Z", None, None)


def test_a_row_for_each_stack_in_the_order_of_names() -> None:
    stacks = [
        stack_document(replace(result("west"), last_run=RUN)),
        stack_document(result("edge", RoundOutcome.OUT_OF_SYNC)),
    ]
    assert [(row["stack"], row["outcome"], row["changes"], row["last_run"]) for row in rows(stacks)] == [
        ("edge", "out-of-sync", "1 to update", ""),
        ("west", "in-sync", "", "12 open 2026-01-01T00:00:00Z"),
    ]
    document = fleet_document("company", stacks)
    assert document["summary"] == {"in-sync": 1, "out-of-sync": 1}
    assert document["stacks"][1]["lastRun"] == {"number": 12, "outcome": None, "startedAt": RUN.started_at}


def test_names_and_reasons_of_others_stay_text() -> None:
    stacks = [stack_document(result(HOSTILE, RoundOutcome.FAILED, reason=HOSTILE))]
    page, table = html(HOSTILE, stacks), markdown(HOSTILE, stacks)
    assert "<script>" not in page and "\x1b" not in page
    assert "<script>" not in table and "@mallory" not in table.replace("&#64;", "") and "\x1b" not in table
    assert table.splitlines()[-1].count("|") == 8
    assert "default-src 'none'" in page and "http-equiv" in page


def failed(**more: object) -> StackResult:
    return result("f", RoundOutcome.FAILED, **more)


@pytest.mark.parametrize(
    "results, code",
    [
        ([], 0),
        ([result("a"), result("b", RoundOutcome.OUT_OF_SYNC), result("c", RoundOutcome.PAUSED)], 0),
        ([failed(error=AuthError("no token"))], 4),
        ([failed(error=AuthError("no token")), failed(error=AuthError("no token"))], 4),
        ([result("a"), failed(error=AuthError("no token"))], 7),
        ([result("a", RoundOutcome.REFUSED)], 5),
        ([result("a", RoundOutcome.LOCKED)], 10),
        ([result("a", RoundOutcome.LOCKED), result("b", RoundOutcome.REFUSED)], 7),
        ([failed(recap=Recap(1, {}, RunOutcome.UNKNOWN))], 11),
        ([failed()], 1),
    ],
)
def test_exit_codes(results: list[StackResult], code: int) -> None:
    assert exit_code([stack_document(each) for each in results]) == code
