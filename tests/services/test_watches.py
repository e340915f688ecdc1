"""A watch tells of every object and every change, and goes on whatever becomes of its stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, closing
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import Forbidden, UnexpectedShape
from rsspot.resources.watch import POLL
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.wire import httpx
from support.recording import CLOUDSPACE, NAMESPACE, Overheard, cloudspace, overhearing, put, settings_of

ENDLESS = 40
"""So many requests tell whether a client takes a break between them."""


class Script(httpx.AsyncByteStream):
    """A stream that says some things, and then breaks, ends or stays open."""

    def __init__(self, *events: Document | bytes, then: str = "ends") -> None:
        self._chunks = [each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in events]
        self._then = then
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._then == "breaks":
            raise httpx.ReadError("the connection broke")
        if self._then == "stays open":
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed += 1


def watching(request: httpx.Request) -> bool:
    """Whether a request asks for a stream."""
    return request.url.params.get("watch") == "true"


def scripted(*scripts: httpx.Response | Script) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers the first requests for a stream as told, and the rest as the service does."""
    left = [each if isinstance(each, httpx.Response) else httpx.Response(200, stream=each) for each in scripts]
    return lambda request: left.pop(0) if left and watching(request) else None


def always(make: Callable[[], httpx.Response]) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers every request for a stream in one way."""
    return lambda request: make() if watching(request) else None


def streams(wire: Overheard) -> list[httpx.Request]:
    """The requests for a stream."""
    return [each for each in wire.requests if watching(each)]


async def told(
    client: AsyncSpotClient, *acts: Callable[[], object], labels: str | None = None
) -> list[tuple[str, str]]:
    """What a listener hears, in order: before each act as many changes as there are acts to come, then the last one.

    Each act happens after one change was heard; the listener goes after one more than there are acts.
    """
    heard, left = [], list(acts)
    async with aclosing(client.cloudspaces.watch(labels=labels)) as changes:
        async for change in changes:
            heard.append((change.type, change.object.name))
            if not left:
                break
            left.pop(0)()
    return heard


def remove(spot: SimulatedSpot, name: str) -> None:
    """Have a cloudspace be gone."""
    with spot.world.lock, spot.world.store.transaction():
        body = spot.world.store.get("cloudspaces", NAMESPACE, name)
        assert body is not None
        spot.world.store.remove("cloudspaces", body)


def quiet() -> None:
    """Nothing happens."""


async def test_what_is_there_comes_first_and_then_every_change(spot_api: SimulatedSpot) -> None:
    """ADDED for each, then what happens, as it happens."""
    put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b"))
    client, wire = overhearing(spot_api)
    heard = await told(
        client,
        quiet,
        lambda: put(spot_api, "cloudspaces", cloudspace("b", status={"phase": "Ready"})),
        lambda: put(spot_api, "cloudspaces", cloudspace("c")),
        lambda: remove(spot_api, "a"),
    )
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "b"), ("ADDED", "c"), ("DELETED", "a")]
    (asked,) = streams(wire)
    assert asked.url.params["resourceVersion"].isdigit()
    assert asked.url.params["allowWatchBookmarks"] == "true"


async def test_changes_come_as_typed_objects(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """A deleted one as it was last."""
    put(spot_api, "cloudspaces", cloudspace("a", status={"phase": "Ready"}))
    async with aclosing(spot_client.cloudspaces.watch()) as changes:
        first = await anext(changes)
        remove(spot_api, "a")
        second = await anext(changes)
    assert (second.type, second.object.status and second.object.status.phase) == ("DELETED", "Ready")
    assert first.object.spec.kubernetes_version == "1.31.1"


async def test_documents_are_told_of_with_kind_and_version(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """Also those that came in a list, which leaves them out."""
    put(spot_api, "cloudspaces", {"metadata": {"name": "a"}, "spec": CLOUDSPACE})
    async with aclosing(spot_client.documents(CLOUD_SPACE).watch()) as changes:  # type: ignore[type-var]
        change = await anext(changes)
    assert (change.object["kind"], change.object["apiVersion"]) == ("CloudSpace", "ngpc.rxt.io/v1")


async def test_a_selector_holds_for_the_list_and_for_the_stream(spot_api: SimulatedSpot) -> None:
    """What stops matching is told of as gone."""
    blue, red = ({"name": "a", "labels": {"team": team}} for team in ("blue", "red"))
    put(spot_api, "cloudspaces", cloudspace("a", metadata=blue), cloudspace("z"))
    client, wire = overhearing(spot_api)
    heard = await told(client, lambda: put(spot_api, "cloudspaces", cloudspace("a", metadata=red)), labels="team=blue")
    assert heard == [("ADDED", "a"), ("DELETED", "a")]
    assert [each.url.params["labelSelector"] for each in wire.of("GET", path="cloudspaces")] == ["team=blue"] * 2


@pytest.mark.parametrize("end", ["breaks", "ends"])
async def test_a_stream_that_ends_is_taken_up_where_it_was(spot_api: SimulatedSpot, end: str) -> None:
    """Nothing is told twice, and what happened meanwhile is told."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    version = spot_api.world.store.version() + 1
    event = {"type": "MODIFIED", "object": cloudspace("a", metadata={"name": "a", "resourceVersion": str(version)})}
    client, wire = overhearing(spot_api, scripted(Script(event, then=end)))
    heard = await told(
        client,
        # Two versions: the first is the one that the broken stream tells of.
        lambda: put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b")),
        quiet,
    )
    assert heard == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b")]
    assert streams(wire)[1].url.params["resourceVersion"] == str(version)


async def test_a_bookmark_moves_on_where_to_take_up(spot_api: SimulatedSpot) -> None:
    """It is no change, and nobody is told of it."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    version = str(spot_api.world.store.version())
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
    client, wire = overhearing(spot_api, scripted(Script(bookmark, b"\n", then="breaks")))
    heard = await told(client, lambda: put(spot_api, "cloudspaces", cloudspace("b")))
    assert heard == [("ADDED", "a"), ("ADDED", "b")]
    assert streams(wire)[1].url.params["resourceVersion"] == version


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(410, json={"kind": "Status", "reason": "Expired", "code": 410}),
        Script({"type": "ERROR", "object": {"kind": "Status", "code": 410}}),
        Script(b'{"type": "MODIFIED", "obj'),
        Script({"type": "ADDED", "object": {}}),
        Script({"type": "MODIFIED", "object": "text"}),
        Script({"type": "DELETED"}),
        Script(b"<html>\n"),
    ],
    ids=["410", "error", "torn", "nameless", "text", "nothing", "html"],
)
async def test_when_a_stream_cannot_be_followed_the_list_is_compared(
    spot_api: SimulatedSpot, answer: httpx.Response | Script
) -> None:
    """And only what differs is told."""
    put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b"), cloudspace("same"))

    def meanwhile() -> None:
        put(spot_api, "cloudspaces", cloudspace("b", status={"phase": "Ready"}), cloudspace("c"))
        remove(spot_api, "a")

    client, wire = overhearing(spot_api, scripted(answer))
    heard = await told(client, quiet, quiet, meanwhile, quiet, quiet)
    assert heard[:3] == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "same")]
    assert sorted(heard[3:]) == [("ADDED", "c"), ("DELETED", "a"), ("MODIFIED", "b")]
    assert len(streams(wire)) == 1


@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_a_service_without_streams_is_asked_again_and_again(spot_api: SimulatedSpot, status: int) -> None:
    """It is asked for a stream once, and from then on for lists, with time between them."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    client, wire = overhearing(spot_api, always(lambda: httpx.Response(status, json={"code": status})))
    began = spot_api.clock.time()
    heard = await told(
        client,
        lambda: put(spot_api, "cloudspaces", cloudspace("a", status={"phase": "Ready"})),
        lambda: put(spot_api, "cloudspaces", cloudspace("b")),
        lambda: remove(spot_api, "a"),
    )
    assert heard == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert len(streams(wire)) == 1
    assert spot_api.clock.time() - began >= 3 * POLL


@pytest.mark.parametrize(
    "make",
    [
        lambda: httpx.Response(200),
        lambda: httpx.Response(200, json={"items": [], "metadata": {}}),
        lambda: httpx.Response(200, json={"type": "ERROR", "object": {"code": 500}}),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(204),
        lambda: httpx.Response(410, json={"code": 410}),
        lambda: httpx.Response(422, json={"code": 422}),
        lambda: httpx.Response(503, json={"code": 503}),
    ],
    ids=["empty", "list", "error", "html", "204", "410", "422", "503"],
)
async def test_streams_that_end_at_once_are_not_asked_for_without_a_break(
    spot_api: SimulatedSpot, make: Callable[[], httpx.Response]
) -> None:
    """A service in trouble is not made worse, whatever it answers."""
    client, wire = overhearing(spot_api, always(make))
    began = spot_api.clock.time()

    class EnoughError(Exception):
        pass

    inner = wire.handle_async_request

    async def counted(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) > ENDLESS:
            raise EnoughError
        return await inner(request)

    client = AsyncSpotClient(resolved=settings_of(spot_api), transport=httpx.MockTransport(counted), clock=client.clock)
    with pytest.raises(EnoughError):
        await told(client)
    assert spot_api.clock.time() - began > ENDLESS / 4


async def test_when_even_the_list_is_refused_the_listener_is_told(spot_api: SimulatedSpot) -> None:
    """There is nothing to wait for."""
    client, _ = overhearing(
        spot_api, lambda asked: httpx.Response(403, json={"code": 403}) if "cloudspaces" in asked.url.path else None
    )
    with pytest.raises(Forbidden):
        await told(client)


async def test_an_odd_object_is_an_error_of_ours(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """With its name."""
    put(spot_api, "cloudspaces", cloudspace("odd", spec={}))
    with pytest.raises(UnexpectedShape, match="CloudSpace odd"):
        await told(spot_client)


# Going


@pytest.mark.parametrize("tidy", [True, False])
async def test_a_listener_who_goes_closes_the_stream(spot_api: SimulatedSpot, tidy: bool) -> None:
    """With `aclosing` at once, and without it as soon as the loop comes to it."""
    script = Script({"type": "ADDED", "object": cloudspace("a")}, then="stays open")
    client, _ = overhearing(spot_api, scripted(script))
    if tidy:
        async with aclosing(client.cloudspaces.watch()) as changes:
            assert (await anext(changes)).object.name == "a"
            assert not script.closed
        assert script.closed
        return
    async for change in client.cloudspaces.watch():
        assert change.object.name == "a"
        break
    for _ in range(20):
        await asyncio.sleep(0)
    assert script.closed


async def test_a_listener_who_is_cancelled_closes_the_stream(spot_api: SimulatedSpot) -> None:
    """While it waits for the next change."""
    script = Script({"type": "ADDED", "object": cloudspace("a")}, then="stays open")
    client, _ = overhearing(spot_api, scripted(script))
    heard = asyncio.Event()

    async def listen() -> None:
        async with aclosing(client.cloudspaces.watch()) as changes:
            async for _ in changes:
                heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.closed


def blocking_client(spot: SimulatedSpot, *scripts: Any) -> SpotClient:
    """A synchronous client, some of whose streams are made up."""
    wire = Overheard(spot.transport, scripted(*scripts))
    return SpotClient(resolved=settings_of(spot), transport=wire, clock=spot.clock)


def test_a_thread_may_listen_too(spot_api: SimulatedSpot) -> None:
    """The same changes, and the stream is closed when the loop is left."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    event = {"type": "ADDED", "object": cloudspace("b")}
    broken, ended = Script(b'{"type"', then="breaks"), Script(event, event)
    heard: list[tuple[str, str]] = []
    with blocking_client(spot_api, broken, ended) as client:
        for change in client.cloudspaces.watch():
            heard.append((change.type, change.object.name))
            if change.object.name == "b":
                break
        del change
        assert (broken.closed, ended.closed) == (1, 1)
    assert heard == [("ADDED", "a"), ("ADDED", "b")]


def test_a_thread_that_listens_no_more_may_say_so(spot_api: SimulatedSpot) -> None:
    """Half-way through the stream, by closing the iterator."""
    event = {"type": "ADDED", "object": cloudspace("b")}
    script = Script(event, event)
    with blocking_client(spot_api, script) as client:
        changes: Iterable[Any] = client.cloudspaces.watch()
        with closing(changes):  # type: ignore[type-var]
            next(iter(changes))
            assert not script.closed
        assert script.closed
        assert list(changes) == []
