"""What becomes of live objects that no author would have written as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import RsspotError, UsageError
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.utils.secrets import Secrets
from rsspot.workflows.export import LiveObjects, exported, imported, read_live_objects
from rsspot.workflows.manifest_files import files_of, stream_of
from support.registering import STACK, Registrar, Runs

ORGANIZATION = "org-tests"
CLASS = "gp.vs1.large-dfw"
WEBHOOK = "https://hooks.example.com/a-very-secret-path"
UUID = "5c0f7b0e-8f0e-4c53-9d7a-0a4c5b1d2e3f"


def live(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A live object."""
    return {"apiVersion": kinds()[kind].api_version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def cloudspace(name: str = "edge", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A live cloudspace."""
    fields = {"region": "us-central-dfw-1", "kubernetesVersion": "1.33.0", **spec}
    return live("CloudSpace", name, fields, **(metadata or {}))


def pool(name: str = UUID, *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A live spot pool."""
    fields = {"cloudSpace": "edge", "serverClass": CLASS, "desired": 2, "bidPrice": "0.03", **spec}
    return live("SpotNodePool", name, fields, **(metadata or {}))


def account(*objects: dict[str, Any], credentials: tuple[str, ...] = ()) -> LiveObjects:
    """Everything that lives."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for each in objects:
        found.setdefault(each["kind"], {})[each["metadata"]["name"]] = each
    return LiveObjects(ORGANIZATION, found, credentials=Secrets(credentials))


def text_of(*objects: dict[str, Any], credentials: tuple[str, ...] = ()) -> str:
    """What is printed of some objects, of which nothing is left out."""
    notes: list[str] = []
    written = exported(account(*objects, credentials=credentials), [], notes=notes)
    assert not notes
    return "".join(stream_of(written, None).texts.values())


def note_on(*objects: dict[str, Any]) -> str:
    """Why the one object is left out that no manifest can stand for."""
    notes: list[str] = []
    exported(account(*objects), [], notes=notes)
    (note,) = notes
    return note


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (cloudspace(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), "it is being deleted"),
        (cloudspace("edge.west"), "bad name 'edge.west'"),
        (cloudspace(metadata={"labels": {STACK_LABEL: "My_Stack"}}), "names the stack 'My_Stack'"),
        (cloudspace(region=None), "missing field 'region'"),
        (pool(bidPrice="0.0311"), "missing field 'bidPrice'"),
        (live("CloudSpace", "edge", {}), "missing field 'region'"),
    ],
)
def test_what_no_manifest_can_stand_for_is_named(body: dict[str, Any], reason: str) -> None:
    """All of it is exported without the object; asked for by its name, the object is refused."""
    assert reason in note_on(body)
    with pytest.raises(UsageError, match="cannot be written as a manifest"):
        name = f"{body['kind']}/{body['metadata']['name']}"
        exported(account(body), [name], notes=[])


def test_what_the_service_made_for_itself_is_its_own() -> None:
    """A pool of an autopilot comes and goes with it."""
    owned = pool(metadata={"ownerReferences": [{"controller": True}]})
    assert text_of(owned) == ""
    with pytest.raises(UsageError, match="the service made it"):
        exported(account(owned), [f"spotnodepool/{UUID}"], notes=[])


def test_a_value_that_no_manifest_may_hold_is_left_to_the_service() -> None:
    """With what is wrong with it; the rest of the object is written."""
    text = text_of(pool(customLabels={"kubernetes.io/x": "y"}, customTaints=[{"key": "a", "effect": "Never"}]))
    assert "  # customLabels: left out: 'kubernetes.io/x' is reserved for Kubernetes itself" in text
    assert "  # customTaints.0.effect: left out: must be 'NoSchedule'" in text
    assert f"serverClass: {CLASS}\n" in text


def test_a_pool_of_no_servers_is_written_without_their_number() -> None:
    """The service allows it in an update; no manifest may say it, and one that does not leaves it so."""
    assert "desired" not in text_of(pool(desired=0))


def test_what_this_version_does_not_know_is_named_and_not_shown() -> None:
    text = text_of(cloudspace(newField={"inner": "a value"}, **{"odd\nkey": 1}))
    assert "  # newField: not known to this rsspot, and left as they are\n" in text
    assert "a value" not in text and "odd" not in text


@pytest.mark.parametrize("copied", [WEBHOOK, f"calls {WEBHOOK} twice", f'{{"spec": {{"webhook": "{WEBHOOK}"}}}}'])
def test_a_copy_of_a_secret_is_written_nowhere(copied: str) -> None:
    """It may stand in an annotation, whole or in part."""
    text = text_of(cloudspace(webhook=WEBHOOK, metadata={"annotations": {"note": copied, "other": "kept"}}))
    assert "very-secret" not in text
    assert "    other: kept\n" in text and "# annotations.note: left out, since a secret stands in it" in text


def test_a_secret_in_the_name_of_a_note_is_written_nowhere() -> None:
    text = text_of(cloudspace(webhook=WEBHOOK, metadata={"annotations": {"a-very-secret-path": "x", "other": "kept"}}))
    assert "very-secret" not in text and "other: kept" in text


def test_a_secret_that_is_not_valid_is_not_quoted() -> None:
    group = live("VMPool", UUID, {**pool()["spec"], "vmCloudSpace": "machines", "vmUserData": "n*o base 64"})
    assert "  # vmUserData: left out: not valid\n" in text_of(group)
    assert "n*o" not in text_of(group)


@pytest.mark.parametrize("value", ["our-own-refresh-token", "x our-own-refresh-token", "(secret)"])
def test_credentials_and_masks_are_written_nowhere(value: str) -> None:
    text = text_of(cloudspace(metadata={"annotations": {"note": value}}), credentials=("our-own-refresh-token",))
    assert value not in text and "# annotations.note: left out" in text


def test_bookkeeping_is_not_written() -> None:
    """Neither ours, nor kubectl's, nor the labels that the service sets."""
    labels = {STACK_LABEL: "blue", "ngpc.rxt.io/cloudspace": "edge", "team": "infra"}
    annotations = {NAME_ANNOTATION: "workers", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    extra = {"uid": "1", "resourceVersion": "2", "generation": 3, "managedFields": [], "finalizers": ["x"]}
    name = kinds()["SpotNodePool"].wire_name(ORGANIZATION, "workers", {"cloudSpace": "edge"})
    text = text_of(pool(name, metadata={"labels": labels, "annotations": annotations, **extra}))
    assert "metadata:\n  name: workers\n  labels:\n    team: infra\nspec:\n" in text


def test_objects_that_share_a_name_go_by_their_uuids() -> None:
    """Both say that they are `workers` of one stack, so neither can be meant by it."""
    marks = {"labels": {STACK_LABEL: "blue"}, "annotations": {NAME_ANNOTATION: "workers"}}
    first, second = pool(metadata=marks), pool(UUID.replace("5", "6"), metadata=marks)
    written = exported(account(first, second), [], notes=[])
    assert [each.manifest.name for each in written] == [UUID, UUID.replace("5", "6")]


def test_variables_and_files_have_names_of_their_own() -> None:
    """Whatever objects of several kinds are called, and a parent may be called anything."""
    group = live("VMCloudSpace", "stack", {"region": "x", "vmSshKeyRef": {"name": "k"}, "webhook": WEBHOOK})
    nested = live("VMPool", UUID, {**pool()["spec"], "vmCloudSpace": "../up", "vmUserData": "c2VjcmV0"})
    written = imported(account(cloudspace("stack", webhook=WEBHOOK), group, nested), [], stack="blue", notes=[])
    files = files_of(written, "blue", taken=["up.yaml"])
    assert set(files.texts) == {
        "stack.yaml",
        "cloudspace-stack.yaml",
        "vmcloudspace-stack.yaml",
        "vmcloudspace-up.yaml",
    }
    assert set(files.variables) == {
        "CLOUDSPACE_STACK_WEBHOOK",
        "VMCLOUDSPACE_STACK_WEBHOOK",
        f"VMPOOL_UP_{UUID.upper().replace('-', '_')}_VM_USER_DATA",
    }


def machine(name: str, cluster: str, registrar: dict[str, Any] | None, group: str = "machines") -> dict[str, Any]:
    """A registered machine, as the ledger has it."""
    spec = {"vmCloudSpace": group, "vmUid": name, "omniCluster": cluster, "registrar": registrar}
    return live("VMRegistration", name, spec, labels={STACK_LABEL: "blue"})


def test_registrations_are_gathered_from_registered_machines() -> None:
    """One for each cluster; the program is that of any of its machines that has it on record."""
    program = {"exec": ["/opt/register"], "timeoutSeconds": 30}
    machines = [machine("u1", "omni", None), machine("u2", "omni", program), machine("u3", "omni", None)]
    (written,) = exported(account(*machines), [], notes=[])
    assert written.authored.text({}) == (
        "apiVersion: rsspot.dev/v1\nkind: Registration\nmetadata:\n  name: machines\nspec:\n"
        "  vmCloudSpace: machines\n  omniCluster: omni\n  registrar:\n"
        "    exec:\n      - /opt/register\n    timeoutSeconds: 30\n"
    )
    two = exported(account(*machines, machine("u4", "other", program)), [], notes=[])
    assert [each.manifest.name for each in two] == ["machines-omni", "machines-other"]


def test_a_registration_without_a_program_on_record_is_left_out() -> None:
    """One of an earlier version, or of a script."""
    assert "registration/machines/machines is left out: missing field 'registrar'" in note_on(
        machine("u1", "omni", None)
    )


async def test_registered_machines_are_exported_so_that_a_plan_is_empty(
    spot_api: SimulatedSpot, registrar: Registrar, tmp_path: Path
) -> None:
    """By the program that registered them, as the ledger has it."""
    runs = Runs(spot_api, tmp_path)
    runs.file.write_text(STACK.replace("EXEC", json.dumps(registrar.refusing())))
    await runs.apply()
    spot_api.advance(600)
    await runs.apply()
    assert registrar.questions.count("confirm") == 2
    written = exported(await read_live_objects(runs.client, runs.client.ledger), [], notes=[])
    assert [each.manifest.address for each in written] == [
        "registration/vms/vms",
        "vmcloudspace/vms",
        "vmpool/vms/runners",
    ]
    runs.file.write_text("".join(stream_of(written, "vms").texts.values()))
    plan = await runs.plan()
    assert plan.empty and not plan.refusals and not plan.undeclared


async def test_a_kind_that_cannot_be_listed_ends_an_export(spot_api: SimulatedSpot) -> None:
    """A part would look like the whole; what is named of another kind is not held up by it."""
    client = spot_api.client()
    spot_api.faults.say("GET vmpools: 404 x9")
    with pytest.raises(RsspotError, match="the live vmpools could not be read"):
        await read_live_objects(client, client.ledger)
    assert (await read_live_objects(client, client.ledger, ["cloudspace/edge"])).live == {"CloudSpace": {}}
    await client.aclose()
