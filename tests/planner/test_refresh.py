"""What drifted since the last apply, told from the ledger and the live objects alone."""

from __future__ import annotations

import pytest

from rsspot.constants import STACK_LABEL
from rsspot.models.refs import Ref
from rsspot.planner.change import Action
from rsspot.planner.live import LiveState
from rsspot.planner.refresh import drifted
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document

EDGE = Ref("CloudSpace", "edge")
SPEC: Document = {"region": "dfw", "kubernetesVersion": "1.33.0"}


def drift(applied: Document, *live: Document, **world: object) -> list[tuple[Action, str]]:
    """What became of a cloudspace that is on record."""
    owned = {EDGE: OwnedObject(EDGE, "cloudspace/edge", "uid-1", applied)}
    objects = {"CloudSpace": {each["metadata"]["name"]: each for each in live}}
    state = LiveState("org-tests", objects, owned=owned, **world)  # type: ignore[arg-type]
    return [(change.action, change.reason) for change in drifted(state, kinds())]


def living(**metadata: object) -> Document:
    """The live cloudspace."""
    return {"metadata": {"name": "edge", "uid": "uid-1", "labels": {STACK_LABEL: "demo"}, **metadata}, "spec": SPEC}


@pytest.mark.parametrize(
    ("live", "action", "reason"),
    [
        ((), Action.DELETE, "deleted by somebody else"),
        ((living(uid="uid-2"),), Action.REPLACE, "deleted, and made again by somebody else"),
        ((living(deletionTimestamp="2026-01-01T00:00:00Z"),), Action.DELETE, "being deleted by somebody else"),
        ((living(),), Action.UPDATE, "changed by somebody else"),
    ],
)
def test_each_thing_that_may_become_of_an_object_has_its_words(
    live: tuple[Document, ...], action: Action, reason: str
) -> None:
    """Whatever it is, it was not this stack."""
    assert drift({"spec/region": "iad"}, *live) == [(action, reason)]


def test_what_is_as_it_was_applied_has_not_drifted() -> None:
    """Nor has what could not be read."""
    assert drift({"spec/region": "dfw"}, living()) == []
    assert drift({"spec/region": "iad"}, incomplete={"CloudSpace": "503 from the service"}) == []


def test_a_field_that_this_version_does_not_know_is_compared_as_it_stands() -> None:
    """The ledger may be that of a newer version."""
    assert drift({"spec/future": {"a": 1}}, {**living(), "spec": {**SPEC, "future": {"a": 1}}}) == []
    assert drift({"spec/future": 1}, {**living(), "spec": {**SPEC, "future": 2}}) != []
