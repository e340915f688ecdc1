"""How much one run may take away: at each limit what is still allowed, and one more that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsspot.constants import STACK_LABEL
from rsspot.manifests.manifest import Manifest
from rsspot.planner.case import Rule
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.pipeline import build
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document
from support.stacks import ORGANIZATION, wanted_of, world_of

Stack = dict[tuple[str, str, str], Document]
SPACE: Stack = {("CloudSpace", "edge", ""): {"region": "dfw", "kubernetesVersion": "1.33.0"}}


def refused(wanted: list[Manifest], world: LiveState, options: PlanOptions) -> list[str]:
    """What is said of how much would be taken away."""
    plan = build(wanted, world, kinds(), stack="default", scope="tests", options=options)
    return [problem.message for problem in plan.refusals if problem.rule is Rule.BLAST_RADIUS]


def pruned(removed: int, owned: int, *, deletes: int | None = None, percent: int | None = None) -> list[str]:
    """The same of a stack of keys that declares all but some of them."""
    names = [f"key-{number}" for number in range(owned)]
    keys = {name: key(name) for name in names}
    wanted = [declared(keys[name]) for name in names[removed:]]
    options = PlanOptions(prune=True, most_deletes=deletes, most_delete_percent=percent)
    return refused(wanted, LiveState(ORGANIZATION, {"VMSSHKey": keys}), options)


def key(name: str) -> Document:
    """A live SSH key of the stack: nothing lives in it, and it costs nothing."""
    metadata = {"name": name, "uid": f"uid-{name}", "labels": {STACK_LABEL: "default"}}
    return {"kind": "VMSSHKey", "metadata": metadata, "spec": {"publicKey": "ssh-ed25519 AAAA"}}


def declared(live: Document) -> Manifest:
    """The manifest of a live key."""
    return Manifest(kinds()["VMSSHKey"], live["metadata"]["name"], {"metadata": {}, "spec": live["spec"]})


def pools(count: int, server_class: str) -> Stack:
    """So many node pools in one cloudspace. Of another class each is replaced with the new one first."""
    spec = {"cloudSpace": "edge", "serverClass": server_class, "desired": 1, "bidPrice": "0.03"}
    return {("SpotNodePool", f"pool-{number}", "edge"): spec for number in range(count)}


@pytest.mark.parametrize(
    ("removed", "owned", "allowed"),
    [
        pytest.param(1, 1, True, id="a single object is no mass"),
        pytest.param(2, 4, True, id="half of a small stack"),
        pytest.param(2, 3, False, id="more than half of a small stack"),
        pytest.param(10, 20, True, id="ten are few, so half of the stack may go"),
        pytest.param(10, 19, False, id="ten are more than half"),
        pytest.param(11, 37, True, id="eleven are many, and just under 30 percent"),
        pytest.param(11, 36, False, id="eleven are many, and just over 30 percent"),
        pytest.param(12, 40, True, id="exactly 30 percent"),
        pytest.param(33, 109, False, id="30.3 percent"),
    ],
)
def test_without_limits_a_share_of_the_stack_may_go(removed: int, owned: int, allowed: bool) -> None:
    """Up to ten objects, half of what the stack has; above that, 30 percent."""
    assert (pruned(removed, owned) == []) is allowed


def test_what_is_refused_is_counted_in_the_message() -> None:
    """Its reader learns which of the two shares was exceeded."""
    (few,), (many,) = pruned(2, 3), pruned(11, 36)
    assert few == "2 of 3 objects would be deleted or replaced; without limits at most 50 % are"
    assert many == "11 of 36 objects would be deleted or replaced; without limits at most 30 % are"


@pytest.mark.parametrize(("deletes", "allowed"), [(2, True), (1, False), (0, False)])
def test_a_limit_is_the_last_count_that_is_allowed(deletes: int, allowed: bool) -> None:
    """With a count of the author's own, the share that is allowed without limits is not asked for."""
    said = pruned(2, 2, deletes=deletes)
    assert said == ([] if allowed else [f"2 objects would be deleted or replaced; the limit is {deletes}"])


def test_one_object_above_the_limit_is_said_in_the_singular() -> None:
    """So that the sentence reads well in the most common case."""
    assert pruned(1, 2, deletes=0) == ["1 object would be deleted or replaced; the limit is 0"]


@pytest.mark.parametrize(("removed", "percent", "allowed"), [(2, 67, True), (2, 66, False), (3, 100, True)])
def test_a_percentage_is_the_last_share_that_is_allowed(removed: int, percent: int, allowed: bool) -> None:
    """Two thirds are above 66 percent; all of a stack may go where its author allows 100."""
    assert (pruned(removed, 3, percent=percent) == []) is allowed


def test_exactly_the_percentage_may_go() -> None:
    """A limit of 50 percent allows one of two."""
    assert pruned(1, 2, percent=50) == []


@pytest.mark.parametrize(("count", "allowed"), [(10, True), (11, False)])
def test_many_replacements_with_the_new_one_first_are_a_mass_too(count: int, allowed: bool) -> None:
    """Up to ten take nothing away, since each successor is ready before its predecessor goes."""
    wanted = wanted_of({**SPACE, **pools(count, "gp.large")})
    world = world_of({**SPACE, **pools(count, "gp.small")})
    assert (refused(wanted, world, PlanOptions()) == []) is allowed


@pytest.mark.parametrize("percent", [None, 10])
def test_what_the_stack_does_not_have_is_no_share_of_it(percent: int | None) -> None:
    """Objects without a stack are refused for that, not as so many of 0 objects."""
    world = world_of({**SPACE, **pools(11, "gp.small")})
    for live in (*world.live["CloudSpace"].values(), *world.live["SpotNodePool"].values()):
        del live["metadata"]["labels"]
    wanted = wanted_of({**SPACE, **pools(11, "gp.large")})
    assert refused(wanted, world, PlanOptions(most_delete_percent=percent)) == []


def test_new_objects_are_no_removals() -> None:
    """However many are made, what goes is counted alone."""
    made: Stack = {("CloudSpace", f"new-{number}", ""): SPACE["CloudSpace", "edge", ""] for number in range(9)}
    keys = {name: key(name) for name in ("one", "two", "three", "four")}
    kept = [declared(keys[name]) for name in ("one", "two")]
    world = world_of({})
    world = replace(world, live={**world.live, "VMSSHKey": keys})
    assert refused([*kept, *wanted_of(made)], world, PlanOptions(prune=True)) == []


def test_what_holds_other_objects_is_not_replaced_without_limits() -> None:
    """Though it is a single object, everything in it goes too."""
    moved: Stack = {("CloudSpace", "edge", ""): {"region": "iad", "kubernetesVersion": "1.33.0"}}
    said = refused(wanted_of(moved), world_of(SPACE), PlanOptions())
    assert said == ["cloudspace/edge would be replaced, with everything in it"]
