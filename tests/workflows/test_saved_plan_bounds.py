"""What the manifests at hand allow a saved plan: what it says and they say too, to objects that are as they were."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import STACK_LABEL
from rsspot.errors import PlanRefused, StalePlan, UsageError
from rsspot.manifests.lifecycle import ON_REMOVE_PATH
from rsspot.manifests.manifest import Default, ManifestSet
from rsspot.manifests.parse import load
from rsspot.planner.codec import digest_of, dump_plan, load_plan
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.ownership import plan_adopt, plan_move
from rsspot.workflows.reconcile import apply_plan, make_plan
from rsspot.workflows.saved_plan import prepare_saved_plan, read_plan

HEAD = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: mine}\n"
SPACE: Document = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}
POOL: Document = {"cloudSpace": "edge", "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.03"}


def written(kind: str, name: str, spec: Document, **labels: str) -> str:
    """A document of a manifest file."""
    document = {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
    return f"---\n{json.dumps(document)}\n"


EDGE = HEAD + written("CloudSpace", "edge", SPACE)
WORKERS = written("SpotNodePool", "workers", POOL)


class Desk:
    """Where plans are saved and applied later, with their manifests at hand."""

    def __init__(self, folder: Path, client: AsyncSpotClient) -> None:
        self.folder, self.client = folder, client
        self.default_region: str | None = None

    async def save(self, text: str, **options: object) -> Document:
        """A plan as its file has it."""
        chosen = PlanOptions(**options)  # type: ignore[arg-type]
        return dump_plan(await make_plan(self.client, self.client.ledger, self.manifests(text), options=chosen))

    async def apply(self, document: Document, text: str | None) -> list[str]:
        """Apply a plan file. Returns what was refused."""
        document["digest"] = digest_of(document)
        file = self.folder / "plan.json"
        file.write_text(json.dumps(document))
        try:
            plan = await prepare_saved_plan(self.client, read_plan(file), self.manifests(text) if text else None)
        except PlanRefused as refusal:
            return [problem.message for problem in refusal.problems]
        async for _ in apply_plan(self.client, self.client.ledger, plan, ApplyOptions(wait="none")):
            pass
        return []

    async def make(self, text: str) -> None:
        """Bring what manifests say about."""
        assert await self.apply(await self.save(text), text) == []

    def manifests(self, text: str) -> ManifestSet:
        """What a text declares."""
        (self.folder / "stack.yaml").write_text(text)
        chosen = Default(self.default_region, "region from the profile") if self.default_region else None
        return load([self.folder / "stack.yaml"], environ={}, region=lambda _: chosen)


@pytest.fixture
async def desk(tmp_path: Path, spot_client: AsyncSpotClient) -> AsyncIterator[Desk]:
    """A desk where the cloudspace lives already."""
    await spot_client.cloudspaces.create("edge", SPACE, labels={STACK_LABEL: "mine"})
    yield Desk(tmp_path, spot_client)


async def names(desk: Desk) -> set[str]:
    """The cloudspaces that live and are not on their way out."""
    return {each.name for each in await desk.client.cloudspaces.list() if not each.metadata.deletion_timestamp}


async def pools(desk: Desk) -> list[str]:
    """The wire names of the pools that live."""
    return [each.metadata.name for each in await desk.client.spot_nodepools.list()]


OLD = written("CloudSpace", "old", SPACE)
NEW = written("CloudSpace", "new", SPACE)


async def test_an_undeclared_object_is_pruned(desk: Desk) -> None:
    """Also a cloudspace, of which the author approved in the plan; what is made beside it changes nothing."""
    await desk.make(EDGE + OLD)
    plan = await desk.save(EDGE + NEW, prune=True, most_deletes=1)
    assert await desk.apply(plan, EDGE + NEW) == []
    assert await names(desk) == {"edge", "new"}


@pytest.mark.parametrize(("text", "address"), [(OLD, "cloudspace/old"), (WORKERS, "spotnodepool/edge/workers")])
async def test_what_is_declared_by_now_is_not_pruned(desk: Desk, text: str, address: str) -> None:
    """The manifests win over the plan, whether an object has its own name or a UUID."""
    await desk.make(EDGE + text)
    plan = await desk.save(EDGE + NEW, prune=True, most_deletes=1)
    assert await desk.apply(plan, EDGE + NEW + text) == [f"{address} would be removed, and is declared"]


async def test_what_is_gone_already_may_have_been_declared(desk: Desk) -> None:
    """A removal of what does not live any more removes nothing: the next plan makes it again."""
    await desk.make(EDGE + WORKERS)
    plan = await desk.save(EDGE, prune=True)
    (pool,) = await pools(desk)
    await desk.client.spot_nodepools.delete(pool)
    await desk.client.spot_nodepools.wait_gone(pool)
    assert await desk.apply(plan, EDGE + WORKERS) == []


async def test_a_pruned_cloudspace_takes_no_newcomer_down(desk: Desk) -> None:
    """The guards look at what lives now, with the removals that the saved plan has."""
    await desk.make(EDGE + OLD)
    plan = await desk.save(EDGE + NEW, prune=True, most_deletes=1)
    await desk.client.spot_nodepools.create("newcomer", {**POOL, "cloudSpace": "old"}, labels={STACK_LABEL: "theirs"})
    (said,) = await desk.apply(plan, EDGE + NEW)
    assert said.startswith("cloudspace/old would take spotnodepool/old/newcomer down with it")


async def test_an_object_of_nobody_is_adopted(desk: Desk) -> None:
    """As the plan says, also beside other changes."""
    await desk.client.cloudspaces.create("old", SPACE)
    plan = await desk.save(EDGE + OLD + NEW, adopt=True)
    assert await desk.apply(plan, EDGE + OLD + NEW) == []
    assert (await desk.client.cloudspaces.get("old")).metadata.labels[STACK_LABEL] == "mine"


@pytest.mark.parametrize("at_hand", [True, False])
async def test_an_object_of_another_stack_is_not_adopted(desk: Desk, at_hand: bool) -> None:
    """Though the plan says that this was its owner."""
    await desk.client.cloudspaces.create("old", SPACE)
    text = EDGE + NEW + OLD
    plan = await desk.save(text, adopt=True)
    await desk.client.cloudspaces.delete("old")
    await desk.client.cloudspaces.wait_gone("old")
    theirs = await desk.client.cloudspaces.create("old", SPACE, labels={STACK_LABEL: "theirs"})
    (change,) = (each for each in plan["changes"] if each["action"] == "adopt")
    change["base"] |= {"uid": theirs.metadata.uid, "owner": "theirs", "managedDigest": None}
    said = await desk.apply(plan, text if at_hand else None)
    assert "cloudspace/old is not of the stack 'mine': it must not be changed by its plan" in said


@pytest.mark.parametrize("chosen", [{"target": ("cloudspace/new",)}, {"exclude": ("cloudspace/old",)}])
async def test_what_a_plan_leaves_out_does_not_stand_in_its_way(desk: Desk, chosen: dict[str, tuple[str, ...]]) -> None:
    """A plan of some objects is judged as such."""
    await desk.client.cloudspaces.create("old", SPACE, labels={STACK_LABEL: "theirs"})
    text = EDGE + OLD + NEW
    assert await desk.apply(await desk.save(text, **chosen), text) == []
    assert await names(desk) == {"edge", "old", "new"}


async def test_an_update_does_what_its_manifest_says(desk: Desk) -> None:
    """However the file spells a price; a label is no field of the spec."""
    await desk.make(EDGE + WORKERS)
    text = EDGE + written("SpotNodePool", "workers", {**POOL, "bidPrice": "0.040"}, team="a")
    assert await desk.apply(await desk.save(text), text) == []
    (pool,) = await desk.client.spot_nodepools.list()
    assert (str(pool.spec.bid_price), pool.metadata.labels["team"]) == ("0.04", "a")


async def test_what_is_protected_by_now_is_not_pruned(desk: Desk) -> None:
    """By an annotation that somebody wrote after the plan was saved. Other changes of it are no removals."""
    await desk.make(EDGE + OLD)
    plan = await desk.save(EDGE, prune=True, most_deletes=1)
    await annotate(desk, "old", {ON_REMOVE_PATH[-1]: "protect"})
    assert await desk.apply(plan, None) == ["cloudspace/old is protected by now, and would be deleted"]
    newer = EDGE + written("CloudSpace", "old", {**SPACE, "kubernetesVersion": "1.32.0"})
    assert await desk.apply(await desk.save(newer), None) == []


async def annotate(desk: Desk, name: str, annotations: Document) -> None:
    """Write annotations by hand."""
    kind = desk.client.cloudspaces.kind
    await desk.client.documents(kind).patch(name, {"metadata": {"annotations": annotations}})


@pytest.mark.parametrize("action", ["delete", "replace"])
async def test_an_object_whose_label_was_taken_off_is_not_taken_away(desk: Desk, action: str) -> None:
    """The ledger knows it, and that is not enough to take it away: somebody may have meant to keep it."""
    await desk.make(EDGE + OLD)
    plan = await desk.save(EDGE, prune=True, most_deletes=1)
    kind = desk.client.cloudspaces.kind
    await desk.client.documents(kind).patch("old", {"metadata": {"labels": {STACK_LABEL: None}}})
    (change,) = plan["changes"]
    change["action"] = action
    change["base"] |= {"owner": None, "managedDigest": None}
    if action == "replace":
        change["body"] = (await desk.save(EDGE + NEW))["changes"][0]["body"]
        change["body"]["metadata"]["name"] = "old"
    assert await desk.apply(plan, None) == [
        "cloudspace/old is not of the stack 'mine': it must not be changed by its plan"
    ]


async def test_an_object_that_is_made_again_keeps_its_region(desk: Desk) -> None:
    """Though the settings name another one by now; what its manifest does not say either is refused."""
    bare = {key: value for key, value in SPACE.items() if key != "region"}
    before = HEAD + written("CloudSpace", "edge", bare)
    after = HEAD + written("CloudSpace", "edge", {**bare, "cni": "cilium"})
    desk.default_region = "us-central-ord-1"
    plan = await desk.save(after + NEW, most_deletes=1)
    (change,) = (each for each in plan["changes"] if each["action"] == "replace")
    assert change["body"]["spec"]["region"] == "us-central-dfw-1"
    assert await desk.apply(plan, before + NEW) == ["cloudspace/edge would be made otherwise than its manifest says"]
    assert await desk.apply(plan, after + NEW) == []


async def test_what_goes_is_kept_as_it_was_and_not_as_the_file_says(desk: Desk) -> None:
    """So that an undo makes the object again that was there; an object that stays needs no image."""
    await desk.make(EDGE + OLD)
    text = HEAD + written("CloudSpace", "edge", {**SPACE, "kubernetesVersion": "1.32.0"})
    plan = await desk.save(text, prune=True, most_deletes=1)
    for change in plan["changes"]:
        change["image"] = {"spec": {"region": "us-central-ord-1"}}
    assert await desk.apply(plan, text) == []
    ledger = desk.client.ledger
    changes = load_plan(ledger.plan(ledger.runs(limit=1)[0].id), sealed=False).changes
    images = {change.address: change.image for change in changes}
    assert images["cloudspace/edge"] is None
    assert images["cloudspace/old"]["spec"]["region"] == SPACE["region"]  # type: ignore[index]


async def test_a_plan_of_another_stack_is_refused(desk: Desk) -> None:
    """Its objects are not looked for in this account."""
    plan = await desk.save(EDGE + NEW)
    plan["scope"]["id"] += "-elsewhere"
    with pytest.raises(UsageError, match=r"the plan is for .*-elsewhere, and this is "):
        await desk.apply(plan, None)


async def test_what_cannot_be_read_may_have_moved(desk: Desk, spot_api: SimulatedSpot) -> None:
    """So the plan does not hold, and says why."""
    plan = await desk.save(EDGE + NEW)
    spot_api.faults.say("GET cloudspaces: 403")
    with pytest.raises(StalePlan, match="cloudspace/new: could not be read: "):
        await desk.apply(plan, None)


@pytest.mark.parametrize("again", [False, True])
async def test_a_predecessor_that_somebody_deleted_is_not_replaced(desk: Desk, again: bool) -> None:
    """Nor another object of its name that they made: with the new one first, nothing of ours took it away."""
    await desk.make(EDGE + WORKERS)
    text = EDGE + written("SpotNodePool", "workers", {**POOL, "serverClass": "gp.vs1.large-dfw"})
    plan = await desk.save(text)
    (pool,) = await pools(desk)
    await desk.client.spot_nodepools.delete(pool)
    await desk.client.spot_nodepools.wait_gone(pool)
    if again:
        await desk.client.spot_nodepools.create(pool, POOL, labels={STACK_LABEL: "mine"})
    with pytest.raises(StalePlan, match="workers: it was deleted since the plan was made"):
        await desk.apply(plan, text)


async def test_a_cloudspace_that_somebody_made_again_is_not_replaced(desk: Desk) -> None:
    """It has the name of the planned one, and is another object. One that is gone is made: the plan was half done."""
    text = HEAD + written("CloudSpace", "edge", {**SPACE, "cni": "cilium"})
    plan = await desk.save(text, most_deletes=1)
    await desk.client.cloudspaces.delete("edge")
    await desk.client.cloudspaces.wait_gone("edge")
    await desk.client.cloudspaces.create("edge", SPACE, labels={STACK_LABEL: "mine"})
    with pytest.raises(StalePlan, match="cloudspace/edge: it was deleted since the plan was made"):
        await desk.apply(plan, text)
    await desk.client.cloudspaces.delete("edge")
    await desk.client.cloudspaces.wait_gone("edge")
    assert await desk.apply(plan, None) == []
    assert (await desk.client.cloudspaces.get("edge")).spec.cni == "cilium"


HOOK: Document = {**SPACE, "webhook": "https://example.com/first"}


def hooked(**fields: str) -> str:
    """The cloudspace with a secret, and other fields."""
    return HEAD + written("CloudSpace", "edge", {**HOOK, **fields})


async def test_an_update_of_a_secret_needs_its_manifest(desk: Desk) -> None:
    """It is nowhere else. With the manifest at hand the secret is sent."""
    plan = await desk.save(hooked())
    with pytest.raises(UsageError, match="the saved plan holds secrets"):
        await desk.apply(plan, None)
    assert await desk.apply(plan, hooked()) == []
    assert (await desk.save(hooked()))["changes"] == []


async def test_only_the_secrets_of_a_plan_come_from_the_manifest(desk: Desk) -> None:
    """Another field that says something else by now is refused, and not sent as it is now."""
    plan = await desk.save(hooked(kubernetesVersion="1.32.0"))
    assert await desk.apply(plan, hooked(kubernetesVersion="1.33.0")) == [
        "cloudspace/edge would get another spec.kubernetesVersion than its manifest says"
    ]


async def test_a_secret_that_was_to_be_removed_is_not_replaced(desk: Desk) -> None:
    """The removal was approved, and no other secret."""
    await desk.make(hooked())
    gone = HEAD + written("CloudSpace", "edge", {**SPACE, "webhook": None})
    plan = await desk.save(gone)
    assert await desk.apply(plan, hooked(webhook="https://example.com/second")) == [
        "cloudspace/edge would get another spec.webhook than its manifest says"
    ]
    assert await desk.apply(plan, gone) == []


async def run(desk: Desk, plan: Plan) -> None:
    """Apply a plan that was not saved."""
    async for _ in apply_plan(desk.client, desk.client.ledger, plan, ApplyOptions(wait="none")):
        pass


async def taken_back(desk: Desk, name: str, owner: str) -> list[str]:
    """What is said to a plan that takes a cloudspace back which is by now of another stack."""
    documents = desk.client.documents(desk.client.cloudspaces.kind)
    await documents.patch(name, {"metadata": {"labels": {STACK_LABEL: None}}})
    plan = dump_plan(await plan_adopt(desk.client, desk.client.ledger, [name], "mine"))
    await documents.patch(name, {"metadata": {"labels": {STACK_LABEL: owner}}})
    plan["changes"][0]["base"] |= {"owner": owner, "managedDigest": None}
    return await desk.apply(plan, None)


async def test_only_what_this_stack_gave_away_comes_back(desk: Desk) -> None:
    """And only from whom it was given to: not on the word of a label that an apply wrote, or of another object."""
    for name in ("given", "kept", "labeled"):
        await desk.client.cloudspaces.create(name, SPACE, labels={STACK_LABEL: "mine"})
    labeled = HEAD + written("CloudSpace", "labeled", SPACE, team="theirs")
    await run(desk, await make_plan(desk.client, desk.client.ledger, desk.manifests(labeled)))
    await run(desk, await plan_move(desk.client, desk.client.ledger, ["given"], "theirs", "mine"))
    refused = "is not of the stack 'mine': it must not be changed by its plan"
    assert await taken_back(desk, "kept", "theirs") == [f"cloudspace/kept {refused}"]
    assert await taken_back(desk, "labeled", "theirs") == [f"cloudspace/labeled {refused}"]
    assert await taken_back(desk, "given", "third") == [f"cloudspace/given {refused}"]
    assert await taken_back(desk, "given", "theirs") == []
