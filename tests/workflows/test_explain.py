"""explain: one object of a plan, field by field, with its secrets masked."""

from __future__ import annotations

import pytest

from rsspot.errors import UsageError
from rsspot.resources.registry import kinds
from rsspot.workflows.explain import explain
from support.scenes import CLOUDSPACE, WORKERS, Scene, open_scene, scene

__all__ = ["open_scene", "scene"]
TAINTED = WORKERS.replace("desired: 2", "desired: 2, customTaints: [{key: a, effect: NoSchedule}]")


async def explained(scene: Scene, text: str, address: str):
    return await explain(scene.client, scene.ledger, scene.manifests(text), address)


async def test_what_does_not_exist_is_created(scene: Scene) -> None:
    """There is nothing to compare."""
    found = await explained(scene, CLOUDSPACE, "cloudspace/edge")
    assert (found.action, found.wire_name, found.differences) == ("create", None, ())


async def test_what_is_as_declared_is_unchanged(scene: Scene) -> None:
    """Also a pool, whose wire name nobody has to know; what the service filled in is left alone."""
    await scene.apply(CLOUDSPACE + WORKERS)
    found = await explained(scene, CLOUDSPACE + WORKERS, "spotnodepool/edge/workers")
    assert (found.action, found.differences) == ("unchanged", ())
    assert found.left_alone == ("autoscaling",)


async def test_each_difference_is_a_sentence(scene: Scene) -> None:
    """An item of a list is named by itself, and a bid in one spelling."""
    await scene.apply(CLOUDSPACE + TAINTED)
    changed = TAINTED.replace("0.06", "0.08").replace("NoSchedule", "NoExecute")
    found = await explained(scene, CLOUDSPACE + changed, "spotnodepool/edge/workers")
    assert found.action == "update"
    assert 'Value of bidPrice changed from "0.06" to "0.08".' in found.differences
    assert any("customTaints" in line and "NoExecute" in line for line in found.differences)


async def test_secrets_are_masked(scene: Scene) -> None:
    """That they differ is told, and not how."""
    await scene.apply(CLOUDSPACE)
    found = await explained(scene, CLOUDSPACE.replace("first", "second"), "cloudspace/edge")
    assert found.differences == ('Value of webhook changed from "(secret) now" to "(secret) declared".',)
    assert "-secret" not in str(found)


async def test_objections_are_told(scene: Scene) -> None:
    """Why the whole plan cannot be applied."""
    found = await explained(scene, CLOUDSPACE + WORKERS.replace("0.06", "0.07"), "spotnodepool/edge/workers")
    assert any("not on the bid ladder" in line for line in found.objections)


async def test_an_address_that_nothing_declares_is_refused(scene: Scene) -> None:
    """With the closest one that is declared."""
    with pytest.raises(UsageError, match="no manifest declares") as caught:
        await explained(scene, CLOUDSPACE, "cloudspace/egde")
    assert caught.value.hint == "did you mean 'cloudspace/edge'?"


async def test_each_field_has_a_reason(scene: Scene) -> None:
    """Its three values, whoever changed it, and the rule that keeps it from being compared."""
    await scene.apply(CLOUDSPACE + WORKERS)
    documents = scene.client.documents(kinds()["SpotNodePool"])
    name = await documents.wire_name("workers")
    autoscaling = {"enabled": True, "minNodes": 1, "maxNodes": 9}
    await documents.patch(name, {"spec": {"bidPrice": "0.10", "desired": 5, "autoscaling": autoscaling}})
    ignoring = WORKERS.replace("{name: workers}", "{name: workers, annotations: {rsspot.dev/ignore: bidPrice}}")
    found = await explained(scene, CLOUDSPACE + ignoring, "workers")
    assert found.reason == "it is as declared; 1 ignored field differs"
    reasons = {
        each.path[-1]: (each.applied, each.live, each.declared, each.changes, each.reason) for each in found.fields
    }
    assert reasons == {
        "bidPrice": ("0.06", "0.10", "0.06", False, "left to others by rsspot.dev/ignore"),
        "desired": (2, 5, 2, False, "left to the service while autoscaling.enabled is on"),
    }
    compared = await explained(scene, CLOUDSPACE + WORKERS.replace('"0.06"', '"0.060"'), "workers")
    (bid,) = [each for each in compared.fields if each.path[-1] == "bidPrice"]
    assert (bid.changes, bid.by) == (True, None)
    assert bid.reason == "changed by somebody else since it was applied"
    other = await explained(scene, CLOUDSPACE + WORKERS.replace("0.06", "0.08"), "workers")
    (bid,) = [each for each in other.fields if each.path[-1] == "bidPrice"]
    assert bid.reason == "declared otherwise, and changed by somebody else since it was applied"


async def test_a_value_in_another_spelling_is_said_to_mean_the_same(scene: Scene) -> None:
    """Nothing differs, though the texts do."""
    await scene.apply(CLOUDSPACE + WORKERS)
    found = await explained(scene, CLOUDSPACE + WORKERS.replace('"0.06"', '"0.060"'), "workers")
    assert found.action == "unchanged"
    assert [each.reason for each in found.fields] in ([], ["means the same"])


async def test_a_field_that_this_ledger_never_applied_says_so(scene: Scene) -> None:
    """And one that only a replacement changes says that as well."""
    await scene.client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    declared = CLOUDSPACE.replace("dfw", "ord").replace("1.31.1", "1.32.0")
    found = await explained(scene, declared, "cloudspace/edge")
    reasons = {each.path[-1]: each.reason for each in found.fields}
    assert reasons["kubernetesVersion"] == "declared otherwise; this ledger never applied it"
    assert reasons["region"] == "declared otherwise; this ledger never applied it; cannot be changed in place"
