"""A list returns the objects of all pages, however the service encodes missing parts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import Gone, RsspotError, ServerError, UnexpectedShape, UsageError
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE, CloudSpace
from rsspot.services.nodepools.schemas import SPOT_NODE_POOL
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import CLOUDSPACE, NAMESPACE, POOL, cloudspace, overhearing, pool, put, uuid_of

MANY = 1200
PATH = f"/apis/ngpc.rxt.io/v1/namespaces/{NAMESPACE}/cloudspaces"


def listing(document: Any) -> Any:
    """Answers every list of cloudspaces with one document."""
    body = json.dumps(document).encode()
    return lambda request: httpx.Response(200, content=body) if request.url.path == PATH else None


async def test_all_pages_of_a_list_are_read(spot_api: SimulatedSpot) -> None:
    """Pages of at most 500; each object once, in the service's order."""
    names = [f"c{number:05d}" for number in range(MANY)]
    put(spot_api, "cloudspaces", *map(cloudspace, names))
    client, wire = overhearing(spot_api)
    cloudspaces = await client.cloudspaces.list()
    assert [each.name for each in cloudspaces] == names
    queries = [each.url.params for each in wire.of("GET", path="/cloudspaces")]
    assert [query["limit"] for query in queries] == ["500"] * 3
    assert ["continue" in query for query in queries] == [False, True, True]
    assert [each["metadata"]["name"] for each in await client.documents(CLOUD_SPACE).list()] == names


async def test_every_page_is_requested_with_the_selector(spot_api: SimulatedSpot) -> None:
    """Otherwise later pages would have other objects."""
    put(
        spot_api,
        "cloudspaces",
        *(cloudspace(f"c{n:05d}", metadata={"name": f"c{n:05d}", "labels": {"odd": str(n % 2)}}) for n in range(MANY)),
    )
    client, wire = overhearing(spot_api)
    cloudspaces = await client.cloudspaces.list(labels="odd=1")
    assert len(cloudspaces) == MANY // 2
    assert {each.metadata.labels["odd"] for each in cloudspaces} == {"1"}
    assert [each.url.params["labelSelector"] for each in wire.of("GET", path="/cloudspaces")] == ["odd=1"] * 2


@pytest.mark.parametrize("times", [1, 2])
async def test_an_expired_page_token_restarts_the_list(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, times: int
) -> None:
    """So that pages of two versions never mix, even if it happens twice."""
    put(spot_api, "cloudspaces", *(cloudspace(f"c{number:05d}") for number in range(MANY)))
    for earlier in range(times):
        # Each fault skips the first pages of the attempts so far.
        spot_api.faults.add("status", "GET", "/cloudspaces", skip=1 + earlier, status=410)
    cloudspaces = await spot_client.cloudspaces.list()
    assert len({each.name for each in cloudspaces}) == len(cloudspaces) == MANY
    assert len([path for _, path in spot_api.requests("GET") if path == PATH]) == 3 + 2 * times


async def test_a_list_that_always_expires_is_given_up(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It raises Gone."""
    spot_api.faults.add("status", "GET", "/cloudspaces", times=99, status=410)
    with pytest.raises(Gone, match="expired 3 times"):
        await spot_client.cloudspaces.list()


async def test_within_uses_the_spec_and_not_a_label(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """The service does not label all pools."""
    put(spot_api, "spotnodepools", pool(1), pool(2, cloudSpace="other"), pool(3))
    pools = await spot_client.spot_nodepools.list(within="edge")
    assert [each.name for each in pools] == [uuid_of(1), uuid_of(3)]
    assert all(each.metadata.labels == {} for each in pools)
    assert await spot_client.spot_nodepools.list(within="nowhere") == []
    assert len(await spot_client.spot_nodepools.list()) == 3


async def test_within_may_be_an_address(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """As on the command line. What cannot be the name of a cloudspace is an error, and not an empty list."""
    put(spot_api, "spotnodepools", pool(1), pool(2, cloudSpace="other"))
    for within in ("cloudspace/other", "cloudspaces/other", "cs/other", "cloudspace.ngpc.rxt.io/other"):
        assert [each.name for each in await spot_client.spot_nodepools.list(within=within)] == [uuid_of(2)]
        assert [each.name for each in await spot_client.spot_nodepools.list(cloudspace=within)] == [uuid_of(2)]
    carried = len(spot_api.transport.carried)
    for within in ("edge/workers", "region/other", "Other!"):
        with pytest.raises(UsageError):
            await spot_client.spot_nodepools.list(within=within)
    assert len(spot_api.transport.carried) == carried
    assert await spot_client.spot_nodepools.list(within="") == []


async def test_an_object_without_a_parent_is_within_nothing(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """A cloudspace does not live in a cloudspace."""
    put(spot_api, "cloudspaces", cloudspace("edge"))
    assert await spot_client.cloudspaces.list(within="edge") == []


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        (cloudspace("odd", spec={"region": 7}), "spec.region"),
        ({"metadata": {"name": "odd"}}, "spec"),
    ],
)
async def test_one_malformed_object_does_not_hide_the_others(spot_api: SimulatedSpot, odd: Any, field: str) -> None:
    """It is named with its field, and `readable` has the rest."""
    client, _ = overhearing(spot_api, listing({"items": [cloudspace("a"), odd, cloudspace("z")]}))
    with pytest.raises(UnexpectedShape, match=rf"CloudSpace odd does not have the expected shape: .*{field}") as caught:
        await client.cloudspaces.list()
    assert isinstance(caught.value, RsspotError | ValueError)
    assert [each.name for each in caught.value.readable if isinstance(each, CloudSpace)] == ["a", "z"]
    assert caught.value.hint is not None and "documents" in caught.value.hint
    assert len(await client.documents(CLOUD_SPACE).list()) == 3


@pytest.mark.parametrize(
    ("odd", "path"),
    [
        ({"status": {"phase": ["Ready"]}}, ("status", "phase")),
        ({"metadata": {"name": "odd", "labels": ["a"]}}, ("metadata", "labels")),
        ({"status": {"assignedServers": {"s": {"IP": 7}}}}, ("status", "assigned_servers", "s", "ip")),
        ({"status": 7}, ("status",)),
    ],
)
async def test_a_field_of_another_type_counts_as_absent(
    spot_api: SimulatedSpot, odd: Any, path: tuple[str, ...]
) -> None:
    """The service has accepted the object, so it can be read; `documents` has it as it came."""
    client, _ = overhearing(spot_api, listing({"items": [cloudspace("a"), cloudspace("odd", **odd)]}))
    value: Any = (await client.cloudspaces.list())[1]
    for key in path:
        value = value[key] if isinstance(value, dict) else getattr(value, key)
    assert not value


def test_what_may_not_be_written_can_be_read() -> None:
    """Other clients write what our manifests may not say, and the service knows more words than we do."""
    spec = {**POOL, "desired": 0, "bidPrice": "0.0123456", "customTaints": [{"key": "b d", "effect": "New"}]}
    spec |= {"autoscaling": {"enabled": False, "minNodes": 0, "maxNodes": 0}, "customLabels": {"my label": "x y"}}
    read = SPOT_NODE_POOL.read(pool(1, **spec))
    assert read.spec.model_dump(mode="json", by_alias=True, exclude_unset=True) == spec


async def test_readable_objects_are_collected_from_all_pages(spot_api: SimulatedSpot, spot_client: Any) -> None:
    """Also from pages after a malformed object."""
    good = (cloudspace(f"c{number:05d}") for number in range(MANY))
    bad = (cloudspace(f"b{number:05d}", spec={}) for number in range(7))
    put(spot_api, "cloudspaces", *good, *bad)
    with pytest.raises(UnexpectedShape, match="cannot read 7 of the cloudspaces") as caught:
        await spot_client.cloudspaces.list()
    assert len(caught.value.readable) == MANY
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("item", [None, 5, "text", [], {}, {"metadata": None}])
async def test_an_item_without_a_name_is_malformed_too(spot_api: SimulatedSpot, item: Any) -> None:
    """Whatever else it holds."""
    client, _ = overhearing(spot_api, listing({"items": [item, cloudspace("a")]}))
    with pytest.raises(UnexpectedShape) as caught:
        await client.cloudspaces.list()
    assert len(caught.value.readable) == 1


@pytest.mark.parametrize(
    "document",
    [[], 5, "text", None, {"items": 5}, {"items": "text"}, {"items": {"a": 1}}, {"metadata": "text", "items": []}],
)
async def test_a_response_that_is_not_a_list_raises_unexpected_shape(spot_api: SimulatedSpot, document: Any) -> None:
    """Such as a proxy's error page; pydantic's errors do not escape."""
    client, _ = overhearing(spot_api, listing(document))
    with pytest.raises((UnexpectedShape, ServerError)) as caught:
        await client.cloudspaces.list()
    assert not getattr(caught.value, "readable", ())


async def test_list_items_get_a_kind_and_a_version(spot_api: SimulatedSpot) -> None:
    """Lists leave them out."""
    item = {"metadata": {"name": "edge"}, "spec": CLOUDSPACE}
    client, _ = overhearing(spot_api, listing({"items": [item]}))
    (cloudspaces,) = await client.cloudspaces.list()
    assert (cloudspaces.kind, cloudspaces.api_version) == ("CloudSpace", "ngpc.rxt.io/v1")
