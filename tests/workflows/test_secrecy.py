"""Secrets of manifests and of the account: not sent where they do not belong, not to be found where they are kept."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import ManifestError, StalePlan, UsageError
from rsspot.manifests.leaks import own_credentials
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.plan import Plan
from rsspot.simulator.accounts.people import SANDBOX_TOKEN
from rsspot.testing import SimulatedSpot
from rsspot.workflows.known import scope_id
from rsspot.workflows.reconcile import apply_plan, make_plan
from rsspot.workflows.saved_plan import prepare_saved_plan

PIN = "https://h.io/492817"
COPY = "kubectl.kubernetes.io/last-applied-configuration"
MASKS = ["(secret)", "(secret #1)", "https://hooks.example.com/(secret)", "a (secret #12) b"]


def written(folder: Path, *, webhook: str = PIN, annotations: dict[str, str] | None = None) -> ManifestSet:
    """A cloudspace with a webhook."""
    document = {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": "CloudSpace",
        "metadata": {"name": "edge", "annotations": annotations or {}},
        "spec": {"region": "us-central-dfw-1", "kubernetesVersion": "1.33.0", "webhook": webhook},
    }
    (folder / "edge.yaml").write_text(json.dumps(document))
    return load([folder / "edge.yaml"], environ={})


async def applied(client: AsyncSpotClient, manifests: ManifestSet) -> Plan:
    """Plan and apply."""
    plan = await make_plan(client, client.ledger, manifests)
    async for _ in apply_plan(client, client.ledger, plan):
        pass
    return plan


def all_text(database: Path) -> str:
    """Everything in a database, as text."""
    with closing(sqlite3.connect(database)) as db:
        return "\n".join(db.iterdump())


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("place", ["webhook", "annotation"])
def test_a_mask_in_a_manifest_is_refused(tmp_path: Path, mask: str, place: str) -> None:
    """`get -o yaml` prints it; applied, it would replace the live secret."""
    given: dict[str, Any] = {"webhook": mask} if place == "webhook" else {"annotations": {"note": mask}}
    with pytest.raises(ManifestError, match="holds a mask instead of the secret"):
        written(tmp_path, **given)


@pytest.mark.parametrize("mask", MASKS)
async def test_a_mask_is_not_sent_by_the_sdk(spot_api: SimulatedSpot, spot_client: AsyncSpotClient, mask: str) -> None:
    """Neither with a create nor with a patch."""
    spec = {"region": "us-central-dfw-1", "kubernetesVersion": "1.33.0"}
    with pytest.raises(UsageError, match="mask"):
        await spot_client.cloudspaces.create("edge", {**spec, "webhook": mask})
    await spot_client.cloudspaces.create("edge", {**spec, "webhook": PIN})
    with pytest.raises(UsageError, match="mask"):
        await spot_client.cloudspaces.patch("edge", {"webhook": mask})
    assert (await spot_client.cloudspaces.get("edge")).spec.webhook == PIN
    assert len(spot_api.requests("POST", "PATCH")) == 1


async def test_kubectls_copy_of_an_object_is_not_taken_over(tmp_path: Path, spot_client: AsyncSpotClient) -> None:
    """It describes another object, and holds that one's secrets."""
    copy = json.dumps({"spec": {"webhook": "https://h.io/another-secret-thing"}})
    plan = await make_plan(spot_client, spot_client.ledger, written(tmp_path, annotations={COPY: copy, "team": "a"}))
    (change,) = plan.changes
    assert change.body
    assert change.body["metadata"]["annotations"] == {"team": "a"}


async def test_a_secret_in_another_field_is_hidden_and_comes_back(tmp_path: Path, spot_client: AsyncSpotClient) -> None:
    """A saved plan holds neither of the two, and its apply sends both."""
    manifests = written(tmp_path, annotations={"runbook": f"curl {PIN}?x=1", "plain": "y"})
    saved = dump_plan(await make_plan(spot_client, spot_client.ledger, manifests))
    assert "492817" not in json.dumps(saved)
    plan = await prepare_saved_plan(spot_client, load_plan(saved), manifests)
    async for _ in apply_plan(spot_client, spot_client.ledger, plan):
        pass
    live = await spot_client.cloudspaces.get("edge")
    assert live.metadata.annotations == {"runbook": f"curl {PIN}?x=1", "plain": "y"}
    assert "492817" not in repr(live)
    assert "492817" not in all_text(tmp_path / "state.db")
    assert (await make_plan(spot_client, spot_client.ledger, manifests)).empty


async def test_no_plain_digest_of_a_secret_is_kept(tmp_path: Path, spot_client: AsyncSpotClient) -> None:
    """Six digits would be found in seconds."""
    first = await applied(spot_client, written(tmp_path))
    second = await make_plan(spot_client, spot_client.ledger, written(tmp_path, webhook="https://h.io/000000"))
    stored = json.dumps([dump_plan(first), dump_plan(second)]) + all_text(tmp_path / "state.db")
    for text in (PIN, json.dumps(PIN), json.dumps({"spec/webhook": PIN}, separators=(",", ":"))):
        assert hashlib.sha256(text.encode()).hexdigest() not in stored
    (edit,) = second.changes[0].edits
    assert edit.secret


async def test_the_digest_of_managed_fields_tells_nothing_of_secrets(
    tmp_path: Path, spot_client: AsyncSpotClient
) -> None:
    """It is the same whatever they are."""
    digests = set()
    for webhook in (PIN, "https://h.io/111111"):
        await applied(spot_client, written(tmp_path, webhook=webhook))
        plan = await make_plan(spot_client, spot_client.ledger, written(tmp_path, webhook="https://h.io/222222"))
        assert plan.changes[0].base
        digests.add(plan.changes[0].base.digest)
    assert len(digests) == 1


async def test_drift_of_a_secret_is_still_recognized(
    tmp_path: Path, spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """By the seal that the ledger keeps; in another process too, whose seals have another salt."""
    manifests = written(tmp_path)
    await applied(spot_client, manifests)
    await spot_client.cloudspaces.patch("edge", {"webhook": "https://h.io/by-hand"})
    plan = await make_plan(spot_client, spot_client.ledger, manifests)
    assert [edit.drift for edit in plan.changes[0].edits] == [True]


async def test_a_saved_plan_wants_the_secret_that_it_was_made_with(
    tmp_path: Path, spot_client: AsyncSpotClient
) -> None:
    """Its seals differ from plan to plan, and its digest does not."""
    plan = await make_plan(spot_client, spot_client.ledger, written(tmp_path))
    saved = dump_plan(plan)
    with pytest.raises(StalePlan, match="a secret of cloudspace/edge is not the one"):
        await prepare_saved_plan(spot_client, load_plan(saved), written(tmp_path, webhook="https://h.io/492818"))
    assert await prepare_saved_plan(spot_client, load_plan(saved), written(tmp_path))


@pytest.mark.parametrize("where", ["pasted", "annotation"])
async def test_our_own_credential_is_never_planned(tmp_path: Path, spot_client: AsyncSpotClient, where: str) -> None:
    """Whoever may read the object could act as us."""
    text = f"see {SANDBOX_TOKEN}"
    given: dict[str, Any] = {"webhook": text} if where == "pasted" else {"annotations": {"note": text}}
    with pytest.raises(ManifestError, match="holds the credential of this very account") as caught:
        await make_plan(spot_client, spot_client.ledger, written(tmp_path, **given))
    assert SANDBOX_TOKEN not in str(caught.value)


def test_a_short_credential_is_not_found_by_chance(tmp_path: Path) -> None:
    """A token of one letter, as in a test of one's own, is in every word; as a whole value it still counts."""
    manifests = written(tmp_path, annotations={"note": "x", "other": "extra"}).manifests
    found = list(own_credentials(manifests, {"x"}))
    assert ["note" in problem.message for problem in found] == [True]


@pytest.mark.parametrize(
    "variable", ["RSSPOT_REFRESH_TOKEN", "SPOT_REFRESH_TOKEN", "RXTSPOT_TOKEN", "RSSPOT_ACCESS_TOKEN"]
)
def test_a_variable_with_our_credential_is_no_value(tmp_path: Path, variable: str) -> None:
    """Also where a default is given."""
    for reference in (f"${{env:{variable}}}", f"${{env:{variable}:-x}}"):
        file = tmp_path / "edge.yaml"
        file.write_text(json.dumps({"kind": "CloudSpace", "spec": {"description": reference}}))
        with pytest.raises(ManifestError, match=f"{variable} is the credential of this account") as caught:
            load([file], environ={variable: "tok-492817"})
        assert "tok-492817" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["profiles:\n  default:\n    refreshToken: tok-492817\n", '{"refresh_token": "tok-492817"}']
)
def test_a_file_of_credentials_is_no_value(tmp_path: Path, content: str) -> None:
    """Such as rsspot's own config file and token cache."""
    (tmp_path / "config.yml").write_text(content)
    with pytest.raises(ManifestError, match=r"'config\.yml' holds credentials") as caught:
        written(tmp_path, annotations={"note": "${file:config.yml}"})
    assert "tok-492817" not in str(caught.value)


@pytest.mark.parametrize("name", ["OPENSSH ", "RSA ", "", "ENCRYPTED "])
def test_a_private_key_is_refused_where_it_would_be_shown(tmp_path: Path, name: str) -> None:
    """A file name without .pub is a slip of the finger."""
    (tmp_path / "id").write_text(f"-----BEGIN {name}PRIVATE KEY-----\nb3BlbnNz\n-----END {name}PRIVATE KEY-----\n")
    key = {"apiVersion": "ngpc.rxt.io/v1", "kind": "VMSSHKey", "metadata": {"name": "ops"}}
    (tmp_path / "key.json.yaml").write_text(json.dumps({**key, "spec": {"publicKey": "${file:id}"}}))
    with pytest.raises(ManifestError, match="publicKey holds a private key") as caught:
        load([tmp_path / "key.json.yaml"], environ={})
    assert "b3BlbnNz" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://me:pw-492817@spot.example/x/", "https://pw-492817@spot.example/x"])
def test_a_scope_has_no_user_information(url: str) -> None:
    """It is in plans, in the ledger and on the screen."""
    assert scope_id(url, "org", "s") == "spot.example/x/org/s"
