"""A list gives every object of all its pages, whichever way the service spells what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import Gone, RsspotError, ServerError, UnexpectedShape
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE, CloudSpace
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import CLOUDSPACE, NAMESPACE, cloudspace, overhearing, pool, put, uuid_of

MANY = 1200
PATH = f"/apis/ngpc.rxt.io/v1/namespaces/{NAMESPACE}/cloudspaces"


def listing(document: Any) -> Any:
    """Answers every list of cloudspaces with one document."""
    body = json.dumps(document).encode()
    return lambda request: httpx.Response(200, content=body) if request.url.path == PATH else None


async def test_a_list_is_read_over_all_its_pages(spot_api: SimulatedSpot) -> None:
    """Three pages of 500 at most; each object once, in the service's order."""
    names = [f"c{number:05d}" for number in range(MANY)]
    put(spot_api, "cloudspaces", *map(cloudspace, names))
    client, wire = overhearing(spot_api)
    found = await client.cloudspaces.list()
    assert [each.name for each in found] == names
    asked = [each.url.params for each in wire.of("GET", path="/cloudspaces")]
    assert [each["limit"] for each in asked] == ["500"] * 3
    assert ["continue" in each for each in asked] == [False, True, True]
    assert [each["metadata"]["name"] for each in await client.documents(CLOUD_SPACE).list()] == names


async def test_pages_are_asked_for_with_the_same_selector(spot_api: SimulatedSpot) -> None:
    """A second page without it would bring what was not asked for."""
    put(
        spot_api,
        "cloudspaces",
        *(cloudspace(f"c{n:05d}", metadata={"name": f"c{n:05d}", "labels": {"odd": str(n % 2)}}) for n in range(MANY)),
    )
    client, wire = overhearing(spot_api)
    found = await client.cloudspaces.list(labels="odd=1")
    assert len(found) == MANY // 2
    assert {each.metadata.labels["odd"] for each in found} == {"1"}
    assert [each.url.params["labelSelector"] for each in wire.of("GET", path="/cloudspaces")] == ["odd=1"] * 2


@pytest.mark.parametrize("times", [1, 2])
async def test_an_expired_page_restarts_the_list(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, times: int
) -> None:
    """So that halves of two lists never mix; twice is bad luck."""
    put(spot_api, "cloudspaces", *(cloudspace(f"c{number:05d}") for number in range(MANY)))
    for earlier in range(times):
        # Each spares the first page of every attempt so far.
        spot_api.faults.add("status", "GET", "/cloudspaces", skip=1 + earlier, status=410)
    found = await spot_client.cloudspaces.list()
    assert len({each.name for each in found}) == len(found) == MANY
    assert len([path for _, path in spot_api.requests("GET") if path == PATH]) == 3 + 2 * times


async def test_a_list_that_always_expires_is_given_up(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """As the error it is."""
    spot_api.faults.add("status", "GET", "/cloudspaces", times=99, status=410)
    with pytest.raises(Gone, match="expired 3 times"):
        await spot_client.cloudspaces.list()


async def test_pools_are_found_by_what_they_name_not_by_a_label(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """The service does not label all of them."""
    put(spot_api, "spotnodepools", pool(1), pool(2, cloudSpace="other"), pool(3))
    found = await spot_client.spot_nodepools.list(within="edge")
    assert [each.name for each in found] == [uuid_of(1), uuid_of(3)]
    assert all(each.metadata.labels == {} for each in found)
    assert await spot_client.spot_nodepools.list(within="nowhere") == []
    assert len(await spot_client.spot_nodepools.list()) == 3


async def test_what_lives_in_nothing_is_within_nothing(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """A cloudspace is not in a cloudspace, not even in itself."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    assert await spot_client.cloudspaces.list(within="edge") == []


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        (cloudspace("odd", spec={"region": 7}), "spec.region"),
        (cloudspace("odd", status={"phase": ["Ready"]}), "status.phase"),
        (cloudspace("odd", metadata={"name": "odd", "labels": ["a"]}), "metadata.labels"),
        ({"metadata": {"name": "odd"}}, "spec"),
    ],
)
async def test_one_odd_object_does_not_hide_the_others(spot_api: SimulatedSpot, odd: Any, field: str) -> None:
    """It is named with its field, and the rest is at hand."""
    client, _ = overhearing(spot_api, listing({"items": [cloudspace("a"), odd, cloudspace("z")]}))
    with pytest.raises(UnexpectedShape, match=rf"CloudSpace odd does not have the expected shape: .*{field}") as caught:
        await client.cloudspaces.list()
    assert isinstance(caught.value, RsspotError | ValueError)
    assert [each.name for each in caught.value.readable if isinstance(each, CloudSpace)] == ["a", "z"]
    assert caught.value.hint is not None and "documents" in caught.value.hint
    assert len(await client.documents(CLOUD_SPACE).list()) == 3


async def test_what_can_be_read_is_gathered_from_all_pages(spot_api: SimulatedSpot, spot_client: Any) -> None:
    """Also from those after the one with the odd object, and however many there are."""
    good = (cloudspace(f"c{number:05d}") for number in range(MANY))
    bad = (cloudspace(f"b{number:05d}", spec={}) for number in range(7))
    put(spot_api, "cloudspaces", *good, *bad)
    with pytest.raises(UnexpectedShape, match="cannot read 7 of the cloudspaces") as caught:
        await spot_client.cloudspaces.list()
    assert len(caught.value.readable) == MANY
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("item", [None, 5, "text", [], {}, {"metadata": None}])
async def test_an_item_without_a_name_is_odd_too(spot_api: SimulatedSpot, item: Any) -> None:
    """Whatever stands in the list."""
    client, _ = overhearing(spot_api, listing({"items": [item, cloudspace("a")]}))
    with pytest.raises(UnexpectedShape) as caught:
        await client.cloudspaces.list()
    assert len(caught.value.readable) == 1


@pytest.mark.parametrize(
    "document",
    [[], 5, "text", None, {"items": 5}, {"items": "text"}, {"items": {"a": 1}}, {"metadata": "text", "items": []}],
)
async def test_what_is_no_list_is_an_error_of_ours(spot_api: SimulatedSpot, document: Any) -> None:
    """A proxy's page, for instance; nobody has to catch pydantic's errors."""
    client, _ = overhearing(spot_api, listing(document))
    with pytest.raises((UnexpectedShape, ServerError)) as caught:
        await client.cloudspaces.list()
    assert not getattr(caught.value, "readable", ())


async def test_a_kind_and_a_version_are_there_though_lists_leave_them_out(spot_api: SimulatedSpot) -> None:
    """Items of a list come without them."""
    item = {"metadata": {"name": "edge"}, "spec": CLOUDSPACE}
    client, _ = overhearing(spot_api, listing({"items": [item]}))
    (found,) = await client.cloudspaces.list()
    assert (found.kind, found.api_version) == ("CloudSpace", "ngpc.rxt.io/v1")
