"""A 2xx response that is not what the service documents is neither "nothing there" nor "done"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import take_snapshot
from rsspot.errors import OutcomeUnknown, RsspotError, ServerError
from rsspot.http import paging
from rsspot.http.call import Call
from rsspot.http.envelopes import page_of
from rsspot.http.paging import token_of
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import overhearing

LIST = Call("GET", "/x")
NOT_A_LIST = [
    b"",
    b"{}",
    b"null",
    b"[]",
    b"<html>Please sign in</html>",
    b'{"code": 500, "message": "upstream unavailable"}',
    b'{"items": "many"}',
    b'{"items": [1]}',
    b'{"items": [{}]}',
    b'{"items": [{"metadata": {"name": 7}}]}',
    b'{"items": [{"metadata": {"name": ""}}]}',
    b'{"items": ' + b"[" * 100_000,
]
EDGE = {"metadata": {"name": "edge"}, "spec": {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}}
ODD_LISTS = [
    ({"kind": "VMPoolList", "items": []}, "is a VMPoolList and no CloudSpaceList"),
    ({"kind": "Table", "items": [EDGE]}, "is a Table and no CloudSpaceList"),
    ({"items": [EDGE, {**EDGE, "kind": "VMPool"}]}, "holds an item of kind 'VMPool'"),
    ({"items": [EDGE], "metadata": {"remainingItemCount": 2}}, "leaves out 2 objects"),
    ({"items": [EDGE], "metadata": {"continue": "", "remainingItemCount": 2}}, "leaves out 2 objects"),
    ({"items": [EDGE], "metadata": {"remainingItemCount": -1}}, "is no number of objects"),
    ({"items": [EDGE], "metadata": {"remainingItemCount": "two"}}, "is no number of objects|is not a list"),
    ({"items": [EDGE], "metadata": {"continue": 7}}, "is no page token|is not a list"),
]
NOT_AN_OBJECT = [
    b"",
    b"{}",
    b"[]",
    b"<html>Please sign in</html>",
    b'{"kind": "Status", "status": "Success"}',
    b'{"metadata": {}}',
    b'{"metadata": {"name": "another"}}',
]
NOT_A_DELETION = [b"{}", b"[]", b"<html>", b'{"login": "please"}', b'{"kind": "Status", "status": "Failure"}']
SPEC = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}


def answering(spot_api: SimulatedSpot, method: str, body: bytes) -> AsyncSpotClient:
    """A client whose requests of a method for cloudspaces get 200 with this body."""
    client, _ = overhearing(
        spot_api,
        lambda request: (
            httpx.Response(200, content=body)
            if request.method == method and "/cloudspaces" in request.url.path
            else None
        ),
    )
    return client


@pytest.mark.parametrize("body", NOT_A_LIST)
async def test_what_is_not_a_list_is_an_error(spot_api: SimulatedSpot, body: bytes) -> None:
    """It does not read as an empty one, after which a plan would create everything again."""
    client = answering(spot_api, "GET", body)
    with pytest.raises(ServerError, match=r"is not a list|not an object with a name"):
        await client.documents(client.cloudspaces.kind).list()


@pytest.mark.parametrize(
    ("body", "definite"),
    [
        (b'{"items": null}', False),
        (b'{"items": null, "metadata": null}', False),
        (b'{"items": null, "metadata": {"resourceVersion": ""}}', False),
        (b'{"items": null, "metadata": {"resourceVersion": "7"}}', True),
        (b'{"items": []}', True),
    ],
)
async def test_null_reads_as_none_and_is_certain_only_in_a_list_with_a_version(
    spot_api: SimulatedSpot, body: bytes, definite: bool
) -> None:
    """It is what Go writes for an empty list, and what many another answer holds: a plan does not go by that."""
    client = answering(spot_api, "GET", body)
    listed = await client.documents(client.cloudspaces.kind).list()
    assert (listed, listed.definite) == ([], definite)
    assert await client.cloudspaces.list() == []
    assert ("CloudSpace" in (await take_snapshot(client, [client.cloudspaces.kind])).incomplete) is not definite


@pytest.mark.parametrize("body", NOT_A_LIST)
async def test_models_are_not_listed_from_it_either(spot_api: SimulatedSpot, body: bytes) -> None:
    """The SDK says the same as a plan."""
    client = answering(spot_api, "GET", body)
    with pytest.raises(RsspotError, match=r"is not a list|cannot read"):
        await client.cloudspaces.list()


@pytest.mark.parametrize(("list_of", "said"), ODD_LISTS)
async def test_a_list_of_something_else_or_of_a_part_is_an_error(
    spot_api: SimulatedSpot, list_of: dict[str, Any], said: str
) -> None:
    """For documents, models and watches alike: a part would read as the whole."""
    body = json.dumps({"metadata": {"resourceVersion": "7"}, **list_of}).encode()
    client = answering(spot_api, "GET", body)
    documents = client.documents(client.cloudspaces.kind)
    for reading in (documents.list(), client.cloudspaces.list(), anext(documents.watch())):
        with pytest.raises(ServerError, match=said):
            await reading


@pytest.mark.parametrize("body", [b"", b"<html>Please sign in</html>", b"[]"])
async def test_a_read_that_something_else_answered_is_repeated(body: bytes) -> None:
    """A gateway that is restarted answers with its own page for a moment; a plan would be incomplete for it."""
    bodies = [body, body, b'{"items": []}']
    session = SpotTransport(
        "http://127.0.0.1",
        None,
        ManualClock(),
        httpx.MockTransport(lambda _: httpx.Response(200, content=bodies.pop(0))),
    )
    assert await session.send(LIST) == {"items": []}
    assert session.transport.repeats == 2


@pytest.mark.parametrize("body", NOT_AN_OBJECT)
async def test_what_is_not_the_object_is_an_error(spot_api: SimulatedSpot, body: bytes) -> None:
    """Also an object of another name."""
    with pytest.raises(ServerError, match="the response is"):
        await answering(spot_api, "GET", body).cloudspaces.get("edge")


@pytest.mark.parametrize("body", NOT_AN_OBJECT)
async def test_after_a_write_the_outcome_is_unknown(spot_api: SimulatedSpot, body: bytes) -> None:
    """Something else has answered, and may or may not have passed the request on."""
    with pytest.raises(OutcomeUnknown, match="the response is"):
        await answering(spot_api, "POST", body).cloudspaces.create("edge", SPEC)
    await spot_api.client().cloudspaces.create("edge", SPEC)
    with pytest.raises(OutcomeUnknown, match="the response is"):
        await answering(spot_api, "PATCH", body).cloudspaces.patch("edge", {"kubernetesVersion": "1.32.9"})


@pytest.mark.parametrize("body", NOT_A_DELETION)
async def test_what_does_not_confirm_a_deletion_is_none(spot_api: SimulatedSpot, body: bytes) -> None:
    """Such as the page of a guest network."""
    await spot_api.client().cloudspaces.create("edge", SPEC)
    with pytest.raises(OutcomeUnknown, match="is not a Status or the deleted object"):
        await answering(spot_api, "DELETE", body).cloudspaces.delete("edge")


@pytest.mark.parametrize("body", [b"", b'{"kind": "Status", "status": "Success"}', b'{"metadata": {"name": "edge"}}'])
async def test_a_deletion_is_confirmed_in_several_ways(spot_api: SimulatedSpot, body: bytes) -> None:
    """A Status, the object, or nothing."""
    await spot_api.client().cloudspaces.create("edge", SPEC)
    await answering(spot_api, "DELETE", body).cloudspaces.delete("edge")


def paged(answer: Any) -> SpotTransport:
    """A session whose pages come from a function of the page token."""

    def respond(request: httpx.Request) -> httpx.Response:
        page = {"items": [], "metadata": {"continue": answer(request.url.params.get("continue"))}}
        return httpx.Response(200, content=json.dumps(page))

    return SpotTransport("http://127.0.0.1", None, ManualClock(), httpx.MockTransport(respond))


async def test_a_page_that_comes_again_is_an_error() -> None:
    """Otherwise the list would never end."""
    session = paged(lambda token: "B" if token == "A" else "A")
    with pytest.raises(ServerError, match="continues with a page that was read before"):
        await session.pages(LIST, page_of, token_of)
    assert session.transport.requests == 3


async def test_pages_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each has another token."""
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    session = paged(lambda token: f"{token}x")
    with pytest.raises(ServerError, match="continues after 5 pages"):
        await session.pages(LIST, page_of, token_of)


async def test_an_answer_in_the_services_place_is_not_cached(spot_api: SimulatedSpot) -> None:
    """The next read asks again."""
    bodies = [b"<html>", b'{"items": []}']
    session = SpotTransport(
        "http://127.0.0.1",
        None,
        ManualClock(),
        httpx.MockTransport(lambda _: httpx.Response(200, content=bodies.pop(0))),
        options=TransportOptions(policy=RetryPolicy(attempts=1)),
    )
    with pytest.raises(ServerError):
        await session.send(Call("GET", "/x", fresh=False))
    assert await session.send(Call("GET", "/x", fresh=False)) == {"items": []}
