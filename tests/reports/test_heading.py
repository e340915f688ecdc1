"""The first line of a printed plan: which stack, whose, and how much was read."""

from __future__ import annotations

import pytest

from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.reports.text import TextReport, heading

MADE = Change("pool/a", Action.CREATE, Ref("P", "a"), "declared")
GONE = Change("pool/b", Action.DELETE, Ref("P", "b"), "undeclared")


def plan(*changes: Change, files: tuple[str, ...] = (), target: tuple[str, ...] = ()) -> Plan:
    return Plan("scope", "org-x", "mine", "apply", changes, unchanged=2, files=files, target=target)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (plan(MADE, GONE, files=("a", "b")), "Stack mine in org-x: 3 objects in 2 files"),
        (plan(files=("a",)), "Stack mine in org-x: 2 objects in 1 file"),
        (plan(MADE, files=("a",), target=("pool/a",)), "Stack mine in org-x: 1 file"),
        (plan(GONE), "Stack mine in org-x"),
    ],
)
def test_a_plan_begins_with_what_it_is_about(of: Plan, said: str) -> None:
    """What goes is not declared, and a plan without manifests has none to count."""
    assert heading(of) == said
    assert TextReport().plan(of).splitlines()[:2] == [said, ""]
