"""What the guards over the life of objects let pass: an object that they pass by hides none that comes after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsspot.constants import ON_REMOVE_ANNOTATION
from rsspot.errors import Origin
from rsspot.manifests.lifecycle import Lifecycle, Replace
from rsspot.planner.case import Rule
from rsspot.planner.change import Action
from rsspot.planner.live import LiveState
from support.pools import EDGE, Stack, objections, planned, pool, said
from support.stacks import wanted_of, world_of


def marked(stack: Stack, name: str, word: str) -> LiveState:
    """A world in which a pool has a word about its removal."""
    world = world_of(stack)
    for each in world.live["SpotNodePool"].values():
        if each["metadata"]["annotations"]["rsspot.dev/name"] == name:
            each["metadata"]["annotations"][ON_REMOVE_ANNOTATION] = word
    return world


def test_a_protected_pool_is_told_behind_one_that_may_go() -> None:
    """And behind one that is made."""
    world = marked({**EDGE, **pool("a"), **pool("b")}, "b", "protect")
    (message,) = said(Rule.PROTECTION, {**EDGE, **pool("new")}, world, prune=True)
    assert message.startswith("spotnodepool/edge/b is protected, and would be deleted")


def test_a_pool_that_is_to_stay_may_be_replaced_with_its_cloudspace() -> None:
    """It is declared, and lives on in the new one; undeclared it would be lost."""
    live = {**EDGE, **pool("a")}
    moved: Stack = {("CloudSpace", "edge", ""): {"region": "iad", "kubernetesVersion": "1.33.0"}}
    world = marked(live, "a", "detach")
    assert said(Rule.PROTECTION, {**moved, **pool("a", serverClass="gp.large")}, world) == []
    assert len(said(Rule.PROTECTION, moved, world)) == 1


def test_a_pool_that_is_to_stay_is_no_obstacle_to_its_own_replacement() -> None:
    """The predecessor that an interrupted one left behind goes."""
    wanted = {**EDGE, **pool("a", serverClass="gp.large")}
    world = marked({**EDGE, **pool("a")}, "a", "detach")
    (manifest,) = wanted_of(pool("a", serverClass="gp.large"))
    name = manifest.kind.wire_name(world.organization, "a", manifest.spec, successor=True)
    (successor,) = world_of(pool("a", serverClass="gp.large")).live["SpotNodePool"].values()
    successor["metadata"] |= {"name": name, "uid": "successor"}
    successor["status"] = {"bidStatus": "Fulfilled", "wonCount": 1}
    world.live["SpotNodePool"][name] = successor  # type: ignore[index]
    (gone,) = planned(wanted, world).changes
    assert (gone.action, gone.reason) == (Action.DELETE, "left behind by a replacement")
    assert said(Rule.PROTECTION, wanted, world) == []


@pytest.mark.parametrize(("fields", "refused"), [({"desired": 2}, False), ({"serverClass": "gp.large"}, True)])
def test_what_must_not_be_replaced_may_be_changed(fields: dict[str, object], refused: bool) -> None:
    """`forbid` is about replacements alone."""
    wanted = wanted_of({**EDGE, **pool("a", **fields)})
    wanted = [replace(each, lifecycle=Lifecycle(replace=Replace.FORBID)) for each in wanted]
    assert bool(said(Rule.REPLACEMENT, wanted, {**EDGE, **pool("a")})) is refused


def test_a_replacement_that_is_forbidden_is_told_at_the_field_that_forces_it() -> None:
    """Not at one that is changed beside it."""
    (manifest,) = wanted_of(pool("a", bidPrice="0.04", serverClass="gp.large"))
    places = {("spec", name): Origin("stack.yaml", line) for line, name in enumerate(manifest.spec, 1)}
    forbidden = replace(manifest, lifecycle=Lifecycle(replace=Replace.FORBID), origins=places)
    (problem,) = objections(Rule.REPLACEMENT, [*wanted_of(EDGE), forbidden], {**EDGE, **pool("a")})
    assert problem.origin == places["spec", "serverClass"]
