"""One client, two colors: the same operations for threads and for loops, in any order and at the same time."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.groups import Group, SyncGroups, Twin
from rsspot.client.sync_client import SpotClient
from rsspot.resources.collection import Collection
from rsspot.resources.sync_twins import Blocking, BlockingCollection
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World
from rsspot.testing import SimulatedSpot
from support.recording import CLOUDSPACE, Overheard, cloudspace, put

GROUPS = sorted(name for name, value in vars(SyncGroups).items() if isinstance(value, Twin))
SETTLES_WITHIN = 5.0


def client_of(spot: SimulatedSpot) -> tuple[SpotClient, Overheard]:
    """A client of both colors, and what it sends."""
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


def test_there_is_a_group_of_each_color(spot_api: SimulatedSpot) -> None:
    """None is missing on either side, and both are the ones of the asynchronous client."""
    client, _ = client_of(spot_api)
    groups = {name for name, value in vars(SyncGroups).items() if isinstance(value, Group)}
    assert {f"a{name}" for name in GROUPS} == groups - set(GROUPS)
    for name in GROUPS:
        assert isinstance(getattr(client, name), Blocking)
        assert isinstance(getattr(AsyncSpotClient(resolved=client.config), name), type(getattr(client, f"a{name}")))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_offers_the_same_in_both_colors(spot_api: SimulatedSpot, group: str) -> None:
    """The same names, parameters, defaults, and what comes back when it is awaited."""
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


def test_every_kind_has_the_verbs_of_every_kind(spot_api: SimulatedSpot) -> None:
    """Watch is one of them."""
    client, _ = client_of(spot_api)
    verbs = {"list", "get", "create", "patch", "delete", "wait", "wait_gone", "watch"}
    assert {name for name in vars(BlockingCollection) if not name.startswith("_")} == verbs
    for group in GROUPS:
        if isinstance(getattr(client, f"a{group}"), Collection):
            assert verbs <= offers(getattr(client, group))


@pytest.mark.parametrize("group", GROUPS)
async def test_every_operation_names_its_twin_in_a_running_loop(spot_api: SimulatedSpot, group: str) -> None:
    """And sends nothing, and leaves no coroutine behind."""
    client, wire = client_of(spot_api)
    for name in offers(getattr(client, group)):
        with pytest.raises(RuntimeError, match=rf"client\.a{group}\.{name}\(\) instead"):
            getattr(getattr(client, group), name)()
    assert wire.requests == []


async def test_the_client_itself_names_its_twins_too(spot_api: SimulatedSpot) -> None:
    """Who am I, and close."""
    client, wire = client_of(spot_api)
    with pytest.raises(RuntimeError, match=r"await client\.awhoami\(\)"):
        client.whoami()
    with pytest.raises(RuntimeError, match=r"await client\.aclose\(\)"):
        client.close()
    with pytest.raises(RuntimeError, match=r"async with SpotClient"), client:
        pass
    assert wire.requests == []


# In any order


def test_first_threads_and_then_a_loop(spot_api: SimulatedSpot) -> None:
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


async def test_first_a_loop_and_then_threads(spot_api: SimulatedSpot) -> None:
    """The other way round."""
    client, wire = client_of(spot_api)
    await client.acloudspaces.create("edge", CLOUDSPACE)
    assert await asyncio.to_thread(lambda: client.cloudspaces.get("edge").name) == "edge"
    assert (await client.acloudspaces.get("edge")).name == "edge"
    assert tokens(wire) == 1


def test_one_loop_after_the_other(spot_api: SimulatedSpot) -> None:
    """As scripts do that call `asyncio.run` here and there."""
    client, wire = client_of(spot_api)

    async def work(name: str) -> int:
        await client.acloudspaces.create(name, CLOUDSPACE)
        return len(await client.acloudspaces.list())

    assert [asyncio.run(work(name)) for name in ("a", "b", "c")] == [1, 2, 3]
    assert tokens(wire) == 1


def test_two_loops_and_eight_threads_at_once(spot_api: SimulatedSpot) -> None:
    """On one client, with one token, and every answer is its own asker's."""
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
        found = [*pool.map(lambda number: (blocking if number < 8 else looping)(number), range(10))]
    assert found == [[f"c{number}"] * 5 for number in range(10)]
    assert tokens(wire) == 1


def test_who_am_i_is_the_same_in_both_colors(spot_api: SimulatedSpot) -> None:
    """And it is what the token says, without asking the API."""
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


def test_closing_may_be_done_twice_and_does_not_end_the_client(spot_api: SimulatedSpot) -> None:
    """It lets go; the next request takes up again, with the same token."""
    client, wire = client_of(spot_api)
    for _ in range(2):
        client.regions.list()
        assert client.ledger.registrations() == []
        client.close()
        client.close()
        asyncio.run(client.aclose())
        asyncio.run(client.aclose())
    with client:
        client.regions.list()
    assert tokens(wire) == 1


async def test_closing_in_a_loop_may_be_done_twice_as_well(spot_api: SimulatedSpot) -> None:
    """For the asynchronous client too, used or not."""
    client = spot_api.client()
    await client.aclose()
    async with client:
        assert await client.regions.list()
        assert client.ledger.registrations() == []
    await client.aclose()
    assert await client.regions.list()
    assert client.ledger.registrations() == []
    await client.aclose()


# Real connections


@pytest.fixture
def server() -> Iterator[Server]:
    """A simulated service on a socket."""
    world = World(clock=ScaledClock())
    served = Server(Api(world))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield served
    served.close()
    thread.join()
    world.close()


def connected(server: Server, folder: Path, **options: Any) -> SpotClient:
    """A client that speaks to a server."""
    addresses = {"base_url": server.url, "oauth_url": server.url, "state_path": folder / "state.db"}
    return SpotClient(**addresses, refresh_token=SANDBOX_TOKEN, organization=SANDBOX_ORGANIZATION, **options)


def open_files() -> list[str]:
    """What this process holds open, but for the server's own ends of connections."""
    gc.collect()
    found = []
    for each in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the listing's own handle is gone by the time it is looked at
        try:
            found.append(os.readlink(f"/proc/self/fd/{each}"))  # noqa: PTH115
        except OSError:
            continue
    return sorted(found)


def settled(before: int) -> int:
    """How many more files than before are open, once the server has noticed who has gone."""
    deadline = time.monotonic() + SETTLES_WITHIN
    while len(open_files()) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(open_files()) - before


def test_twenty_clients_leave_nothing_open(here: Path, server: Server) -> None:
    """No connection, no file and no thread, whichever color they were used in."""

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


def test_a_listener_who_goes_leaves_no_connection(here: Path, server: Server) -> None:
    """Half-way through a stream, in both colors."""
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


def test_it_works_over_sockets_from_everywhere_at_once(here: Path, server: Server) -> None:
    """Threads and loops share the token, and connections never cross."""
    with connected(server, here) as client:

        async def three() -> list[int]:
            found = await asyncio.gather(*(client.aregions.list() for _ in range(3)))
            await client.aclose()
            return [len(each) for each in found]

        with ThreadPoolExecutor(6) as pool:
            blocking = [pool.submit(lambda: len(client.server_classes.list())) for _ in range(8)]
            loops = [pool.submit(lambda: asyncio.run(three())) for _ in range(2)]
            assert len({each.result() for each in blocking}) == 1
            assert {tuple(each.result()) for each in loops} == {(8, 8, 8)}
