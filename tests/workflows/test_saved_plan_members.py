"""What a saved plan may do to objects that no manifest declares by itself, and to what is left of declared ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from rsspot.constants import STACK_LABEL
from rsspot.errors import PlanRefused
from rsspot.models.costs import Measure
from rsspot.planner.case import Rule
from rsspot.planner.codec import digest_of, dump_plan
from rsspot.planner.options import SpendingLimit
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.saved_plan import prepare_saved_plan, read_plan
from support.registering import STACK
from support.scenes import CLOUDSPACE, WORKERS, Scene, open_scene, scene

__all__ = ["open_scene", "scene"]
TEXT = STACK.replace("EXEC", "[/bin/sh]").replace("0.03", "0.10")
SPACE, POOL, REGISTRATION = TEXT.split("---")
ELSEWHERE = "---".join(each.replace("vms", "others").replace("known", "there") for each in (SPACE, REGISTRATION))
ELSEWHERE = ELSEWHERE.replace("omniCluster: first", "omniCluster: second")
UNDECLARED = "is declared by no manifest"


async def refused(scene: Scene, document: Document, text: str | None, rule: Rule = Rule.SAVED_PLAN) -> list[str]:
    """What a rule says to a plan file while these manifests are at hand, or none."""
    document["digest"] = digest_of(document)
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(document))
    try:
        manifests = None if text is None else scene.manifests(text)
        await prepare_saved_plan(scene.client, read_plan(file), manifests, scene.ledger)
    except PlanRefused as refusal:
        return [problem.message for problem in refusal.problems if problem.rule is rule]
    return []


async def planned(scene: Scene, text: str) -> Document:
    """A plan as its file has it."""
    document: Document = json.loads(json.dumps(dump_plan(await scene.plan(text))))
    return document


async def test_all_machines_of_a_group_that_is_to_come_are_declared(scene: Scene) -> None:
    """By one Registration, for as long as it says the same."""
    document = await planned(scene, TEXT)
    assert await refused(scene, document, TEXT) == []
    assert await refused(scene, document, f"{SPACE}---{POOL}") == [f"vmregistration/vms/known:* {UNDECLARED}"]
    other = TEXT.replace("omniCluster: first", "omniCluster: second")
    assert await refused(scene, document, other) == [f"vmregistration/vms/known:* {UNDECLARED}"]


def to_another_cluster(change: Document) -> None:
    change["body"]["spec"]["omniCluster"] = "theirs"


def as_one_elsewhere(change: Document) -> None:
    change["body"]["spec"] |= {"vmCloudSpace": "others", "omniCluster": "second"}


def without_a_spec(change: Document) -> None:
    del change["body"]["spec"]


@pytest.mark.parametrize("tamper", [to_another_cluster, as_one_elsewhere, without_a_spec])
async def test_a_machine_is_registered_as_its_registration_says(
    spot_api: SimulatedSpot, scene: Scene, tamper: Callable[[Document], Any]
) -> None:
    """And of its own group: what another Registration says counts for the machines of that one."""
    await scene.apply(f"{SPACE}---{POOL}")
    (group,) = spot_api.world.store.objects("vmcloudspaces")
    servers = {f"vm-{number}": {"ipAddress": f"10.0.0.{number}"} for number in (1, 2)}
    spot_api.world.set_status("vmcloudspaces", group, assignedServers=servers)
    document = await planned(scene, f"{TEXT}---{ELSEWHERE}")
    change = next(each for each in document["changes"] if each["kind"] == "VMRegistration")
    assert await refused(scene, document, f"{TEXT}---{ELSEWHERE}") == []
    tamper(change)
    assert await refused(scene, document, f"{TEXT}---{ELSEWHERE}") == [f"{change['address']} {UNDECLARED}"]


async def test_only_a_registration_stands_for_others(scene: Scene) -> None:
    """A second pool is not declared because it is like the first one."""
    text = CLOUDSPACE + WORKERS + WORKERS.replace("name: workers", "name: second")
    document = await planned(scene, text)
    assert await refused(scene, document, CLOUDSPACE + WORKERS) == [f"spotnodepool/edge/second {UNDECLARED}"]


async def test_what_is_declared_no_more_is_not_changed(scene: Scene) -> None:
    """Whatever the plan would do to it, other than let it go."""
    await scene.apply(CLOUDSPACE + WORKERS)
    document = await planned(scene, CLOUDSPACE + WORKERS.replace("desired: 2", "desired: 9"))
    assert await refused(scene, document, CLOUDSPACE) == [f"spotnodepool/edge/workers {UNDECLARED}"]
    gone = await planned(scene, CLOUDSPACE)
    assert await refused(scene, gone, CLOUDSPACE) == []


async def test_what_is_nobodys_by_now_is_only_adopted(scene: Scene) -> None:
    """An update that says so itself, of an object that the ledger does not know, does not take it over."""
    documents = scene.client.documents(kinds()["CloudSpace"])
    spec = scene.manifests(CLOUDSPACE).manifests[0].spec
    await scene.client.cloudspaces.create("edge", spec, labels={STACK_LABEL: "default"})
    document = await planned(scene, CLOUDSPACE.replace("1.31.1", "1.32.0"))
    (change,) = document["changes"]
    assert change["action"] == "update"
    await documents.patch("edge", {"metadata": {"labels": {STACK_LABEL: None}}})
    change["base"] |= {"owner": None, "managedDigest": None}
    said = "cloudspace/edge is not of the stack 'default': it must not be changed by its plan"
    assert await refused(scene, document, None, Rule.OWNERSHIP) == [said]
    change["action"] = "adopt"
    assert await refused(scene, document, None, Rule.OWNERSHIP) == []


async def test_what_a_new_plan_takes_away_too_may_go(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Though its address is declared: what a replacement left behind, and what is replaced by now."""
    await scene.apply(CLOUDSPACE + WORKERS)
    gone = await planned(scene, CLOUDSPACE)
    larger = CLOUDSPACE + WORKERS.replace("gp.vs1.medium", "gp.vs1.large")
    assert await refused(scene, gone, larger) == []
    successor = (await scene.plan(larger)).changes[0].body
    assert successor is not None
    pools = scene.client.documents(kinds()["SpotNodePool"])
    await pools.create(successor)
    spot_api.advance(600)
    left = await planned(scene, larger)
    assert [(each["action"], each["address"]) for each in left["changes"]] == [("delete", "spotnodepool/edge/workers")]
    assert await refused(scene, left, larger) == []


async def test_a_plan_is_prepared_with_what_the_stack_costs_by_now(scene: Scene) -> None:
    """Which is held to the limits of whoever applies it."""
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(dump_plan(await scene.plan(CLOUDSPACE + WORKERS))))
    manifests = scene.manifests(CLOUDSPACE + WORKERS)
    prepared = await prepare_saved_plan(scene.client, read_plan(file), manifests, scene.ledger)
    assert prepared.cost == (await scene.plan(CLOUDSPACE + WORKERS)).cost
    assert prepared.cost is not None
    nothing = SpendingLimit(Decimal(0), 1, Measure.CEILING, "--max-cost")
    with pytest.raises(PlanRefused, match="the stack would cost"):
        await prepare_saved_plan(scene.client, read_plan(file), manifests, scene.ledger, spending=(nothing,))
