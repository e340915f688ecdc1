"""`request_json` to any path: it never deletes a whole collection, and sends bodies as the service takes them."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot import AsyncSpotClient, UnexpectedShape, UsageError
from rsspot.errors import ApiError
from rsspot.resources.registry import kinds
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

API = "/apis/ngpc.rxt.io/v1"
SPACE = f"{API}/namespaces/org-a"
PLURALS = sorted(kind.plural for kind in kinds().values())
OFTEN_ENCODED = f"/%{'25' * 20}2f"
ENDS = ["", "/", "//", "?a=/edge", "/?a=b", "/%2f", "%2F", "/%252f", OFTEN_ENCODED, "/%00", "/%20", ";a=b", "#edge"]
ENDS += ["/#edge", "%3fa", "\\"]
"""What leaves the path of a collection one, for some server or proxy."""
ODD_PATHS = [
    f"{SPACE}/cloudspaces/edge/..",
    f"{SPACE}/cloudspaces/edge/../",
    f"{SPACE}/cloudspaces/.",
    f"{SPACE}/cloudspaces/%2e%2e/cloudspaces",
    f"{SPACE}/cloudspaces/edge%2f..",
    f"{SPACE}/cloudspaces/edge%3f/..",
    f"{SPACE}/cloudspaces/%25252e",
    f"{SPACE}/cloudspaces/edge\\..",
    f"{SPACE}/./cloudspaces/edge/%2E%2e?x=y",
    f"/{SPACE}//cloudspaces//",
    f"{API}/namespaces//cloudspaces",
    f"{API}/namespaces/org-a",
    f"{API}/namespaces",
    f"{SPACE}/widgets",
    "/apis/other.io/v1/widgets/",
    "/api/v1/namespaces/org-a/secrets",
    API,
    "/api/v1",
    "/",
    "",
]
OBJECTS = [
    f"{SPACE}/cloudspaces/edge",
    f"{SPACE}/cloudspaces/edge/",
    f"{SPACE}/cloudspaces/edge?dryRun=All",
    f"{SPACE}/spotnodepools/0b2ff5a2-8d38-5b6d-9f0a-0f6f4a4c9a10",
    f"{API}/serverclasses/gp.vs1.large-dfw",
    "/api/v1/namespaces/org-a/secrets/one",
]
SENDERS = pytest.mark.parametrize("name", ["request_json", "_request_json"])


class Recording(httpx.AsyncBaseTransport):
    """Keeps every request except those for a token, and answers each with the same body."""

    def __init__(self, spot_api: SimulatedSpot, body: bytes) -> None:
        self._spot = InProcessTransport(spot_api.api)
        self._body = body
        self.sent: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/oauth"):
            return await self._spot.handle_async_request(request)
        self.sent.append(request)
        return httpx.Response(200, content=self._body, request=request)


def recorded(spot_api: SimulatedSpot, body: bytes = b"{}") -> tuple[AsyncSpotClient, Recording]:
    """A client, and what it sends."""
    transport = Recording(spot_api, body)
    resolved = spot_api.client().config
    return AsyncSpotClient(resolved=resolved, transport=transport, clock=spot_api.clock), transport


@SENDERS
@pytest.mark.parametrize("path", [f"{SPACE}/cloudspaces{end}" for end in ENDS] + ODD_PATHS)
async def test_a_collection_is_never_deleted(spot_api: SimulatedSpot, name: str, path: str) -> None:
    """However its path is written; nothing is sent."""
    client, transport = recorded(spot_api)
    async with client:
        for method in ("DELETE", "delete"):
            with pytest.raises(UsageError, match=r"^DELETE ") as refused:
                await getattr(client, name)(method, path)
            assert refused.value.hint
    assert transport.sent == []


@pytest.mark.parametrize("plural", PLURALS)
async def test_no_kind_is_deleted_whole(spot_api: SimulatedSpot, plural: str) -> None:
    """In one namespace, or in all."""
    client, transport = recorded(spot_api)
    async with client:
        for path in (f"{SPACE}/{plural}", f"{API}/{plural}/", f"/some/proxy{SPACE}/{plural.upper()}"):
            with pytest.raises(UsageError):
                await client.request_json("DELETE", path)
    assert transport.sent == []


async def test_a_refusal_does_not_repeat_the_query(spot_api: SimulatedSpot) -> None:
    """It may hold a secret."""
    client, _ = recorded(spot_api)
    async with client:
        with pytest.raises(UsageError) as refused:
            await client.request_json("DELETE", f"{SPACE}/cloudspaces?key=secret-word")
    assert "secret-word" not in f"{refused.value}{refused.value.hint}"


@pytest.mark.parametrize("path", OBJECTS)
async def test_one_object_can_be_deleted(spot_api: SimulatedSpot, path: str) -> None:
    """By a path that ends in its name."""
    client, transport = recorded(spot_api)
    async with client:
        await client.request_json("DELETE", path)
    assert [request.method for request in transport.sent] == ["DELETE"]


async def test_the_objects_of_a_collection_survive(spot_api: SimulatedSpot) -> None:
    """On the service as it is."""
    async with spot_api.client() as client:
        await client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
        path = f"{API}/namespaces/{await client.resolve_org_id()}/cloudspaces"
        with pytest.raises(UsageError):
            await client.request_json("DELETE", f"{path}/")
        assert [each.name for each in await client.cloudspaces.list()] == ["edge"]
        await client.request_json("DELETE", f"{path}/edge")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
async def test_other_methods_may_address_a_collection(spot_api: SimulatedSpot, method: str) -> None:
    """They delete nothing."""
    client, transport = recorded(spot_api)
    async with client:
        assert await client.request_json(method, f"{SPACE}/cloudspaces/") == {}
    assert len(transport.sent) == 1


@pytest.mark.parametrize("body", [b'{"kind": "CloudSpaceList", "items": []}', b'{"kind": "Status"}', b"{}"])
async def test_any_object_answers_a_deletion(spot_api: SimulatedSpot, body: bytes) -> None:
    """A list too, as in rsspot 0.3."""
    client, _ = recorded(spot_api, body)
    async with client:
        assert isinstance(await client.request_json("DELETE", OBJECTS[0]), dict)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_answer_to_a_write_may_be_empty(spot_api: SimulatedSpot, method: str) -> None:
    """But it is no other text."""
    client, _ = recorded(spot_api, b" ")
    async with client:
        assert await client.request_json(method, OBJECTS[0]) == {}
    for body in (b"[]", b"done", b"3"):
        client, _ = recorded(spot_api, body)
        async with client:
            with pytest.raises(UnexpectedShape, match="is not a JSON object"):
                await client.request_json(method, OBJECTS[0])


@pytest.mark.parametrize(
    ("body", "sent"), [({}, b"{}"), ({"a": None}, b'{"a": null}'), (None, b"")], ids=["empty", "null", "none"]
)
async def test_a_body_is_sent_as_it_is(spot_api: SimulatedSpot, body: dict[str, Any] | None, sent: bytes) -> None:
    """An empty one too."""
    client, transport = recorded(spot_api)
    async with client:
        await client._request_json("POST", f"{SPACE}/cloudspaces", body=body)
        await client.request_json("POST", f"{SPACE}/cloudspaces", json_data=body)
    assert [request.content for request in transport.sent] == [sent, sent]


async def test_a_patch_is_a_merge_patch(spot_api: SimulatedSpot) -> None:
    """Unless the caller says otherwise, and the service takes it."""
    async with spot_api.client() as client:
        await client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
        path = f"{API}/namespaces/{await client.resolve_org_id()}/cloudspaces/edge"
        labels = {"metadata": {"labels": {"a": "b"}}}
        assert (await client._request_json("patch", path, body=labels))["metadata"]["labels"]["a"] == "b"
        assert (await client._request_json("PATCH", path, body={}))["metadata"]["name"] == "edge"
        with pytest.raises(ApiError, match="application/json"):
            await client.request_json("PATCH", path, json_data=labels, content_type="application/json")
