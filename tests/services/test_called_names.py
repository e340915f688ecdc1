"""The SDK takes every form of a name too, and sends no more requests for it than it has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import rsspot
from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import NAME_ANNOTATION
from rsspot.errors import NotFound, UsageError
from rsspot.resources.names import Called, called, distinct_names, full_name
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from support.recording import CLOUDSPACE, POOL

KIND = kinds()["SpotNodePool"]


@pytest.fixture
async def wire(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> str:
    """The wire name of a pool edge/workers."""
    await spot_client.cloudspaces.create("edge", CLOUDSPACE)
    made = await spot_client.spot_nodepools.create("workers", POOL)
    await spot_client.spot_nodepools.list()
    spot_api.transport.carried.clear()
    return made.name


@pytest.mark.parametrize("form", ["workers", "edge/workers", "spotnodepool/edge/workers", "snp/edge/workers"])
async def test_a_given_name_takes_one_list(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, wire: str, form: str
) -> None:
    """The list has the whole object, so that nothing is read twice."""
    assert (await spot_client.spot_nodepools.get(form)).name == wire
    assert [path.rpartition("/")[2] for _, path in spot_api.requests()] == ["spotnodepools"]


async def test_a_wire_name_takes_no_list(spot_api: SimulatedSpot, spot_client: AsyncSpotClient, wire: str) -> None:
    """Nor does the name of a kind whose names are not derived."""
    documents = spot_client.documents(KIND)
    assert await documents.wire_name(wire) == wire
    assert await documents.wire_name(f"spotnodepool/{wire}") == wire
    assert await spot_client.documents(kinds()["CloudSpace"]).wire_name("cloudspace/edge") == "edge"
    assert spot_api.requests() == []
    await spot_client.spot_nodepools.delete(wire)
    assert [method for method, _ in spot_api.requests()] == ["DELETE"]


async def test_a_wire_name_within_a_parent_takes_one_read(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, wire: str
) -> None:
    """Whether it is in there can only be seen in the object."""
    documents = spot_client.documents(KIND)
    assert await documents.wire_name(wire, within="cloudspace/edge") == wire
    with pytest.raises(NotFound):
        await documents.wire_name(f"other/{wire}")
    assert [method for method, path in spot_api.requests() if path.endswith(wire)] == ["GET", "GET"]
    assert len(spot_api.requests()) == 2


@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait", "wait_gone"])
async def test_the_name_of_another_kind_is_refused_by_every_verb(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, verb: str
) -> None:
    """Before anything is sent."""
    arguments: list[Any] = [{}] if verb == "patch" else []
    with pytest.raises(UsageError, match="is not the name of an object of kind CloudSpace") as caught:
        await getattr(spot_client.cloudspaces, verb)("spotnodepool/edge", *arguments)
    assert caught.value.hint == "spotnodepool is another kind, SpotNodePool"
    assert spot_api.transport.carried == []


def test_a_cloudspace_may_be_named_like_a_kind() -> None:
    """The first of two words is the parent: read as the kind, it would find a pool of another cloudspace."""
    assert called(KIND, "spotnodepool/workers") == Called("spotnodepool", "workers")
    assert called(KIND, "pools/0c5bad9d-6fc7-53e4-9d78-29794ec55629").parent is None
    assert called(KIND, "spotnodepool/spotnodepool/workers") == Called("spotnodepool", "workers")
    assert called(KIND, "workers", "pools") == Called("pools", "workers")


def test_an_annotation_that_is_no_name_is_not_printed_as_one() -> None:
    """Anybody can write it, and no command would find the object by it."""
    for odd in ("a/b", "", "../x", "A B", None, 7):
        pool = {"metadata": {"name": "0c5b", "annotations": {NAME_ANNOTATION: odd}}, "spec": {"cloudSpace": "edge"}}
        assert full_name(KIND, pool) == "edge/0c5b"


def test_names_that_several_objects_have_are_told_apart() -> None:
    """During a surge, the old and the new pool have one name."""
    pools = [
        {"metadata": {"name": wire, "annotations": {NAME_ANNOTATION: given}}, "spec": {"cloudSpace": "edge"}}
        for wire, given in (("0c5b", "workers"), ("1d6c", "workers"), ("2e7d", "batch"))
    ]
    assert distinct_names(KIND, pools) == ["edge/0c5b", "edge/1d6c", "edge/batch"]


def test_short_names_are_those_of_the_service() -> None:
    """kubectl knows them from the definition of a kind, and rsspot has some more."""
    for file in (Path(rsspot.__file__).parent / "simulator" / "crds").glob("*.yaml"):
        names = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["names"]
        assert {names["singular"], names["plural"], *names.get("shortNames", [])} <= set(kinds()[names["kind"]].aliases)
