"""A round as a line: what people read, and what a log gets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from rsspot.applier.events import Recap, RunOutcome
from rsspot.controller.lines import MOST_LISTED, is_news, round_document, round_line
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.errors import Problem, ServerError
from rsspot.manifests.manifest import ManifestSet
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.plan import Plan

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
QUIET = Round(3, "edge", BEGAN, RoundOutcome.IN_SYNC, seconds=0.25, wait=300.0)
DRIFT = Edit(("spec", "webhook"), "https://example.com/canary-secret", "https://example.com/ours", drift=True)


def differing(count: int, outcome: RoundOutcome = RoundOutcome.OUT_OF_SYNC) -> Round:
    """A round whose plan updates that many objects, of which the first has drifted."""
    names = [f"pool-{number}" for number in range(count)]
    changes = tuple(
        Change(f"spotnodepool/edge/{name}", Action.UPDATE, Ref("SpotNodePool", name), "", edits=(DRIFT,) * (not number))
        for number, name in enumerate(names)
    )
    return replace(QUIET, outcome=outcome, plan=Plan("scope", "org", "edge", "apply", changes, unchanged=2))


def test_lines_for_people() -> None:
    assert round_line(QUIET) == "2026-01-01T12:00:00Z edge round 3: in-sync"
    assert round_line(differing(2)) == (
        "2026-01-01T12:00:00Z edge round 3: out-of-sync: 2 to update, 1 drifted: "
        "spotnodepool/edge/pool-0, spotnodepool/edge/pool-1"
    )
    assert round_line(differing(9)).endswith("spotnodepool/edge/pool-4 and 4 more")
    failed = replace(QUIET, outcome=RoundOutcome.FAILED, reason="no\nanswer\x1b[2J")
    assert round_line(failed).count("\n") == 0
    assert "\x1b" not in round_line(failed)


def test_a_run_is_told_by_what_it_did() -> None:
    recap = Recap(7, {"created": 0, "updated": 2, "failed": 0})
    applied = replace(differing(2, RoundOutcome.APPLIED), recap=recap)
    assert ": applied: 2 updated, 1 drifted: spotnodepool/edge/pool-0," in round_line(applied)
    assert round_document(applied)["run"] == {"number": 7, "outcome": "ok", "counts": recap.counts}
    cut = replace(
        applied,
        outcome=RoundOutcome.FAILED,
        recap=replace(recap, outcome=RunOutcome.PARTIAL),
        reason="run 7 ended partial",
    )
    assert round_line(cut).endswith("run 7 ended partial")


def test_a_commit_that_is_not_the_newest_is_told() -> None:
    declared = DesiredState(ManifestSet("edge", (), ()), "0123456789abcdef", "git is away")
    assert round_line(replace(QUIET, declared=declared)).endswith("still at commit 0123456789ab: git is away")
    assert round_document(replace(QUIET, declared=declared))["revision"] == "0123456789abcdef"


def test_the_document_has_no_value_of_a_field() -> None:
    """So no secret is in it, however it is written."""
    refused = replace(
        differing(1).plan or Plan("", "", "", "", ()),
        refusals=(Problem("is too dear", rule="budget", hint="pay less"),),
    )
    ended = replace(differing(1, RoundOutcome.REFUSED), plan=refused, reason="is too dear")
    document = round_document(ended)
    assert "canary" not in json.dumps(document)
    assert document["refusals"] == [{"rule": "budget", "message": "is too dear"}]
    assert (document["schema"], document["nextIn"], document["hint"]) == ("rsspot.round/1", 300.0, None)


def test_a_document_is_bounded() -> None:
    document = round_document(differing(MOST_LISTED + 20))
    assert (len(document["changes"]), document["changesLeftOut"]) == (MOST_LISTED, 20)
    assert document["summary"]["update"] == MOST_LISTED + 20


def test_an_error_comes_with_its_way_out() -> None:
    error = ServerError("no answer", status=503, hint="look at the status page")
    document = round_document(replace(QUIET, outcome=RoundOutcome.FAILED, error=error, reason=error.message))
    assert (document["reason"], document["hint"]) == ("no answer", "look at the status page")


def test_what_is_news() -> None:
    assert is_news(None, QUIET)
    assert not is_news(QUIET, replace(QUIET, number=4))
    assert is_news(QUIET, differing(1))
    assert not is_news(differing(1), differing(1))
    assert is_news(differing(1), differing(2))
    assert is_news(differing(1), QUIET)
    assert is_news(QUIET, replace(QUIET, outcome=RoundOutcome.FAILED))
