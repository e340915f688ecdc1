"""What the guards over fields let pass and what not: at each edge of a rule, and behind an object that it passes by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsspot.planner.case import Rule
from rsspot.planner.change import Action
from rsspot.services.cloudspaces.versions import KNOWN
from rsspot.utils.serialization import Document
from support.pools import EDGE, POOL, Stack, classes, planned, pool, said, space
from support.stacks import ORGANIZATION, wanted_of, world_of

SCALED: Document = {"autoscaling": {"enabled": True, "minNodes": 1, "maxNodes": 5}}
BETWEEN: Document = {"bidPrice": "0.025"}
"""A bid that is not on the ladder."""


# Versions


@pytest.mark.parametrize("version", ["1.29.0", "1.31.9", "1.36.0"])
def test_versions_on_record_and_three_minors_after_them_may_exist(version: str) -> None:
    """The service may have newer ones than this program knows."""
    assert (KNOWN[0], KNOWN[-1]) == ("1.29.6", "1.33.0")
    assert said(Rule.VERSION, space(kubernetesVersion=version), {}) == []


@pytest.mark.parametrize("version", ["1.28.9", "1.37.0", "0.33.0", "2.33.0"])
def test_other_versions_do_not_exist(version: str) -> None:
    """Neither newer nor older ones, nor such as a slip of the finger makes."""
    message = f"cloudspace/edge: there is no Kubernetes {version}"
    assert said(Rule.VERSION, space(kubernetesVersion=version), {}) == [message]


@pytest.mark.parametrize(
    ("wanted", "running", "refused"),
    [("1.33.0", "1.32.9", False), ("1.33.0", "v1.33.0", False), ("1.32.9", "1.33.0", True)],
)
def test_a_version_may_be_raised_and_not_lowered(wanted: str, running: str, refused: bool) -> None:
    """The same one in another spelling is no lower one."""
    found = said(Rule.VERSION, space(kubernetesVersion=wanted), space(kubernetesVersion=running))
    assert found == ([f"cloudspace/edge: Kubernetes {running} cannot be lowered to {wanted}"] if refused else [])


def test_a_version_is_judged_only_where_it_is_sent() -> None:
    """One that lives already, one that is left to the service, and a lower one of an object that is made anew."""
    old = space(kubernetesVersion="1.20.1")
    assert said(Rule.VERSION, space(kubernetesVersion="1.20.1", webhook="https://a"), old) == []
    assert said(Rule.VERSION, space(kubernetesVersion=None), {}) == []
    assert said(Rule.VERSION, space(kubernetesVersion="1.32.9", region="iad"), EDGE) == []


# References and regions


def test_a_class_that_does_not_exist_is_told_beside_a_cloudspace_that_does() -> None:
    """Every reference of an object is asked for. Classes are made by nobody, so no manifest of one is proposed."""
    world = world_of(EDGE)
    (problem,) = planned(pool("workers", serverClass="zz.other"), world).refusals
    assert problem.message.endswith("names the ServerClass 'zz.other', which does not exist")
    assert problem.hint is None
    (problem,) = planned(pool("workers", cloudSpace="zz-other"), world).refusals
    assert problem.hint == "declare a CloudSpace 'zz-other' too"


@pytest.mark.parametrize("live", [{}, space(region="gone")])
def test_a_region_that_no_manifest_names_is_not_asked_for(live: Stack) -> None:
    """Also where the object lives in one that is not listed any more."""
    assert said(Rule.UNKNOWN_REFERENCE, space(region=None), live) == []


def test_a_cloudspace_that_is_left_alone_may_be_named() -> None:
    """Detached from the stack, it is still there; only one that is deleted is not."""
    world = world_of(EDGE)
    world.live["CloudSpace"]["edge"]["metadata"]["annotations"] = {"rsspot.dev/on-remove": "detach"}
    actions = {change.action for change in planned(pool("workers"), world, prune=True).changes}
    assert actions == {Action.CREATE, Action.DETACH}
    assert said(Rule.UNKNOWN_REFERENCE, pool("workers"), world, prune=True) == []
    assert said(Rule.UNKNOWN_REFERENCE, pool("workers"), EDGE, prune=True) != []


# Classes and bids


def test_a_class_that_is_not_on_offer_is_told_behind_a_pool_that_stays() -> None:
    """A new pool and a replaced one need new servers."""
    world = classes(world_of({**EDGE, **pool("a"), **pool("b")}), large={"availability": "deprecated"})
    wanted = {**EDGE, **pool("a"), **pool("b", serverClass="gp.large"), **pool("c", serverClass="gp.large")}
    assert said(Rule.AVAILABILITY, wanted, world) == [
        "spotnodepool/edge/b: gp.large is deprecated",
        "spotnodepool/edge/c: gp.large is deprecated",
    ]


def test_a_bid_is_judged_beside_other_edits_and_for_the_class_that_is_new() -> None:
    """An edit of the bid counts among others; a replacement sends the bid that stays, too."""
    live = {**EDGE, **pool("a")}
    (message,) = said(Rule.BID, {**EDGE, **pool("a", desired=2, **BETWEEN)}, live)
    assert "not on the bid ladder" in message
    world = classes(world_of(live), large={"minBidPricePerHour": "0.05"})
    assert len(said(Rule.BID, {**EDGE, **pool("a", serverClass="gp.large")}, world)) == 1
    assert said(Rule.BID, {**EDGE, **pool("a", desired=2)}, classes(world, small={"minBidPricePerHour": "0.05"})) == []


def test_a_bid_for_a_class_that_is_not_known_is_not_judged() -> None:
    """That the class does not exist is said already."""
    assert said(Rule.BID, {**EDGE, **pool("a", serverClass="zz.other", **BETWEEN)}, {}) == []


# Fields that go together


def test_what_does_not_fit_together_is_told_behind_an_object_that_stays() -> None:
    """Objects that are as declared are passed by."""
    wanted = {**EDGE, **pool("a"), **pool("b", autoscaling={"enabled": True, "minNodes": 5, "maxNodes": 1})}
    assert len(said(Rule.FIELDS, wanted, {**EDGE, **pool("a")})) == 1


@pytest.mark.parametrize("action", ["pruned", "detached", "foreign", "foreign and off"])
def test_an_undeclared_pool_may_stand_in_the_way_of_autoscaling(action: str) -> None:
    """Unless it is deleted by the same plan, or has it off."""
    world = world_of({**EDGE, **pool("a"), **pool("old", **({} if action.endswith("off") else SCALED))})
    metadata = next(each["metadata"] for each in world.live["SpotNodePool"].values() if "old" in str(each))
    if action == "detached":
        metadata["annotations"]["rsspot.dev/on-remove"] = "detach"
    elif action.startswith("foreign"):
        metadata["labels"] = {}
    refused = said(Rule.EXCLUSIVE, {**EDGE, **pool("a", **SCALED)}, world, prune=True)
    assert bool(refused) is (action in ("detached", "foreign"))


def test_a_pool_that_is_made_anew_without_autoscaling_leaves_it_to_another() -> None:
    """What its predecessor had is not carried over."""
    live = {**EDGE, **pool("a", **SCALED), **pool("b")}
    wanted = {**EDGE, **pool("a", serverClass="gp.large"), **pool("b", **SCALED)}
    assert said(Rule.EXCLUSIVE, wanted, live) == []
    assert len(said(Rule.EXCLUSIVE, {**EDGE, **pool("a"), **pool("b", **SCALED)}, live)) == 1


def test_one_pool_of_each_kind_may_autoscale() -> None:
    """They are not of one auction."""
    rented = {key: value for key, value in POOL.items() if key != "bidPrice"} | SCALED
    wanted = {**EDGE, **pool("a", **SCALED), ("OnDemandNodePool", "b", "edge"): rented}
    assert said(Rule.EXCLUSIVE, wanted, {}) == []


# Namespaces


@pytest.mark.parametrize(
    ("namespace", "refused"), [(None, False), ("", False), (ORGANIZATION, False), ("org-other", True)]
)
def test_a_manifest_may_name_the_organization_it_is_applied_to(namespace: str | None, refused: bool) -> None:
    """And no other one."""
    (manifest,) = wanted_of(EDGE)
    named = replace(manifest, namespace=namespace)
    assert bool(said(Rule.NAMESPACE, [named], {})) is refused
