"""Whatever lives can be written down: an export plans to nothing, and an import to adoptions and then to nothing."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import ApiError
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from rsspot.manifests.placing import write_files
from rsspot.planner.change import Action
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path
from rsspot.workflows.export import WrittenObject, exported, imported, read_live_objects, stacks_of
from rsspot.workflows.manifest_files import ManifestFiles, files_of
from rsspot.workflows.reconcile import make_plan
from support.amount import amount
from support.histories import Stage
from support.live_states import accounts
from support.scenes import NAMESPACE, Scene

MARKS = {("metadata", "labels", STACK_LABEL), ("metadata", "annotations", NAME_ANNOTATION)}
BOUNDED = settings(
    max_examples=amount(20, 3000),
    deadline=None,
    derandomize=True,
    # An account is a world to itself: to look for a smaller one that fails takes longer than to read this one.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Document = dict[str, Any]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A world."""
    stage = Stage(tmp_path_factory.mktemp("exports"))
    yield stage
    asyncio.run(stage.client.aclose())
    stage.spot.close()


@pytest.mark.timeout(3000)
@BOUNDED
@given(account=accounts())
def test_an_export_plans_to_nothing(stage: Stage, account: list[Document]) -> None:
    """Of what belongs to a stack, nothing at all; of what belongs to none, its adoption as it is."""
    asyncio.run(exports(stage, account))


@pytest.mark.timeout(3000)
@BOUNDED
@given(account=accounts())
def test_an_import_is_adopted_as_it_is(stage: Stage, account: list[Document]) -> None:
    """A plan shows adoptions and no edits; after its apply there is nothing to plan."""
    asyncio.run(imports(stage, account))


def test_a_name_whose_wire_name_another_object_has_is_not_written(stage: Stage) -> None:
    """One pool is called `b`; another lives under the wire name of that and has no name. Both keep their UUIDs."""
    spec = {"cloudSpace": "stack", "serverClass": "gp.vs1.large-dfw", "bidPrice": "0.19", "desired": 1}
    derived = kinds()["SpotNodePool"].wire_name(NAMESPACE, "b", spec)
    space = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}
    account: list[Document] = [
        {"kind": "CloudSpace", "metadata": {"name": "stack"}, "spec": space},
        {"kind": "SpotNodePool", "metadata": {"name": derived}, "spec": spec},
        {
            "kind": "SpotNodePool",
            "metadata": {
                "name": "5ec2f5dc-52d0-4138-9364-cec156541dab",
                "labels": {STACK_LABEL: "blue"},
                "annotations": {NAME_ANNOTATION: "b"},
            },
            "spec": spec,
        },
    ]
    asyncio.run(imports(stage, [{"apiVersion": "ngpc.rxt.io/v1", **each} for each in account]))


async def exports(stage: Stage, account: list[Document]) -> None:
    scene = await living(stage, account)
    world = await read_live_objects(scene.client, scene.ledger)
    notes: list[str] = []
    written = exported(world, [], notes=notes)
    assert not notes
    for stack in stacks_of(written):
        of_stack = [each for each in written if each.stack == stack]
        files = files_of(of_stack, stack)
        again = exported(await read_live_objects(scene.client, scene.ledger), [], notes=notes)
        assert files_of([each for each in again if each.stack == stack], stack) == files
        plan = await planned(scene, files, of_stack, stack)
        assert_unchanged(plan, [] if stack else [Action.ADOPT])
        assert len(plan.changes) == (0 if stack else len(of_stack))


async def imports(stage: Stage, account: list[Document]) -> None:
    scene = await living(stage, account)
    notes: list[str] = []
    written = imported(await read_live_objects(scene.client, scene.ledger), [], stack="blue", notes=notes)
    files = files_of(written, "blue")
    plan = await planned(scene, files, written, "blue")
    assert_unchanged(plan, [Action.ADOPT])
    if plan.changes:
        assert (await scene.run(plan)).outcome == "ok"
    after = await planned(scene, files, written, "blue")
    assert not after.refusals and not after.changes, (files.texts, after.changes)
    with TemporaryDirectory() as folder:
        declared = read(Path(folder), files, written).manifests if written else ()
    world = await read_live_objects(scene.client, scene.ledger)
    assert imported(world, [], stack="blue", declared=declared, notes=notes) == []


async def living(stage: Stage, account: Sequence[Document]) -> Scene:
    """An account with these objects a while after they were made. One that the service refuses is not there."""
    scene = stage.scene()
    for body in account:
        try:
            await scene.client.documents(kinds()[body["kind"]]).create(copy.deepcopy(body))
        except ApiError as error:
            assert error.status in (403, 409), error
    stage.spot.advance(900)
    return scene


async def planned(scene: Scene, files: ManifestFiles, written: Sequence[WrittenObject], stack: str | None) -> Plan:
    """What would be done for some files, with the variables set that stand for secrets."""
    with TemporaryDirectory() as folder:
        manifests = read(Path(folder), files, written) if written else None
    return await make_plan(
        scene.client, scene.ledger, manifests, options=PlanOptions(adopt=True), stack=None if manifests else stack
    )


def read(folder: Path, files: ManifestFiles, written: Sequence[WrittenObject]) -> ManifestSet:
    """The manifests of some files, none of which holds a secret."""
    environ = secrets_of(files.variables, written)
    for text in files.texts.values():
        assert not [secret for secret in environ.values() if secret in text]
    write_files(folder, files.texts)
    return load([folder], environ=environ)


def secrets_of(variables: Mapping[str, str], written: Sequence[WrittenObject]) -> dict[str, str]:
    """The values of the variables, from what each is said to stand for."""
    objects = {each.manifest.address: each.authored.document for each in written}
    said = {name: what.split(" of ") for name, what in variables.items()}
    return {name: at_path(objects[address], field.split(".")) for name, (field, address) in said.items()}


def assert_unchanged(plan: Plan, allowed: Sequence[Action]) -> None:
    """Nothing is refused, and nothing changes but the marks of what is adopted."""
    assert not plan.refusals, plan.refusals
    for change in plan.changes:
        assert change.action in allowed, change
        assert {edit.path for edit in change.edits} <= MARKS, change.edits
