"""How many servers a plan asks for: what counts as asked for, and what is said of a class that has fewer."""

from __future__ import annotations

from dataclasses import replace

from rsspot.planner.case import Rule
from rsspot.planner.live import LiveState
from rsspot.utils.serialization import Document
from support.pools import EDGE, Stack, planned, pool, said
from support.stacks import world_of


def stocked(stack: Stack, **servers: tuple[int, int]) -> LiveState:
    """A world in which classes have so many servers: free, and in all."""
    world = world_of(stack)
    changed: dict[str, Document] = {
        f"gp.{name}": {
            "metadata": {"name": f"gp.{name}"},
            "spec": {"minBidPricePerHour": "0.01"},
            "status": {"available": free, "capacity": total},
        }
        for name, (free, total) in servers.items()
    }
    return replace(world, live={**world.live, "ServerClass": {**world.live["ServerClass"], **changed}})


def test_a_class_of_one_server_has_one() -> None:
    """One is enough for one, and too few for two."""
    world = stocked(EDGE, small=(1, 1))
    assert said(Rule.SERVERS, {**EDGE, **pool("a", desired=1)}, world) == []
    assert said(Rule.SERVERS, {**EDGE, **pool("a", desired=2)}, world) == [
        "spotnodepool/edge/a: 2 more servers of gp.small are wanted, and there are 1 in all, 1 of them free"
    ]


def test_only_what_asks_for_more_is_named() -> None:
    """A pool that changes otherwise, or asks for fewer, is none of it; one more server is."""
    live = {**EDGE, **pool("a"), **pool("b", desired=5), **pool("c")}
    wanted = {**EDGE, **pool("a", bidPrice="0.04"), **pool("b", desired=2), **pool("c", desired=2)}
    assert planned(wanted, stocked(live, small=(0, 9))).notes == (
        "spotnodepool/edge/c: 1 more servers of gp.small are wanted, and 0 are free now",
    )


def test_a_class_that_has_enough_hides_none_that_has_not() -> None:
    """Each is told by itself, and what is refused is not noted as well."""
    world = stocked(EDGE, small=(9, 9), large=(1, 9))
    wanted = {**EDGE, **pool("a"), **pool("b", serverClass="gp.large", desired=2)}
    (note,) = planned(wanted, world).notes
    assert note == "spotnodepool/edge/b: 2 more servers of gp.large are wanted, and 1 are free now"
    scarce = stocked(EDGE, small=(0, 1), large=(1, 9))
    plan = planned({**EDGE, **pool("a", desired=2), **pool("b", serverClass="gp.large", desired=2)}, scarce)
    assert [each.rule for each in plan.refusals] == [Rule.SERVERS]
    assert plan.notes == (note,)


def test_a_successor_that_comes_first_needs_servers_of_its_own() -> None:
    """Though it is of the class that its predecessor has servers of, which one that comes after it takes over."""
    machines = {"vmCloudSpace": "vms", "serverClass": "gp.small", "desired": 2, "bidPrice": "0.03"}
    group: Stack = {("VMCloudSpace", "vms", ""): {"region": "dfw", "vmSshKeyRef": {"name": "ops"}}}
    live: Stack = {**group, ("VMPool", "a", "vms"): {**machines, "vmImage": "ubuntu22.04"}}
    wanted: Stack = {**group, ("VMPool", "a", "vms"): {**machines, "vmImage": "ubuntu24.04"}}
    world = stocked(live, small=(1, 1))
    (change,) = planned(wanted, world).changes
    assert change.surge
    assert said(Rule.SERVERS, wanted, world) == [
        "vmpool/vms/a: 2 more servers of gp.small are wanted, and there are 1 in all, 1 of them free"
    ]
