"""A saved plan is a bound: it is applied as approved, or refused before anything is sent."""

from __future__ import annotations

import json

import pytest

from rsspot.errors import StalePlan, UsageError
from rsspot.planner.codec import dump_plan
from rsspot.planner.plan import Plan
from rsspot.testing import SimulatedSpot
from rsspot.workflows.saved_plan import check_fresh, needs_manifests, read_plan, touched_by, with_secrets
from support.scenes import CLOUDSPACE, STACK, Scene, living

NEWER = STACK.replace("1.31.1", "1.32.0")


def saved(scene: Scene, plan: Plan) -> Plan:
    """A plan as it comes back from a file."""
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(dump_plan(plan)))
    return read_plan(file)


async def fresh(scene: Scene, plan: Plan) -> Plan:
    """A saved plan, held to what lives now."""
    return check_fresh(scene.client, plan, await touched_by(scene.client, plan))


async def test_a_fresh_plan_is_applied_as_it_was_made(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Controllers bump the object in between, which matters to nobody."""
    await scene.apply()
    plan = saved(scene, await scene.plan(NEWER))
    spot_api.advance(60)
    assert (await scene.run(await fresh(scene, plan))).outcome == "ok"
    assert (await scene.plan(NEWER)).empty


async def test_a_change_that_is_true_already_is_satisfied(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Somebody did by hand just what was approved: nothing is sent."""
    await scene.apply()
    plan = saved(scene, await scene.plan(NEWER))
    await scene.client.cloudspaces.patch("edge", {"kubernetesVersion": "1.32.0"})
    recap = await scene.run(await fresh(scene, plan))
    assert (recap.outcome, recap.counts["satisfied"], recap.counts["updated"]) == ("ok", 1, 0)
    assert len(spot_api.requests("PATCH")) == 1


async def test_a_stale_plan_is_refused_before_anything_is_sent(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The address and the difference are named."""
    await scene.apply()
    plan = saved(scene, await scene.plan(NEWER))
    await scene.client.cloudspaces.patch("edge", {"kubernetesVersion": "1.33.0"})
    sent = len(spot_api.requests("PATCH", "POST", "DELETE"))
    with pytest.raises(StalePlan, match=r"cloudspace/edge: .*kubernetesVersion is now '1\.33\.0'"):
        await fresh(scene, plan)
    assert len(spot_api.requests("PATCH", "POST", "DELETE")) == sent


async def test_a_plan_of_an_object_that_is_gone_is_stale(spot_api: SimulatedSpot, scene: Scene) -> None:
    """An update of nothing cannot be made; a delete of nothing is done."""
    await scene.apply()
    update, removal = saved(scene, await scene.plan(NEWER)), saved(scene, await scene.plan(CLOUDSPACE))
    for pool in living(spot_api.world, "spotnodepools"):
        await scene.client.spot_nodepools.delete(pool["metadata"]["name"])
    for pool in living(spot_api.world, "ondemandnodepools"):
        await scene.client.ondemand_nodepools.delete(pool["metadata"]["name"])
    spot_api.advance(100)
    await fresh(scene, removal)
    await scene.client.cloudspaces.delete("edge")
    spot_api.advance(100)
    with pytest.raises(StalePlan, match="deleted since"):
        await fresh(scene, update)


async def test_a_plan_that_was_edited_is_not_read(scene: Scene) -> None:
    """Its seal is broken."""
    document = dump_plan(await scene.plan())
    document["changes"][0]["name"] = "other"
    file = scene.folder / "plan.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="digest"):
        read_plan(file)


async def test_secrets_are_not_saved_and_are_put_back(spot_api: SimulatedSpot, scene: Scene) -> None:
    """What was a number in the file is the manifest's own value on the wire."""
    plan = saved(scene, await scene.plan(CLOUDSPACE))
    assert "first-secret" not in (scene.folder / "plan.json").read_text()
    assert needs_manifests(plan)
    assert (await scene.run(with_secrets(plan, scene.manifests(CLOUDSPACE)))).outcome == "ok"
    (live,) = living(spot_api.world, "cloudspaces")
    assert live["spec"]["webhook"] == "https://example.com/first-secret"


async def test_a_changed_secret_is_put_back_into_a_saved_update(spot_api: SimulatedSpot, scene: Scene) -> None:
    """The patch holds the new value, and the file held neither."""
    await scene.apply(CLOUDSPACE)
    text = CLOUDSPACE.replace("first", "second")
    plan = saved(scene, await scene.plan(text))
    assert "-secret" not in (scene.folder / "plan.json").read_text()
    restored = with_secrets(plan, scene.manifests(text))
    assert (await scene.run(await fresh(scene, restored))).outcome == "ok"
    (live,) = living(spot_api.world, "cloudspaces")
    assert live["spec"]["webhook"] == "https://example.com/second-secret"


@pytest.mark.parametrize("live", [False, True], ids=["create", "update"])
async def test_another_secret_than_the_planned_one_is_stale(spot_api: SimulatedSpot, scene: Scene, live: bool) -> None:
    """What was approved was the secret of that day: another is refused, neither is told, and nothing is sent."""
    if live:
        await scene.apply(CLOUDSPACE)
    planned, another = CLOUDSPACE.replace("first", "second"), CLOUDSPACE.replace("first", "third")
    plan = saved(scene, await scene.plan(planned))
    assert "-secret" not in (scene.folder / "plan.json").read_text()
    sent = len(spot_api.requests("POST", "PATCH"))
    with pytest.raises(StalePlan, match="a secret of cloudspace/edge") as refusal:
        with_secrets(plan, scene.manifests(another))
    assert "-secret" not in f"{refusal.value} {refusal.value.hint}"
    assert len(spot_api.requests("POST", "PATCH")) == sent
    restored = with_secrets(plan, scene.manifests(planned))
    assert (await scene.run(await fresh(scene, restored))).outcome == "ok"


async def test_a_secret_that_is_no_longer_declared_is_missed(scene: Scene) -> None:
    """Without its manifest a saved plan cannot be applied."""
    plan = saved(scene, await scene.plan(CLOUDSPACE))
    with pytest.raises(UsageError, match="no longer in the manifests"):
        with_secrets(plan, scene.manifests(CLOUDSPACE.replace("edge", "other")))


async def test_no_secret_is_in_the_ledger_after_an_apply(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Neither of the manifests nor of the account, in any of its files."""
    await scene.apply(CLOUDSPACE)
    await scene.apply(CLOUDSPACE.replace("first", "second"))
    token = scene.client.config.require("refresh_token")
    for file in spot_api.folder.glob("state.db*"):
        content = file.read_bytes()
        assert b"-secret" not in content
        assert token.encode() not in content
