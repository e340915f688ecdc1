"""One client for blocking and async use: the same operations, in threads and loops, at the same time."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.groups import Group, SyncGroups, Twin
from rsspot.client.sync_client import SpotClient
from rsspot.resources.collection import Collection
from rsspot.resources.sync_twins import Blocking, BlockingCollection
from rsspot.simulator.front.server import Server
from rsspot.testing import SimulatedSpot
from support.open_files import SETTLES_WITHIN, connected, open_files, settled
from support.recording import CLOUDSPACE, Overheard, cloudspace, put

GROUPS = sorted(name for name, value in vars(SyncGroups).items() if isinstance(value, Twin))


def client_of(spot: SimulatedSpot) -> tuple[SpotClient, Overheard]:
    """A client for both uses, and the requests it sends."""
    wire = Overheard(spot.transport)
    return SpotClient(resolved=spot.client().config, transport=wire, clock=spot.clock), wire


def tokens(wire: Overheard) -> int:
    """How often a token was fetched."""
    return len(wire.of("POST", path="/oauth/token"))


def operations(service: object) -> dict[str, Any]:
    """The public coroutines and async generators of a service."""
    methods = inspect.getmembers(service, inspect.ismethod)
    wanted = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return {name: each for name, each in methods if not name.startswith("_") and any(is_one(each) for is_one in wanted)}


def offers(twin: object) -> set[str]:
    """The public operations of a synchronous group."""
    return {name for name in dir(twin) if not name.startswith("_") and callable(getattr(twin, name))}


# The same operations


def test_every_group_has_a_sync_and_an_async_version(spot_api: SimulatedSpot) -> None:
    """The async ones are those of the async client."""
    client, _ = client_of(spot_api)
    groups = {name for name, value in vars(SyncGroups).items() if isinstance(value, Group)}
    assert {f"a{name}" for name in GROUPS} == groups - set(GROUPS)
    for name in GROUPS:
        assert isinstance(getattr(client, name), Blocking)
        assert isinstance(getattr(AsyncSpotClient(resolved=client.config), name), type(getattr(client, f"a{name}")))


@pytest.mark.parametrize("group", GROUPS)
def test_both_versions_of_a_group_have_the_same_operations(spot_api: SimulatedSpot, group: str) -> None:
    """With the same names, parameters, defaults and results."""
    client, _ = client_of(spot_api)
    service, twin = getattr(client, f"a{group}"), getattr(client, group)
    assert offers(twin) == set(operations(service)) != set()
    for name, method in operations(service).items():
        ours = inspect.signature(getattr(twin, name))
        theirs = inspect.signature(method)
        parameters = [each for each in ours.parameters.values() if each.name != "self"]
        assert parameters == list(theirs.parameters.values())
        assert getattr(twin, name).__doc__ == method.__doc__
        assert getattr(twin, name).__name__ == name


def test_every_kind_has_the_common_verbs(spot_api: SimulatedSpot) -> None:
    """Including watch."""
    client, _ = client_of(spot_api)
    verbs = {"list", "get", "create", "patch", "delete", "wait", "wait_gone", "watch"}
    assert {name for name in vars(BlockingCollection) if not name.startswith("_")} == verbs
    for group in GROUPS:
        if isinstance(getattr(client, f"a{group}"), Collection):
            assert verbs <= offers(getattr(client, group))


@pytest.mark.parametrize("group", GROUPS)
async def test_a_blocking_call_in_a_running_loop_names_the_async_one(spot_api: SimulatedSpot, group: str) -> None:
    """It sends nothing and leaves no coroutine un-awaited."""
    client, wire = client_of(spot_api)
    for name in offers(getattr(client, group)):
        with pytest.raises(RuntimeError, match=rf"client\.a{group}\.{name}\(\) instead"):
            getattr(getattr(client, group), name)()
    assert wire.requests == []


async def test_the_clients_own_blocking_calls_name_their_async_versions(spot_api: SimulatedSpot) -> None:
    """whoami and close."""
    client, wire = client_of(spot_api)
    with pytest.raises(RuntimeError, match=r"await client\.awhoami\(\)"):
        client.whoami()
    with pytest.raises(RuntimeError, match=r"await client\.aclose\(\)"):
        client.close()
    with pytest.raises(RuntimeError, match=r"async with SpotClient"), client:
        pass
    assert wire.requests == []


# Threads and loops in any order


def test_threads_first_then_a_loop(spot_api: SimulatedSpot) -> None:
    """With one token for both."""
    client, wire = client_of(spot_api)
    assert client.cloudspaces.create("edge", CLOUDSPACE).name == "edge"

    async def listed() -> list[str]:
        return [each.name for each in await client.acloudspaces.list()]

    assert asyncio.run(listed()) == ["edge"]
    assert [each.name for each in client.cloudspaces.list()] == ["edge"]
    assert tokens(wire) == 1
    bearers = {each.headers["authorization"] for each in wire.of("GET", "POST")}
    assert len(bearers) == 1


async def test_a_loop_first_then_threads(spot_api: SimulatedSpot) -> None:
    """With one token for both."""
    client, wire = client_of(spot_api)
    await client.acloudspaces.create("edge", CLOUDSPACE)
    assert await asyncio.to_thread(lambda: client.cloudspaces.get("edge").name) == "edge"
    assert (await client.acloudspaces.get("edge")).name == "edge"
    assert tokens(wire) == 1


def test_one_loop_after_another(spot_api: SimulatedSpot) -> None:
    """As in scripts that call `asyncio.run` several times."""
    client, wire = client_of(spot_api)

    async def work(name: str) -> int:
        await client.acloudspaces.create(name, CLOUDSPACE)
        return len(await client.acloudspaces.list())

    assert [asyncio.run(work(name)) for name in ("a", "b", "c")] == [1, 2, 3]
    assert tokens(wire) == 1


def test_two_loops_and_eight_threads_at_once(spot_api: SimulatedSpot) -> None:
    """One client and one token; every caller gets its own response."""
    client, wire = client_of(spot_api)
    put(spot_api, "cloudspaces", *(cloudspace(f"c{number}") for number in range(10)))
    together = threading.Barrier(10)

    def blocking(number: int) -> list[str]:
        together.wait()
        return [client.cloudspaces.get(f"c{number}").name for _ in range(5)]

    async def asking(number: int) -> list[str]:
        return [each.name for each in await asyncio.gather(*(client.acloudspaces.get(f"c{number}") for _ in range(5)))]

    def looping(number: int) -> list[str]:
        together.wait()
        return asyncio.run(asking(number))

    with ThreadPoolExecutor(10) as pool:
        names = [*pool.map(lambda number: (blocking if number < 8 else looping)(number), range(10))]
    assert names == [[f"c{number}"] * 5 for number in range(10)]
    assert tokens(wire) == 1


def test_whoami_is_the_same_in_both_versions(spot_api: SimulatedSpot) -> None:
    """It reads the token and does not call the API."""
    client, wire = client_of(spot_api)
    persona = client.whoami()
    assert asyncio.run(client.awhoami()) == persona
    assert (persona.email, persona.namespace, persona.group) == (
        "sandbox@example.com",
        "org-sandbox000000001",
        "cloudspace-admin",
    )
    assert persona.until is not None and persona.until > spot_api.clock.now()
    assert [each.url.path for each in wire.requests] == ["/oauth/token"]


# Closing


CLOSED = "this client has been closed and sends no more requests"


def test_a_closed_client_sends_nothing(spot_api: SimulatedSpot) -> None:
    """Closing twice is allowed. Not even a cached answer is given; the ledger is a file and opens again."""
    client, wire = client_of(spot_api)
    client.regions.list()
    assert client.ledger.registrations() == []
    for _ in range(2):
        client.close()
        asyncio.run(client.aclose())
    sent = len(wire.requests)
    for call in (client.regions.list, client.organizations.list, client.pricing.percentiles, client.whoami):
        with pytest.raises(RuntimeError, match=CLOSED):
            call()
    with pytest.raises(RuntimeError, match=CLOSED):
        next(iter(client.regions.watch()))
    assert len(wire.requests) == sent
    assert client.ledger.registrations() == []
    client.close()


async def test_closing_twice_in_a_loop_is_allowed(spot_api: SimulatedSpot) -> None:
    """For the async client too, used or unused."""
    unused, client = spot_api.client(), spot_api.client()
    await unused.aclose()
    await unused.aclose()
    async with client:
        assert await client.regions.list()
        assert client.ledger.registrations() == []
    await client.aclose()
    for closed in (client, unused):
        with pytest.raises(RuntimeError, match=CLOSED):
            await closed.regions.list()
        with pytest.raises(RuntimeError, match=CLOSED):
            await closed.cloudspaces.create("edge", {"region": "us-central-dfw-1"})
    assert client.ledger.registrations() == []
    await client.aclose()


# Real connections


def test_twenty_clients_leave_nothing_open(here: Path, server: Server) -> None:
    """No connection, file or thread, in either version."""

    async def use(client: SpotClient) -> None:
        await asyncio.gather(client.aregions.list(), client.acloudspaces.list(), client.apricing.list())
        await client.aclose()

    with connected(server, here) as first:
        first.cloudspaces.list()
    files, threads = len(open_files()), threading.active_count()
    for number in range(20):
        with connected(server, here) as client:
            client.regions.list()
            if number % 2:
                client.ledger.registrations()
                asyncio.run(use(client))
    assert settled(files) <= 0
    deadline = time.monotonic() + SETTLES_WITHIN
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= threads


def test_stopping_a_watch_closes_its_connection(here: Path, server: Server) -> None:
    """In the middle of a stream, in both versions."""
    with connected(server, here, cache=False) as client:
        client.cloudspaces.create("edge", CLOUDSPACE)

    async def listen(client: SpotClient) -> None:
        async for change in client.acloudspaces.watch():
            assert change.object.name == "edge"
            break
        await client.aclose()

    files = len(open_files())
    with connected(server, here, cache=False) as client:
        for change in client.cloudspaces.watch():
            assert change.object.name == "edge"
            break
        asyncio.run(listen(client))
    assert settled(files) <= 0


def test_threads_and_loops_at_once_over_real_sockets(here: Path, server: Server) -> None:
    """They share the token; connections are never shared between loops."""
    with connected(server, here) as client:

        async def three() -> list[int]:
            lists = await asyncio.gather(*(client.aregions.list() for _ in range(3)))
            await client.aclose()
            return [len(regions) for regions in lists]

        with ThreadPoolExecutor(6) as pool:
            blocking = [pool.submit(lambda: len(client.server_classes.list())) for _ in range(8)]
            loops = [pool.submit(lambda: asyncio.run(three())) for _ in range(2)]
            assert len({each.result() for each in blocking}) == 1
            assert {tuple(each.result()) for each in loops} == {(8, 8, 8)}
