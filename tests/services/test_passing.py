"""Conflicts that the service resolves by itself are progress: no wait, table or recap shows them as an error."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot.cli.verbs.objects import row_of
from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import NotReady
from rsspot.http.hooks import Wait
from rsspot.resources.kind import Kind
from rsspot.resources.passing import for_people, is_passing, without_passing
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE
from rsspot.services.vms.schemas import VM_CLOUD_SPACE
from rsspot.testing import SimulatedSpot
from support.recording import cloudspace, put

CONFLICT = (
    'Operation cannot be fulfilled on clusters.cluster.x-k8s.io "edge": the object has been modified; '
    "please apply your changes to the latest version and try again"
)
SIBLINGS = [
    CONFLICT,
    "Operation cannot be fulfilled: the object has been modified",
    'Operation cannot be fulfilled on x "y": StorageError: invalid object, Code: 4, Key: /registry/x/y',
    "Precondition failed: UID in precondition: 1, UID in object meta: 2",
    "etcdserver: leader changed",
]
GROUP = {
    "apiVersion": "ngpc.rxt.io/v1",
    "metadata": {"name": "edge"},
    "spec": {"region": "us-central-dfw-1", "vmSshKeyRef": {"name": "operators"}},
}
LASTING = [None, "", "quota exceeded", "no such image", "admission webhook denied the request", "modified"]


@pytest.mark.parametrize("message", SIBLINGS)
def test_a_conflict_is_passing(message: str) -> None:
    """However the controller wrapped it."""
    assert is_passing(message)
    assert is_passing(f"failed to reconcile: {message.upper()}")


@pytest.mark.parametrize("message", LASTING)
def test_anything_else_is_shown(message: str | None) -> None:
    """What does not heal by itself is for a person to see."""
    assert not is_passing(message)
    assert without_passing("Error", message) == ("Error", message)


def test_only_the_phase_error_is_replaced() -> None:
    """An object that is being upgraded or deleted stays so."""
    assert without_passing("Error", CONFLICT) == ("Provisioning", None)
    assert without_passing("Upgrading", CONFLICT) == ("Upgrading", None)


@pytest.mark.parametrize("kind", [CLOUD_SPACE, VM_CLOUD_SPACE], ids=lambda kind: kind.name)
def test_neither_readiness_nor_a_table_shows_one(kind: Kind[Any]) -> None:
    """In the table the phase is the one that the object is really in."""
    document = {**GROUP, "kind": kind.name, "status": {"phase": "Error", "reason": CONFLICT}}
    readiness = kind.readiness(kind.read(document))
    assert (readiness.phase.value, readiness.note) == ("progressing", "Provisioning")
    assert row_of(kind, document, wide=True)["phase"] == "Provisioning"
    assert document["status"] == {"phase": "Error", "reason": CONFLICT}


@pytest.mark.parametrize("status", [None, "odd", {"reason": 5}, {"phase": 5, "reason": "quota"}])
def test_an_odd_status_is_left_alone(status: object) -> None:
    """Whatever the service sends is printed."""
    assert for_people({"status": status}) == {"status": status}


async def test_a_wait_that_ends_does_not_end_with_one(spot_api: SimulatedSpot) -> None:
    """Nor does its progress show one."""
    put(spot_api, "cloudspaces", cloudspace("edge", status={"phase": "Error", "reason": CONFLICT}))
    client, waits = spot_api.client(), list[Wait]()
    client.hooks.waits.append(waits.append)
    with pytest.raises(NotReady, match=r"CloudSpace edge is progressing: Provisioning$"):
        await client.cloudspaces.wait("edge", timeout=0)
    assert [(wait.what, wait.note, wait.over) for wait in waits] == [
        ("CloudSpace edge to be ready", "Provisioning", True)
    ]


async def test_a_lasting_reason_is_part_of_a_wait(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It says what to do."""
    put(spot_api, "cloudspaces", cloudspace("edge", status={"phase": "Error", "reason": "quota exceeded"}))
    with pytest.raises(NotReady, match="Error quota exceeded"):
        await spot_client.cloudspaces.wait("edge", timeout=0)
