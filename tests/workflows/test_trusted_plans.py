"""A saved plan is input like any other: its digest is a checksum, so what it would do is judged when it is applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import STACK_LABEL
from rsspot.errors import PlanRefused, RsspotError, StalePlan, UsageError
from rsspot.manifests.parse import load
from rsspot.planner.change import Action
from rsspot.planner.codec import digest_of, dump_plan
from rsspot.planner.options import PlanOptions
from rsspot.planner.signing import signed
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.reconcile import apply_plan, make_plan
from rsspot.workflows.saved_plan import prepare_saved_plan, read_plan

SPEC = "spec: {region: us-central-dfw-1, kubernetesVersion: 1.31.1"
STACK = f"""apiVersion: rsspot.dev/v1
kind: Stack
metadata: {{name: mine}}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {{name: edge}}
{SPEC}, gpuEnabled: false}}
"""
MACHINES = """---
apiVersion: ngpc.rxt.io/v1
kind: VMCloudSpace
metadata: {name: vms}
spec: {region: us-central-dfw-1, vmSshKeyRef: {name: ops}}
---
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {name: omni}
spec: {vmCloudSpace: vms, omniCluster: prod, registrar: {exec: [./register.sh]}}
"""


class Room:
    """A folder with manifests, a client, and plans that are saved there."""

    def __init__(self, folder: Path, client: AsyncSpotClient) -> None:
        self.folder, self.client = folder, client

    def manifests(self, text: str = STACK) -> Any:
        """The manifests of a text."""
        (self.folder / "stack.yaml").write_text(text)
        return load([self.folder / "stack.yaml"], environ={})

    async def saved(self, text: str = STACK, **options: Any) -> Document:
        """A plan as its file has it."""
        plan = await make_plan(self.client, self.client.ledger, self.manifests(text), options=PlanOptions(**options))
        return dump_plan(plan)

    async def apply(self, document: Document, text: str | None = STACK) -> None:
        """Apply a plan file, with its manifests at hand or not."""
        file = self.folder / "plan.json"
        file.write_text(json.dumps(document))
        manifests = self.manifests(text) if text else None
        plan = await prepare_saved_plan(self.client, read_plan(file), manifests)
        async for _ in apply_plan(self.client, self.client.ledger, plan):
            pass


@pytest.fixture
def room(tmp_path: Path, spot_client: AsyncSpotClient) -> Room:
    """A room of its own."""
    return Room(tmp_path, spot_client)


def forged(document: Document, change: Callable[[Document], object]) -> Document:
    """A plan file that somebody has changed, with its digest worked out again."""
    copy: Document = json.loads(json.dumps(document))
    change(copy["changes"][0])
    return copy | {"digest": digest_of(copy)}


@pytest.mark.parametrize("text", [STACK, None])
async def test_a_plan_can_be_applied_as_it_was_saved(room: Room, text: str | None) -> None:
    """With its manifests at hand, and without."""
    await room.apply(await room.saved(), text)
    assert (await room.client.cloudspaces.get("edge")).spec.gpu_enabled is False


async def test_what_lives_is_listed_once_to_judge_a_plan(room: Room, spot_api: SimulatedSpot) -> None:
    """Whether it is fresh and whose the objects are is told from one list of each kind."""
    await room.apply(await room.saved())
    file = room.folder / "plan.json"
    file.write_text(json.dumps(await room.saved(STACK.replace("1.31.1", "1.32.0"))))
    before = len(spot_api.requests("GET"))
    await prepare_saved_plan(room.client, read_plan(file), None)
    assert [path.rpartition("/")[2] for _, path in spot_api.requests("GET")[before:]] == ["cloudspaces"]


def other_region(change: Document) -> None:
    """Make the object elsewhere."""
    change["body"]["spec"]["region"] = "us-central-ord-1"


def other_owner(change: Document) -> None:
    """Give the object to another stack."""
    change["body"]["metadata"]["labels"][STACK_LABEL] = "theirs"


def other_name(change: Document) -> None:
    """Declare something that no manifest does."""
    change["address"] = "cloudspace/other"
    change["name"] = change["body"]["metadata"]["name"] = "other"


@pytest.mark.parametrize("forgery", [other_region, other_owner, other_name])
async def test_what_the_manifests_do_not_say_is_refused(
    room: Room, spot_api: SimulatedSpot, forgery: Callable[[Document], None]
) -> None:
    """Though the digest is right."""
    document = forged(await room.saved(), forgery)
    with pytest.raises(PlanRefused):
        await room.apply(document)
    assert spot_api.requests("POST", "PATCH", "DELETE") == []


async def test_another_edit_than_the_manifests_say_is_refused(room: Room) -> None:
    """Such as another webhook."""
    await room.apply(await room.saved())

    def other_value(change: Document) -> None:
        change["diff"][0]["after"] = "1.33.0"
        change["patch"][-1]["value"] = "1.33.0"

    document = await room.saved(STACK.replace("1.31.1", "1.32.9"))
    with pytest.raises(PlanRefused, match=r"another spec\.kubernetesVersion than its manifest"):
        await room.apply(forged(document, other_value), STACK.replace("1.31.1", "1.32.9"))


@pytest.mark.parametrize("label", ["theirs", None])
@pytest.mark.parametrize("action", ["delete", "update"])
async def test_another_stacks_object_is_not_touched(room: Room, action: str, label: str | None) -> None:
    """Nor one of nobody: the owner that the file names is not believed."""
    labels = {STACK_LABEL: label} if label else None
    victim = await room.client.cloudspaces.create(
        "victim", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}, labels=labels
    )
    change = {
        **(await room.saved())["changes"][0],
        "address": "cloudspace/victim",
        "name": "victim",
        "action": action,
        "body": None,
        "diff": [],
        "patch": [],
        "base": {"name": "victim", "uid": victim.metadata.uid, "paths": [], "managedDigest": None, "owner": label},
    }
    document = await room.saved()
    document["changes"] = [change]
    document["digest"] = digest_of(document)
    with pytest.raises(PlanRefused, match="cloudspace/victim"):
        await room.apply(document, None)
    assert (await room.client.cloudspaces.get("victim")).metadata.deletion_timestamp is None


async def test_the_guards_judge_again(room: Room) -> None:
    """Since the plan was saved, the price or the rules may have moved."""
    document = await room.saved()

    def unknown_region(change: Document) -> None:
        change["body"]["spec"]["region"] = "nowhere"

    text = STACK.replace("us-central-dfw-1", "nowhere")
    with pytest.raises(PlanRefused, match="names the Region 'nowhere'"):
        await room.apply(forged(document, unknown_region), text)


async def test_the_program_of_a_registration_is_shown_and_checked(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its absolute path and the digest of its file, from whatever folder the plan is applied."""
    program = room.folder / "register.sh"
    program.write_text("#!/bin/sh\necho '{}'\n")
    program.chmod(0o755)
    text = STACK + MACHINES
    document = await room.saved(text)
    assert document["inputs"]["programs"].keys() == {str(program)}
    (change,) = (each for each in document["changes"] if each["deferred"])
    assert change["body"]["spec"]["registrar"]["exec"] == [str(program)]
    elsewhere = room.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    program.write_text("#!/bin/sh\nrm -rf /\n")
    with pytest.raises(StalePlan, match=r"register\.sh is not the one that the plan"):
        await room.apply(document, text)


async def test_a_program_that_the_plan_does_not_name_is_not_run(room: Room) -> None:
    """Neither with manifests nor without."""
    document = await room.saved(STACK + MACHINES)
    for change in document["changes"]:
        if change["deferred"]:
            change["body"]["spec"]["registrar"]["exec"] = ["/bin/sh", "-c", "true"]
    document["digest"] = digest_of(document)
    for text in (STACK + MACHINES, None):
        with pytest.raises(StalePlan, match="would run /bin/sh, which it was not made with"):
            await room.apply(document, text)


def test_a_signature_covers_everything(tmp_path: Path) -> None:
    """And cannot be made without the key."""
    file = tmp_path / "plan.json"
    plan = {"schema": "rsspot.plan/1", "changes": [], "createdAt": "now"}
    for document in (plan, signed(plan, "other"), signed(plan, "key") | {"createdAt": "then"}, {"signature": 7}, []):
        file.write_text(json.dumps(document))
        with pytest.raises(StalePlan, match="is not signed with this plan key"):
            read_plan(file, key="key")


async def test_a_signed_plan_is_read_with_its_key(room: Room) -> None:
    """And without any, as before."""
    file = room.folder / "plan.json"
    file.write_text(json.dumps(signed(await room.saved(), "key")))
    assert read_plan(file, key="key") == read_plan(file)


@pytest.mark.parametrize("version", ["1.0.0", "99.1.0", "", None])
async def test_a_plan_of_another_major_version_is_refused(room: Room, version: str | None) -> None:
    """Its changes may mean something else."""
    document = await room.saved() | {"tool": {"version": version}}
    file = room.folder / "plan.json"
    file.write_text(json.dumps(document | {"digest": digest_of(document)}))
    with pytest.raises(UsageError, match="was made by rsspot"):
        read_plan(file)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"schema": "rsspot.plan/1"', "9" * 5000, "\x00", '"\\ud800"', ""])
def test_a_broken_file_is_no_plan(tmp_path: Path, content: str) -> None:
    """However deep or large."""
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(RsspotError, match=r"not a saved plan|is not a saved plan"):
        read_plan(tmp_path / "plan.json")


async def test_the_digest_is_the_same_however_the_files_are_arranged(room: Room) -> None:
    """Splitting or reordering documents changes nothing."""
    head, _, rest = STACK.partition("---\n")
    first = await room.saved()
    second = await room.saved(f"# a comment\n{rest}---\n{head}")
    assert first["digest"] == second["digest"]
    assert Action(first["changes"][0]["action"]) is Action.CREATE
