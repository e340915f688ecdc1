"""A watch yields every object and every change, and continues after a broken stream."""

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
    """A stream with scripted lines that then breaks, ends or stays open."""

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
    """Whether a request is for a watch stream."""
    return request.url.params.get("watch") == "true"


def scripted(*scripts: httpx.Response | Script) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers the first watch requests with these scripts, and the rest as the service does."""
    left = [each if isinstance(each, httpx.Response) else httpx.Response(200, stream=each) for each in scripts]
    return lambda request: left.pop(0) if left and watching(request) else None


def always(make: Callable[[], httpx.Response]) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers every watch request in the same way."""
    return lambda request: make() if watching(request) else None


def streams(wire: Overheard) -> list[httpx.Request]:
    """The watch requests."""
    return [each for each in wire.requests if watching(each)]


async def received_by(
    client: AsyncSpotClient, *acts: Callable[[], object], labels: str | None = None
) -> list[tuple[str, str]]:
    """The events a caller receives, in order.

    Each act runs after the next event was received; the caller stops after one more event than there are acts.
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
    """Delete a cloudspace from the store."""
    with spot.world.lock, spot.world.store.transaction():
        body = spot.world.store.get("cloudspaces", NAMESPACE, name)
        assert body is not None
        spot.world.store.remove("cloudspaces", body)


def quiet() -> None:
    """Does nothing."""


async def test_existing_objects_come_first_then_every_change(spot_api: SimulatedSpot) -> None:
    """ADDED for each, then the changes as they happen."""
    put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b"))
    client, wire = overhearing(spot_api)
    heard = await received_by(
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


async def test_events_have_typed_objects(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """A deleted object comes in its last state."""
    put(spot_api, "cloudspaces", cloudspace("a", status={"phase": "Ready"}))
    async with aclosing(spot_client.cloudspaces.watch()) as changes:
        first = await anext(changes)
        remove(spot_api, "a")
        second = await anext(changes)
    assert (second.type, second.object.status and second.object.status.phase) == ("DELETED", "Ready")
    assert first.object.spec.kubernetes_version == "1.31.1"


async def test_watched_documents_have_a_kind_and_a_version(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """Also those from a list, which leaves them out."""
    put(spot_api, "cloudspaces", {"metadata": {"name": "a"}, "spec": CLOUDSPACE})
    async with aclosing(spot_client.documents(CLOUD_SPACE).watch()) as changes:  # type: ignore[type-var]
        change = await anext(changes)
    assert (change.object["kind"], change.object["apiVersion"]) == ("CloudSpace", "ngpc.rxt.io/v1")


async def test_a_selector_applies_to_the_list_and_the_stream(spot_api: SimulatedSpot) -> None:
    """An object that no longer matches is reported as DELETED."""
    blue, red = ({"name": "a", "labels": {"team": team}} for team in ("blue", "red"))
    put(spot_api, "cloudspaces", cloudspace("a", metadata=blue), cloudspace("z"))
    client, wire = overhearing(spot_api)
    heard = await received_by(
        client, lambda: put(spot_api, "cloudspaces", cloudspace("a", metadata=red)), labels="team=blue"
    )
    assert heard == [("ADDED", "a"), ("DELETED", "a")]
    assert [each.url.params["labelSelector"] for each in wire.of("GET", path="cloudspaces")] == ["team=blue"] * 2


@pytest.mark.parametrize("end", ["breaks", "ends"])
async def test_an_ended_stream_is_resumed(spot_api: SimulatedSpot, end: str) -> None:
    """Nothing is reported twice, and no change in between is missed."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    version = spot_api.world.store.version() + 1
    event = {"type": "MODIFIED", "object": cloudspace("a", metadata={"name": "a", "resourceVersion": str(version)})}
    client, wire = overhearing(spot_api, scripted(Script(event, then=end)))
    heard = await received_by(
        client,
        # Two new versions: the first is the one in the event of the stream above.
        lambda: put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b")),
        quiet,
    )
    assert heard == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b")]
    assert streams(wire)[1].url.params["resourceVersion"] == str(version)


async def test_a_bookmark_updates_the_version_to_resume_from(spot_api: SimulatedSpot) -> None:
    """It is not an event for the caller."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    version = str(spot_api.world.store.version())
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
    client, wire = overhearing(spot_api, scripted(Script(bookmark, b"\n", then="breaks")))
    heard = await received_by(client, lambda: put(spot_api, "cloudspaces", cloudspace("b")))
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
async def test_a_stream_that_cannot_be_resumed_is_replaced_by_a_list(
    spot_api: SimulatedSpot, answer: httpx.Response | Script
) -> None:
    """Only the differences are reported."""
    put(spot_api, "cloudspaces", cloudspace("a"), cloudspace("b"), cloudspace("same"))

    def meanwhile() -> None:
        put(spot_api, "cloudspaces", cloudspace("b", status={"phase": "Ready"}), cloudspace("c"))
        remove(spot_api, "a")

    client, wire = overhearing(spot_api, scripted(answer))
    heard = await received_by(client, quiet, quiet, meanwhile, quiet, quiet)
    assert heard[:3] == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "same")]
    assert sorted(heard[3:]) == [("ADDED", "c"), ("DELETED", "a"), ("MODIFIED", "b")]
    assert len(streams(wire)) == 1


@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_a_service_without_watch_support_is_polled(spot_api: SimulatedSpot, status: int) -> None:
    """A stream is requested once; then lists, with a pause between them."""
    put(spot_api, "cloudspaces", cloudspace("a"))
    client, wire = overhearing(spot_api, always(lambda: httpx.Response(status, json={"code": status})))
    began = spot_api.clock.time()
    heard = await received_by(
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
async def test_streams_that_end_at_once_are_requested_with_pauses(
    spot_api: SimulatedSpot, make: Callable[[], httpx.Response]
) -> None:
    """A service in trouble is not flooded, whatever it responds."""
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
        await received_by(client)
    assert spot_api.clock.time() - began > ENDLESS / 4


async def test_a_refused_list_raises(spot_api: SimulatedSpot) -> None:
    """There is nothing to watch."""
    client, _ = overhearing(
        spot_api, lambda asked: httpx.Response(403, json={"code": 403}) if "cloudspaces" in asked.url.path else None
    )
    with pytest.raises(Forbidden):
        await received_by(client)


async def test_a_malformed_object_raises_unexpected_shape(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient
) -> None:
    """With its name."""
    put(spot_api, "cloudspaces", cloudspace("odd", spec={}))
    with pytest.raises(UnexpectedShape, match="CloudSpace odd"):
        await received_by(spot_client)


# Stopping


@pytest.mark.parametrize("tidy", [True, False])
async def test_stopping_a_watch_closes_the_stream(spot_api: SimulatedSpot, tidy: bool) -> None:
    """At once with `aclosing`, otherwise when the loop finalizes the generator."""
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


async def test_cancelling_a_watch_closes_the_stream(spot_api: SimulatedSpot) -> None:
    """While it waits for the next event."""
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
    """A synchronous client, with some scripted streams."""
    wire = Overheard(spot.transport, scripted(*scripts))
    return SpotClient(resolved=settings_of(spot), transport=wire, clock=spot.clock)


def test_a_thread_can_watch(spot_api: SimulatedSpot) -> None:
    """It gets the same events, and leaving the loop closes the stream."""
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


def test_a_thread_can_close_a_watch(spot_api: SimulatedSpot) -> None:
    """In the middle of the stream, by closing the iterator."""
    event = {"type": "ADDED", "object": cloudspace("b")}
    script = Script(event, event)
    with blocking_client(spot_api, script) as client:
        changes: Iterable[Any] = client.cloudspaces.watch()
        with closing(changes):  # type: ignore[type-var]
            next(iter(changes))
            assert not script.closed
        assert script.closed
        assert list(changes) == []
