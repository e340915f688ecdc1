"""An object that says it is another one deletes nothing, and no plan deletes what it wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.models.refs import Ref
from rsspot.planner.change import Action
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document
from support.amount import amount
from support.stacks import ORGANIZATION, copies, plan_of, stacks, wanted_of, world_of

MANY = settings(max_examples=amount(60, 600), deadline=None)


def with_copies(world: LiveState, made: list[Document]) -> LiveState:
    """The world after somebody's work."""
    live = dict(world.live)
    live["SpotNodePool"] = live["SpotNodePool"] | {each["metadata"]["name"]: each for each in made}
    return replace(world, live=live)


def remembered(world: LiveState) -> dict[Ref, OwnedObject]:
    """What a ledger that was there all the time has on record."""
    found = {}
    for kind in ("CloudSpace", "SpotNodePool"):
        for name, live in world.live[kind].items():
            given = live["metadata"].get("annotations", {}).get("rsspot.dev/name", name)
            address = kinds()[kind].address(given, live["spec"])
            found[Ref(kind, name)] = OwnedObject(Ref(kind, name), address, live["metadata"]["uid"])
    return found


def gone(plan: Plan) -> set[str]:
    """The names of the objects that a plan deletes or replaces."""
    return {change.base.name for change in plan.changes if change.destructive and change.base}


@MANY
@given(st.data(), st.booleans(), st.booleans())
def test_copies_delete_nothing_that_is_declared(data: st.DataObject, ledger: bool, prune: bool) -> None:
    """With a ledger or without, pruning or not: only copies go, and only when pruning."""
    stack = data.draw(stacks())
    before = world_of(stack)
    made = data.draw(copies(before))
    world = with_copies(replace(before, owned=remembered(before) if ledger else {}), made)
    plan = build(
        wanted_of(stack),
        world,
        kinds(),
        stack="default",
        scope="tests",
        options=PlanOptions(prune=prune, most_deletes=99),
    )
    strangers = [problem.rule for problem in plan.refusals if problem.rule not in ("bystander", "twins")]
    assert not strangers
    assert gone(plan) <= ({each["metadata"]["name"] for each in made} if prune else set())
    assert {change.action for change in plan.changes} <= {Action.DELETE}


@MANY
@given(st.data(), st.booleans())
def test_a_change_of_a_copied_object_is_made_to_the_original(data: st.DataObject, ledger: bool) -> None:
    """Whatever the copy is like, even just as the manifest now wants it."""
    stack = data.draw(stacks())
    before = world_of(stack)
    made = data.draw(copies(before))
    world = with_copies(replace(before, owned=remembered(before) if ledger else {}), made)
    plan = build(wanted_of(changed(stack)), world, kinds(), stack="default", scope="tests", options=PlanOptions())
    copied = {each["metadata"]["name"] for each in made}
    assert not copied & {change.base.name for change in plan.changes if change.base}
    pools = [key for key in stack if key[0] == "SpotNodePool"]
    assert len([change for change in plan.changes if change.action is Action.REPLACE]) == len(pools)


def changed(stack: dict[Any, Document]) -> dict[Any, Document]:
    """The same with the other class for every pool."""
    other = {"gp.small": "gp.large", "gp.large": "gp.small"}
    return {
        key: spec | ({"serverClass": other[spec["serverClass"]]} if "serverClass" in spec else {})
        for key, spec in stack.items()
    }


@MANY
@given(st.data(), st.booleans())
def test_no_plan_deletes_what_it_wants(data: st.DataObject, ledger: bool) -> None:
    """Names that a plan makes, changes or leaves as they are, and names that it deletes, are never the same."""
    desired, live = data.draw(stacks()), data.draw(stacks())
    before = world_of(live)
    world = with_copies(replace(before, owned=remembered(before) if ledger else {}), data.draw(copies(before)))
    plan = plan_of(wanted_of(desired), world)
    made = {change.ref for change in plan.changes if change.action is not Action.DELETE}
    deleted = {
        Ref(change.ref.kind, change.base.name)
        for change in plan.changes
        if change.base and (change.action is Action.DELETE or change.surge)
    }
    assert not made & deleted
    for key, spec in desired.items():
        kind, name, _ = key
        wire = kinds()[kind].wire_name(ORGANIZATION, name, spec)
        if live.get(key) == spec and not any(change.parent and change.destructive for change in plan.changes):
            assert Ref(kind, wire) not in deleted


@pytest.mark.parametrize("when", ["2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])
def test_the_age_of_a_copy_means_nothing_where_the_name_is_known(when: str) -> None:
    """A copy that says it is older is a copy all the same."""
    stack = {
        ("CloudSpace", "edge", ""): {"region": "dfw", "kubernetesVersion": "1.33.0"},
        ("SpotNodePool", "workers", "edge"): {
            "cloudSpace": "edge",
            "serverClass": "gp.small",
            "desired": 1,
            "bidPrice": "0.03",
        },
    }
    before = world_of(stack)
    (original,) = before.live["SpotNodePool"].values()
    marks = {
        **original["metadata"],
        "name": "00000000-0000-4000-8000-000000000001",
        "uid": "copy",
        "creationTimestamp": when,
    }
    world = with_copies(before, [{**original, "metadata": marks}])
    plan = plan_of(wanted_of(stack), world)
    assert gone(plan) == {"00000000-0000-4000-8000-000000000001"}
    assert any("looks like a copy" in note for note in plan.notes)
